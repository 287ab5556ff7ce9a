package fleet

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/nostr"
)

// Type is what an event is about, as its tag "type" says.
type Type string

// The types of events.
const (
	TypeShare     Type = "share"
	TypeTelemetry Type = "telemetry"
	TypeOrder     Type = "order"
)

// Kinds are the Nostr kinds of the events. Those of HashScope are 30080 and
// 30079, of which a relay keeps the newest of each author only.
type Kinds struct{ Share, Telemetry, Order int }

// DefaultKinds are regular (NIP-01: 1000 to 9999): relays keep every event.
func DefaultKinds() Kinds { return Kinds{Share: 3080, Telemetry: 3079, Order: 3081} }

// Of is the kind of a type.
func (k Kinds) Of(t Type) int {
	switch t {
	case TypeShare:
		return k.Share
	case TypeTelemetry:
		return k.Telemetry
	}
	return k.Order
}

// Names in tags and contents.
const (
	topic       = "hashscope"
	Schema      = "hashscope.v1"
	OrderSchema = "poolscope.order.v1"
)

// maxRun bounds a run's name, in bytes.
const maxRun = 128

// Errors of NewMember.
var (
	ErrRun   = errors.New("fleet: the run needs a name of 1 to 128 bytes of characters that show")
	ErrKinds = errors.New("fleet: the kinds must be three different numbers from 0 to 65535")
)

// Member is one party of a fleet: the scope or an agent.
type Member struct {
	run    string
	kinds  Kinds
	key    nostr.SecretKey
	shared *nostr.ConversationKey // nil: contents are not encrypted
}

// NewMember makes a member that signs with key. With group, a secret that all
// members have, contents are encrypted (NIP-44); without, they are plain.
func NewMember(run string, kinds Kinds, key, group nostr.SecretKey) (*Member, error) {
	if err := CheckRun(run); err != nil {
		return nil, err
	}
	if err := kinds.Check(); err != nil {
		return nil, err
	}
	m := &Member{run: run, kinds: kinds, key: key}
	if !group.IsZero() {
		shared, err := nostr.NewConversationKey(group, group.Public())
		if err != nil {
			return nil, err
		}
		m.shared = &shared
	}
	return m, nil
}

// CheckRun says whether a run may have this name. An empty one would be that of
// everybody who has set none.
func CheckRun(run string) error {
	if run == "" || len(run) > maxRun || !printable(run) {
		return ErrRun
	}
	return nil
}

// Check says whether the kinds can be told apart.
func (k Kinds) Check() error {
	for _, n := range []int{k.Share, k.Telemetry, k.Order} {
		if n < 0 || n > 65535 {
			return ErrKinds
		}
	}
	if k.Share == k.Telemetry || k.Share == k.Order || k.Telemetry == k.Order {
		return ErrKinds
	}
	return nil
}

// Run is the name of the run.
func (m *Member) Run() string { return m.run }

// Kinds are the kinds of its events.
func (m *Member) Kinds() Kinds { return m.kinds }

// Public is the key that others know the member by.
func (m *Member) Public() nostr.PublicKey { return m.key.Public() }

// Encrypted says whether contents are encrypted.
func (m *Member) Encrypted() bool { return m.shared != nil }

// Seal makes a signed event of a content.
func (m *Member) Seal(t Type, content []byte, at time.Time) (*nostr.Event, error) {
	text := string(content)
	if m.shared != nil {
		var err error
		if text, err = m.shared.Encrypt(text); err != nil {
			return nil, err
		}
	}
	schema := Schema
	if t == TypeOrder {
		schema = OrderSchema
	}
	e := &nostr.Event{
		CreatedAt: at.Unix(), Kind: m.kinds.Of(t), Content: text,
		Tags: []nostr.Tag{{"t", topic}, {"run", m.run}, {"type", string(t)}, {"schema", schema}, {"r", m.run}},
	}
	if err := e.Sign(m.key); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	return e, nil
}

// Filter asks a relay for the run's events of some types from a time on. With
// hashscope it asks by the topic instead, since HashScope's members do not give
// their events the tag r; the run is then told apart by the Gate alone.
func (m *Member) Filter(since time.Time, authors []string, hashscope bool, types ...Type) nostr.Filter {
	from := since.Unix()
	f := nostr.Filter{Since: &from, Tags: map[string][]string{"r": {m.run}}}
	if hashscope {
		f.Tags = map[string][]string{"t": {topic}}
	}
	for _, t := range types {
		f.Kinds = append(f.Kinds, m.kinds.Of(t))
	}
	if len(authors) > 0 {
		f.Authors = authors
	}
	return f
}

// printable says whether a text is UTF-8 of characters that show, with spaces
// between them. One that turns the direction of writing would make an id look
// like another's.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
