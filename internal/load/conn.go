package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/stratum"
)

// connState says how far a connection is.
type connState uint8

const (
	stateNew connState = iota
	stateConnecting
	stateSubscribing
	stateAuthorizing
	stateReady
	stateDead
)

// Ids of requests. Submits count from firstSubmit.
const (
	idSubscribe   = 1
	idAuthorize   = 2
	idSuggest     = 3
	idConfigure   = 4
	firstSubmit   = 1000
	maxPartial    = 256 << 10 // bytes of a line from the pool
	maxRejectText = 32        // texts that are told apart
)

// conn is one miner.
type conn struct {
	state      connState
	through    bool // the proxy, of a comparison
	started    time.Duration
	ready      time.Duration
	partial    []byte // of a line
	authorized bool

	extranonce miner.Subscription // in force with the job
	following  miner.Subscription // in force with the next job
	mask       uint32             // granted version bits
	announced  float64            // difficulty in force with the next job
	difficulty float64            // of the job
	job        []byte             // the newest notify line; nil before the first
	tip        tipText            // of the job

	prepared submits
	stale    bool            // the prepared shares are not for the newest job's tip, difficulty or extranonce
	sent     int             // submits, since the start
	waiting  int             // submits that are not answered
	sentAt   []time.Duration // by submit; 0 when answered
}

// submits holds the lines of a connection in one piece.
type submits struct {
	first      int // number of the first line's submit
	lines      []byte
	ends       []int // of each line
	tip        tipText
	difficulty float64
}

// cut returns the lines of n submits from number k on.
func (s *submits) cut(k, n int) []byte {
	k -= s.first
	start := 0
	if k > 0 {
		start = s.ends[k-1]
	}
	return s.lines[start:s.ends[k+n-1]]
}

// unsent is how many prepared shares could be sent now.
func (c *conn) unsent() int {
	if c.stale || c.state != stateReady {
		return 0
	}
	return c.prepared.first + len(c.prepared.ends) - c.sent
}

// runner drives all connections from one goroutine. It is the transport's
// handler.
type runner struct {
	cfg      Config
	log      *slog.Logger
	progress io.Writer
	report   *Report
	net      transport
	process  *process // nil without
	proxy    *process // nil without
	proxyCPU time.Duration
	source   *blockSource // nil without
	tips     tipLog
	blockCPU time.Duration // of the server, for each block of the fan-out

	phase                         string // of run
	epoch                         time.Time
	conns                         []conn
	underWay                      int // handshakes
	readyN                        int
	alive                         int // signed in and not ended
	notifies                      int
	latency                       []time.Duration
	latencyDirect, latencyThrough []time.Duration // of a comparison
	late                          []time.Duration
	window                        *Shares // nil outside of the timed window
	lastAt                        time.Duration
	answers                       int
	left                          int // prepared shares that can be sent
	waiting                       int // submits of live connections that are not answered
}

func newRunner(cfg Config, log *slog.Logger, progress io.Writer) *runner {
	r := &runner{
		cfg:      cfg,
		log:      log,
		progress: progress,
		epoch:    time.Now(),
		conns:    make([]conn, cfg.Connections),
	}
	for i := range r.conns {
		r.conns[i].through = cfg.isThrough(i)
	}
	r.report = &Report{Pool: cfg.Pool, Connections: cfg.Connections, Errors: map[string]int{}}
	return r
}

func (r *runner) now() time.Duration { return time.Since(r.epoch) }

// opened sends the first request.
func (r *runner) opened(i int) {
	r.conns[i].state = stateSubscribing
	var b []byte
	if r.cfg.VersionRolling {
		b = append(request(idConfigure, "mining.configure"), `["version-rolling"],{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":2}]}`+"\n"...)
	}
	b = append(b, request(idSubscribe, "mining.subscribe")...)
	b = stratum.AppendString(b, r.cfg.UserAgent)
	r.net.write(i, append(b, "]}\n"...))
}

// closed notes the end of a connection.
func (r *runner) closed(i int, err error) {
	c := &r.conns[i]
	switch c.state {
	case stateDead:
		return
	case stateReady:
		r.alive--
		r.left -= c.unsent()
		r.waiting -= c.waiting
	default:
		r.underWay--
	}
	c.state = stateDead
	c.partial = nil
	r.note(explain(err))
}

// note counts an error; their number of kinds is bounded.
func (r *runner) note(reason string) { count(r.report.Errors, reason) }

// count adds one to a reason's number; the number of reasons is bounded.
func count(m map[string]int, reason string) {
	if _, known := m[reason]; !known && len(m) >= maxRejectText {
		reason = "other"
	}
	m[reason]++
}

// fail ends a connection from our side.
func (r *runner) fail(i int, err error) {
	r.net.hangUp(i)
	r.closed(i, err)
}

// received cuts bytes into lines.
func (r *runner) received(i int, b []byte, at time.Duration) {
	c := &r.conns[i]
	if len(c.partial) > 0 {
		c.partial = append(c.partial, b...)
		b = c.partial
	}
	for c.state != stateDead {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		if line := bytes.TrimSpace(b[:end]); len(line) > 0 {
			r.line(i, line, at)
		}
		b = b[end+1:]
	}
	if c.state == stateDead {
		return
	}
	if len(b) > maxPartial {
		r.fail(i, errLineTooLong)
		return
	}
	c.partial = append(c.partial[:0], b...)
	if len(c.partial) == 0 {
		c.partial = nil // idle connections keep no buffer
	}
	if r.window != nil && r.cfg.Rate == 0 {
		r.pump(i)
	}
}

// line acts on one line.
func (r *runner) line(i int, line []byte, at time.Duration) {
	c := &r.conns[i]
	if id, ok := acceptedReply(line); ok && id >= firstSubmit {
		r.answer(c, int(id-firstSubmit), at, "")
		return
	}
	// Jobs are kept as they are until somebody has to work on them.
	if tip, ok := notifiedTip(line); ok {
		r.notified(i, line, &tip, at)
		return
	}
	m, err := miner.ParseMessage(line)
	if err != nil {
		r.fail(i, err)
		return
	}
	if m.Method != "" {
		r.notification(i, m)
		return
	}
	r.reply(i, m, at)
}

// notified keeps a job, and whether what was prepared is worth something still.
func (r *runner) notified(i int, line []byte, tip *tipText, at time.Duration) {
	c := &r.conns[i]
	r.notifies++
	if c.state == stateReady && c.tip != *tip {
		r.tips.arrived(line, tip, at, r.alive)
	}
	fresh := c.following.Extranonce2Size != 0
	if fresh {
		c.extranonce, c.following = c.following, miner.Subscription{}
	}
	c.job = append(c.job[:0], line...)
	c.tip = *tip
	c.difficulty = c.announced

	if len(c.prepared.ends) > 0 && (fresh || c.tip != c.prepared.tip || c.difficulty > c.prepared.difficulty) && !c.stale {
		r.left -= c.unsent()
		c.stale = true
	}
	r.checkReady(i, at)
}

// notification acts on what the pool says unasked.
func (r *runner) notification(i int, m *miner.Message) {
	c := &r.conns[i]
	switch strings.ToLower(m.Method) {
	case "mining.set_difficulty":
		if d, ok := miner.ParseDifficulty(m.Params); ok {
			c.announced = d
		}
	case "mining.set_extranonce":
		// The parameters are the second and third of a subscription.
		result, err := json.Marshal(append([]json.RawMessage{[]byte("null")}, m.Params...))
		if err != nil {
			return
		}
		if s, err := miner.ParseSubscription(result); err == nil {
			c.following = s
		}
	case "mining.set_version_mask":
		if len(m.Params) > 0 {
			c.mask = versionMask(m.Params[0])
		}
	case "client.reconnect":
		r.fail(i, errors.New("the pool asked to reconnect"))
	case "mining.ping":
		if m.ID != nil {
			r.net.write(i, stratum.AppendResult(nil, m.ID, `"pong"`))
		}
	case "client.get_version":
		if m.ID != nil {
			r.net.write(i, stratum.AppendResult(nil, m.ID, string(stratum.AppendString(nil, r.cfg.UserAgent))))
		}
	}
}

// versionMask reads the version bits that a pool grants; 0 if there are none.
func versionMask(raw json.RawMessage) uint32 {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return 0
	}
	mask, _ := stratum.ParseHex32([]byte(text))
	return mask
}

// reply acts on an answer.
func (r *runner) reply(i int, m *miner.Message, at time.Duration) {
	c := &r.conns[i]
	id, ok := m.RequestID()
	switch {
	case !ok:
	case id == idConfigure:
		// A pool that knows no version rolling has no mask in its answer.
		var granted struct {
			Mask json.RawMessage `json:"version-rolling.mask"`
		}
		if json.Unmarshal(m.Result, &granted) == nil {
			c.mask = versionMask(granted.Mask)
		}
	case id == idSubscribe && c.state == stateSubscribing:
		if m.Error != nil {
			r.fail(i, fmt.Errorf("subscribe refused: %s", m.Refusal()))
			return
		}
		var err error
		if c.extranonce, err = miner.ParseSubscription(m.Result); err != nil {
			r.fail(i, err)
			return
		}
		c.state = stateAuthorizing
		r.net.write(i, r.authorize(i))
	case id == idAuthorize && c.state == stateAuthorizing:
		if !m.OK() {
			r.fail(i, fmt.Errorf("authorize refused: %s", m.Refusal()))
			return
		}
		c.authorized = true
		r.checkReady(i, at)
	case id >= firstSubmit:
		reason := ""
		if !m.OK() {
			reason = m.Refusal()
		}
		r.answer(c, int(id-firstSubmit), at, reason)
	}
}

// authorize returns the lines of the second half of the handshake.
func (r *runner) authorize(i int) []byte {
	var suggest []byte
	if r.cfg.SuggestDifficulty > 0 {
		suggest = append(request(idSuggest, "mining.suggest_difficulty"), bitcoin.FormatDifficulty(r.cfg.SuggestDifficulty)...)
		suggest = append(suggest, "]}\n"...)
	}
	b := request(idAuthorize, "mining.authorize")
	b = stratum.AppendString(b, r.cfg.user(i))
	b = append(b, ',')
	b = stratum.AppendString(b, r.cfg.Password)
	b = append(b, "]}\n"...)
	if r.cfg.SuggestLate {
		return append(b, suggest...)
	}
	return append(suggest, b...)
}

// request returns the start of a request, up to its parameters.
func request(id int, method string) []byte {
	return fmt.Appendf(nil, `{"id":%d,"method":"%s","params":[`, id, method)
}

// checkReady ends the handshake when everything is there.
func (r *runner) checkReady(i int, at time.Duration) {
	c := &r.conns[i]
	if c.state != stateAuthorizing || !c.authorized || c.job == nil {
		return
	}
	c.state, c.ready = stateReady, at
	r.underWay--
	r.readyN++
	r.alive++
}
