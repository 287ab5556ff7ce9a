package miner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// versionMask is what we may roll: the 16 bits of BIP320.
const versionMask = 0x1fffe000

// reconnectError ends a session because the pool asked for it.
type reconnectError struct {
	endpoint *Endpoint // nil: the same
	wait     time.Duration
}

// Error says what happened.
func (e *reconnectError) Error() string { return "the pool asked to reconnect" }

// handle acts on one line. An error ends the session.
func (s *session) handle(line []byte) error {
	m, err := ParseMessage(line)
	if err != nil {
		return s.badLine(err)
	}
	if m.Method == "" {
		return s.reply(m)
	}
	switch strings.ToLower(m.Method) {
	case "mining.notify":
		return s.notify(m.Params)
	case "mining.set_difficulty":
		d, ok := ParseDifficulty(m.Params)
		if !ok {
			return s.badLine(fmt.Errorf("%w: difficulty", ErrBadMessage))
		}
		s.nextDifficulty = d
	case "mining.set_extranonce":
		return s.setExtranonce(m.Params)
	case "mining.set_version_mask":
		s.setVersionMask(m.Params)
	case "client.reconnect":
		return s.reconnect(m.Params)
	case "client.show_message":
		if len(m.Params) > 0 {
			text := clip(parseText(m.Params[0]))
			s.log.Info("message from pool", "text", text)
			s.stats.event(Event{Kind: EventMessage, Text: text})
		}
	case "client.get_version":
		s.answer(m.ID, quote(s.cfg.UserAgent))
	case "mining.ping", "client.ping":
		s.answer(m.ID, `"pong"`)
	default:
		s.log.Debug("unknown method ignored", "method", clip(m.Method))
	}
	return nil
}

// badLine notes a line that cannot be used. A few are forgiven.
func (s *session) badLine(err error) error {
	s.badLines++
	s.log.Warn("bad line from pool", "err", err)
	if s.badLines >= maxBadLines {
		return errTooManyBadLines
	}
	return nil
}

// answer replies to a request of the pool; notifications get none.
func (s *session) answer(id json.RawMessage, result string) {
	if id != nil {
		s.send(stratum.AppendResult(nil, id, result))
	}
}

// reply acts on the answer to one of our requests.
func (s *session) reply(m *Message) error {
	id, ok := m.RequestID()
	if !ok {
		return nil
	}
	switch id {
	case idConfigure:
		s.configured(m)
		return nil
	case idSubscribe:
		if m.Error != nil {
			return fmt.Errorf("%w: %s", errNotSubscribed, m.Refusal())
		}
		sub, err := ParseSubscription(m.Result)
		if err != nil {
			return err
		}
		s.subscribed, s.nextExtranonce = true, sub
		if s.extranonce.Extranonce2Size == 0 || s.job == nil {
			s.extranonce = sub
		}
		return s.signedIn()
	case idAuthorize:
		if !m.OK() {
			return fmt.Errorf("%w: %s", errUnauthorized, m.Refusal())
		}
		if s.authorized {
			return nil
		}
		s.authorized = true
		s.send(AppendRequest(nil, idExtranonce, "mining.extranonce.subscribe", ""))
		return s.signedIn()
	case idSuggest, idExtranonce:
		return nil // a refusal changes nothing
	}
	s.shareAnswered(id, m)
	return nil
}

// configured notes the version bits that the pool grants.
func (s *session) configured(m *Message) {
	var result map[string]json.RawMessage
	if m.Error != nil || json.Unmarshal(m.Result, &result) != nil || !bytes.Equal(result["version-rolling"], []byte("true")) {
		return
	}
	mask, ok := parseHex32(result["version-rolling.mask"])
	if !ok {
		return
	}
	s.rolling, s.mask = true, mask&versionMask
	s.stats.granted(s.mask)
	s.publish()
}

// signedIn starts the work that came before the handshake was over.
func (s *session) signedIn() error {
	if s.subscribed && s.authorized {
		s.stats.connected()
		s.log.Info("connected to pool", "pool", s.conn.RemoteAddr().String())
		s.stats.event(Event{Kind: EventConnected, Text: s.conn.RemoteAddr().String()})
		s.publish()
	}
	return nil
}

// shareAnswered counts the answer to a share.
func (s *session) shareAnswered(id int64, m *Message) {
	s.mu.Lock()
	p, ok := s.pending[id]
	delete(s.pending, id)
	s.mu.Unlock()
	if !ok {
		s.log.Debug("reply to nothing ignored", "id", id)
		return
	}
	if m.OK() {
		s.stats.accepted()
		s.stats.event(Event{Kind: EventShareAccepted, Difficulty: p.difficulty, Height: p.height})
		return
	}
	text := m.Refusal()
	s.log.Debug("share rejected", "reason", text)
	s.stats.rejected(text)
	s.stats.event(Event{Kind: EventShareRejected, Text: text, Difficulty: p.difficulty, Height: p.height})
}

// notify takes a new job, and with it the difficulty and the extranonce that
// were announced before.
func (s *session) notify(params []json.RawMessage) error {
	job, err := ParseJob(params)
	if err != nil {
		return s.badLine(err)
	}
	if _, err := bitcoin.TargetFromBits(job.Bits); err != nil {
		return s.badLine(fmt.Errorf("%w: %w", ErrBadJob, err))
	}
	if s.nextDifficulty != s.difficulty {
		s.stats.event(Event{Kind: EventDifficulty, Difficulty: s.nextDifficulty, Height: job.Height()})
	}
	// Another previous block makes old shares worthless even where the pool
	// does not say so.
	if s.job == nil || job.Clean || job.PrevHash != s.job.PrevHash {
		s.generation.Add(1)
	}
	s.difficulty, s.extranonce = s.nextDifficulty, s.nextExtranonce
	s.job, s.jobAt = job, time.Now()
	s.publish()
	return nil
}

// publish puts the job on the board, once there is one and the pool has signed
// us in. Extranonce2 goes on where the previous work of this connection
// stopped, so that a job that is sent again is not searched twice.
func (s *session) publish() {
	if s.job == nil || !s.subscribed || !s.authorized {
		return
	}
	network, err := bitcoin.TargetFromBits(s.job.Bits)
	if err != nil {
		return // notify did not let it in
	}
	w := &work{
		session:    s,
		job:        s.job,
		extranonce: s.extranonce,
		mask:       s.mask,
		rolling:    s.rolling,
		difficulty: s.difficulty,
		target:     bitcoin.TargetFromDifficulty(s.difficulty),
		network:    network,
		generation: s.generation.Load(),
		at:         s.jobAt,
	}
	if before := s.board.current.Load(); before != nil && before.session == s {
		w.extranonce0 = before.extranonce0 + before.taken.Load()
	}
	s.board.set(w)
	s.stats.working(w)
	s.stats.event(Event{Kind: EventJob, Text: clip(s.job.ID), Difficulty: s.difficulty, Height: s.job.Height()})
}

// setExtranonce notes the extranonce for the next job.
func (s *session) setExtranonce(params []json.RawMessage) error {
	if len(params) < 2 {
		return s.badLine(fmt.Errorf("%w: set_extranonce", ErrBadMessage))
	}
	sub, err := parseExtranonce(params[0], params[1])
	if err != nil {
		return s.badLine(err)
	}
	s.nextExtranonce = sub
	return nil
}

// setVersionMask changes the version bits at once, as BIP310 has it, also for
// the current job.
func (s *session) setVersionMask(params []json.RawMessage) {
	if len(params) == 0 || !s.rolling {
		return
	}
	if mask, ok := parseHex32(params[0]); ok {
		s.mask = mask & versionMask
		s.stats.granted(s.mask)
		s.publish()
	}
}

// reconnect ends the session if the pool names its own host or none; anybody
// who can speak for the pool could otherwise lead the miner away.
func (s *session) reconnect(params []json.RawMessage) error {
	r := &reconnectError{}
	if len(params) >= 3 {
		if seconds, ok := parseNumber(params[2]); ok && seconds > 0 {
			r.wait = time.Duration(min(seconds, s.cfg.ReconnectMax.Seconds()) * float64(time.Second))
		}
	}
	if len(params) == 0 {
		return r
	}
	host := strings.ToLower(parseText(params[0]))
	if host != "" && host != s.host {
		s.log.Warn("reconnect to another host ignored", "host", clip(host))
		return nil
	}
	if len(params) >= 2 {
		port, ok := parseNumber(params[1])
		switch {
		case !ok: // the same port
		case port != float64(uint16(port)) || port == 0:
			s.log.Warn("reconnect to a bad port ignored")
			return nil
		default:
			r.endpoint = &Endpoint{Host: s.host, Port: strconv.Itoa(int(port))}
		}
	}
	return r
}

// AppendRequest appends the line of a request; params is JSON without the
// brackets.
func AppendRequest(dst []byte, id int64, method, params string) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = append(dst, `,"method":"`...)
	dst = append(dst, method...)
	dst = append(dst, `","params":[`...)
	dst = append(dst, params...)
	return append(dst, "]}\n"...)
}

// quote returns s as a JSON string.
func quote(s string) string { return string(stratum.AppendString(nil, s)) }
