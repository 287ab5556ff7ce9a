package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/stratum"
)

// take acts on one line of the pool. An error ends the session.
func (s *session) take(line []byte) error {
	m, err := miner.ParseMessage(line)
	if err != nil {
		return s.bad()
	}
	switch strings.ToLower(m.Method) {
	case "":
		return s.reply(m)
	case "mining.notify":
		return s.notify(m.Params)
	case "mining.set_difficulty":
		d, ok := miner.ParseDifficulty(m.Params)
		if !ok {
			return s.bad()
		}
		s.mu.Lock()
		s.difficulty = d
		s.mu.Unlock()
	case "mining.set_extranonce":
		return s.setExtranonce(m.Params)
	case "mining.set_version_mask":
		if len(m.Params) > 0 {
			s.setMask(m.Params[0])
		}
	case "client.reconnect":
		// Wherever it says: who load is put on is not for others to choose.
		return errMoved
	case "client.get_version":
		return s.reveal(m.ID, quote("poolscope-agent/"+s.agent.cfg.Version))
	case "mining.ping", "client.ping":
		return s.reveal(m.ID, `"pong"`)
	}
	return nil
}

// bad notes a line that cannot be used. A few are forgiven.
func (s *session) bad() error {
	if s.badLines++; s.badLines >= maxBadLines {
		return errBad
	}
	return nil
}

// reveal answers a request of the pool.
func (s *session) reveal(id json.RawMessage, result string) error {
	if id == nil {
		return nil
	}
	return s.write(stratum.AppendResult(nil, id, result))
}

// reply takes the answer to a request of ours.
func (s *session) reply(m *miner.Message) error {
	id, ok := m.RequestID()
	switch {
	case !ok:
	case id == idConfigure:
		var result map[string]json.RawMessage
		if m.Error == nil && json.Unmarshal(m.Result, &result) == nil && string(result["version-rolling"]) == "true" {
			s.mu.Lock()
			s.rolling = true
			s.mu.Unlock()
			s.setMask(result["version-rolling.mask"])
		}
	case id == idSubscribe:
		sub, err := miner.ParseSubscription(m.Result)
		if m.Error != nil || err != nil {
			return fmt.Errorf("%w: %s", errRefused, m.Refusal())
		}
		s.mu.Lock()
		s.sub = sub
		s.mu.Unlock()
		s.subscribed = true
		s.signedIn()
	case id == idAuthorize:
		if !m.OK() {
			return fmt.Errorf("%w: %s", errRefused, m.Refusal())
		}
		s.authorized = true
		s.signedIn()
	case id >= firstSubmit:
		s.answered(id, m)
	}
	return nil
}

// signedIn gives the session to who submits, once both answers are there.
func (s *session) signedIn() {
	if !s.subscribed || !s.authorized {
		return
	}
	took := milliseconds(time.Since(s.connected))
	s.agent.counts.mu.Lock()
	s.agent.counts.handshake = &took
	s.agent.counts.connects++
	s.agent.counts.errors = nil
	s.agent.counts.mu.Unlock()
	s.agent.log.Info("connected to pool", "pool", s.agent.endpoint.String())
	s.agent.setSession(s)
}

// notify takes a job, and with it what was announced before.
func (s *session) notify(params []json.RawMessage) error {
	now := s.agent.cfg.Now()
	job, err := miner.ParseJob(params)
	if err != nil {
		return s.bad()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.work
	s.work = &work{job: job, sub: s.sub, difficulty: max(s.difficulty, 0), mask: s.mask, rolling: s.rolling, at: now}
	close(s.changed)
	s.changed = make(chan struct{})
	// The first job of a connection says nothing about when its block was new.
	if before != nil && before.job.PrevHash != job.PrevHash {
		s.agent.counts.tip(fleet.Tip{PrevHash: job.PrevHash.String(), Height: job.Height(), SeenAt: fleet.FormatTime(now)})
	}
	return nil
}

// setExtranonce takes the extranonce of the next job.
func (s *session) setExtranonce(params []json.RawMessage) error {
	if len(params) < 2 {
		return s.bad()
	}
	result, err := json.Marshal([]json.RawMessage{json.RawMessage("null"), params[0], params[1]})
	if err != nil {
		return s.bad()
	}
	sub, err := miner.ParseSubscription(result)
	if err != nil {
		return s.bad()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sub = sub
	return nil
}

// versionMask is what may be rolled at all (BIP 320).
const versionMask = 0x1fffe000

// setMask takes the version bits that the pool grants, from the next job on.
func (s *session) setMask(raw json.RawMessage) {
	var digits string
	if json.Unmarshal(raw, &digits) != nil {
		return
	}
	if mask, ok := stratum.ParseHex32([]byte(digits)); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mask = mask & versionMask
	}
}
