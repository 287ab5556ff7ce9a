package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// AnyAuthor stands in a list of authors for everybody.
const AnyAuthor = "any"

// fleet checks section [fleet].
func (v *validator) fleet() {
	f := v.config.Fleet
	for _, relay := range f.Relays {
		if !isRelay(relay) {
			v.complain("fleet.relays", `%q must be like "wss://relay.example" or "ws://127.0.0.1:7447"`, relay)
		}
	}
	for _, author := range f.Authors {
		if _, err := nostr.ParsePublicKey(author); err != nil && author != AnyAuthor {
			v.complain("fleet.authors", `must be public keys, as npub or 64 hex digits, or "any"`)
		}
	}
	if key := f.GroupKey.Reveal(); key != "" {
		if _, err := nostr.ParseSecretKey(key); err != nil {
			v.complain("fleet.group_key", "must be a secret key, as nsec or 64 hex digits")
		}
	}
	if !AuthorsAreKnown(f.Relays, f.Authors, f.GroupKey.IsSet()) {
		v.complainSince("fleet.authors", "fleet.relays", `must name the agents' public keys, or fleet.group_key be set: anybody at the relay could be an agent otherwise ("any" if that is meant)`)
	}
	kinds := map[int]string{}
	for _, k := range []struct {
		key  string
		kind int
	}{{"fleet.share_kind", f.ShareKind}, {"fleet.telemetry_kind", f.TelemetryKind}, {"fleet.order_kind", f.OrderKind}} {
		if k.kind < 0 || k.kind > 65535 {
			v.complain(k.key, "must be from 0 to 65535")
		}
		if other, taken := kinds[k.kind]; taken {
			v.complain(k.key, "must differ from %s", other)
		}
		kinds[k.kind] = k.key
	}
	if f.ExpireAfter < 15*time.Second {
		v.complain("fleet.expire_after", "must be at least 15s")
	}
	if f.KeepFor < time.Minute {
		v.complain("fleet.keep_for", "must be at least 1m")
	}
	if f.MaxMegabytes < 1 {
		v.complain("fleet.max_megabytes", "must be at least 1")
	}
	if len(f.Relays) > 0 && (len(v.config.Scope.RunID) > 128 || strings.ContainsFunc(v.config.Scope.RunID, func(r rune) bool { return r < 0x20 || r == 0x7f })) {
		v.complain("scope.run_id", "must have at most 128 bytes, without control characters")
	}
}

func isRelay(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "ws" || u.Scheme == "wss")
}

// AuthorsAreKnown says whether it is known whose events are taken: authors are
// named, or share a secret, or everybody at the relays is on this machine.
func AuthorsAreKnown(relays, authors []string, shareSecret bool) bool {
	if len(authors) > 0 || shareSecret {
		return true
	}
	for _, relay := range relays {
		u, err := url.Parse(relay)
		if err != nil {
			return false
		}
		address, err := netip.ParseAddr(u.Hostname())
		if u.Hostname() != "localhost" && (err != nil || !address.IsLoopback()) {
			return false
		}
	}
	return true
}

// ErrAuthor says that an author is neither a public key nor AnyAuthor.
var ErrAuthor = errors.New("not a public key, as npub or 64 hex digits, and not any")

// PublicKeys are a list of authors as 64 hex digits each. They are nil, which
// stands for everybody, only when the list is empty or has AnyAuthor. It fails
// with ErrAuthor, which does not repeat the text: it could be a secret key.
func PublicKeys(authors []string) (keys []string, err error) {
	everybody := false
	for i, author := range authors {
		if author == AnyAuthor {
			everybody = true
			continue
		}
		key, err := nostr.ParsePublicKey(author)
		if err != nil {
			return nil, fmt.Errorf("author %d of %d: %w", i+1, len(authors), ErrAuthor)
		}
		keys = append(keys, key.String())
	}
	if everybody {
		return nil, nil
	}
	return keys, nil
}
