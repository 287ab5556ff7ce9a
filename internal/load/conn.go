package load

import (
	"bytes"
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
	firstSubmit   = 1000
	maxPartial    = 256 << 10 // bytes of a line from the pool
	maxRejectText = 32        // texts that are told apart
)

// conn is one miner.
type conn struct {
	state      connState
	started    time.Duration
	ready      time.Duration
	partial    []byte // of a line
	authorized bool
	extranonce miner.Subscription

	announced  float64 // difficulty; in force with the next job
	difficulty float64 // of the job
	job        []byte  // the newest notify line; nil before the first

	prepared submits
	sent     int
	answered int
	sentAt   []time.Duration // by submit; 0 when answered
}

// submits holds the lines of a connection in one piece.
type submits struct {
	lines      []byte
	ends       []int // of each line
	prevHash   bitcoin.Hash
	difficulty float64
}

// count is the number of lines.
func (s *submits) count() int { return len(s.ends) }

// cut returns n lines from line k on.
func (s *submits) cut(k, n int) []byte {
	start := 0
	if k > 0 {
		start = s.ends[k-1]
	}
	return s.lines[start:s.ends[k+n-1]]
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

	epoch    time.Time
	conns    []conn
	underWay int // handshakes
	readyN   int
	alive    int // signed in and not ended
	notifies int
	latency  []time.Duration
	late     []time.Duration
	window   *Shares // nil outside of the timed window
	lastAt   time.Duration
	answers  int
	pending  int // submits that may still be answered
}

func newRunner(cfg Config, log *slog.Logger, progress io.Writer) *runner {
	r := &runner{
		cfg:      cfg,
		log:      log,
		progress: progress,
		epoch:    time.Now(),
		conns:    make([]conn, cfg.Connections),
	}
	r.report = &Report{Pool: cfg.Pool, Connections: cfg.Connections, Errors: map[string]int{}}
	return r
}

func (r *runner) now() time.Duration { return time.Since(r.epoch) }

// opened sends the first request.
func (r *runner) opened(i int) {
	r.conns[i].state = stateSubscribing
	line := append(request(idSubscribe, "mining.subscribe"), stratum.AppendString(nil, r.cfg.UserAgent)...)
	r.net.write(i, append(line, "]}\n"...))
}

// closed notes the end of a connection.
func (r *runner) closed(i int, err error) {
	c := &r.conns[i]
	switch c.state {
	case stateDead:
		return
	case stateReady:
		r.alive--
		r.pending -= c.outstanding(r)
	default:
		r.underWay--
	}
	c.state = stateDead
	c.partial = nil
	r.note(explain(err))
}

// note counts an error; their number of kinds is bounded.
func (r *runner) note(reason string) {
	if _, known := r.report.Errors[reason]; !known && len(r.report.Errors) >= maxRejectText {
		reason = "other"
	}
	r.report.Errors[reason]++
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
		if line := bytes.TrimRight(b[:end], "\r"); len(line) > 0 {
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
	if bytes.Contains(line, []byte(`"mining.notify"`)) && bytes.Contains(line, []byte(`"params"`)) {
		c.job = append(c.job[:0], line...)
		c.difficulty = c.announced
		r.notifies++
		r.checkReady(i, at)
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

// notification acts on what the pool says unasked.
func (r *runner) notification(i int, m *miner.Message) {
	switch strings.ToLower(m.Method) {
	case "mining.set_difficulty":
		if d, ok := miner.ParseDifficulty(m.Params); ok {
			r.conns[i].announced = d
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

// reply acts on an answer.
func (r *runner) reply(i int, m *miner.Message, at time.Duration) {
	c := &r.conns[i]
	id, ok := m.RequestID()
	switch {
	case !ok:
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
	var b []byte
	if r.cfg.SuggestDifficulty > 0 {
		b = append(request(idSuggest, "mining.suggest_difficulty"), bitcoin.FormatDifficulty(r.cfg.SuggestDifficulty)...)
		b = append(b, "]}\n"...)
	}
	b = append(b, request(idAuthorize, "mining.authorize")...)
	b = stratum.AppendString(b, r.cfg.user(i))
	b = append(b, ',')
	b = stratum.AppendString(b, r.cfg.Password)
	return append(b, "]}\n"...)
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

// acceptedReply recognises the usual answer to an accepted share and returns
// its id. Everything else takes the way through encoding/json.
func acceptedReply(line []byte) (id int64, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"id":`))
	if !ok {
		return 0, false
	}
	k := 0
	for k < len(rest) && k < 10 && rest[k] >= '0' && rest[k] <= '9' {
		id = id*10 + int64(rest[k]-'0')
		k++
	}
	return id, k > 0 && (k == 1 || rest[0] != '0') && string(rest[k:]) == `,"result":true,"error":null}`
}
