package scopeapi

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// decodedView is a message in words, and as values.
type decodedView struct {
	MessageID string          `json:"message_id"`
	Decoded   *decode.Message `json:"decoded"`
}

// serveDecoded answers GET /api/messages/{message_id}/decoded.
func serveDecoded(c *call) error {
	m, err := c.message()
	if err != nil {
		return err
	}
	decoded, err := c.api.explain(c.r.Context(), m)
	if err != nil {
		return err
	}
	return c.json(decodedView{m.MessageID(), decoded})
}

// explain decodes a message with what its session had said before it.
func (a *API) explain(ctx context.Context, m *capture.Message) (*decode.Message, error) {
	h := history{ctx: ctx, api: a, session: m.Session}
	known := decode.Context{FromMiner: m.Direction != capture.PoolToMiner, Received: m.Received}
	if a.src.Audit != nil {
		if facts, ok := a.src.Audit.Facts(m.Session); ok {
			known.Network = bitcoin.Network(facts.Network)
		}
	}
	var question json.RawMessage
	switch {
	case m.IsResponse && m.Pair > 0:
		if asked, err := a.src.Messages.Message(ctx, capture.MessageID(m.Session, m.Pair)); err == nil {
			question = asked.Decoded()
		}
	case m.Method == "mining.notify":
		h.fill(&known, m.Seq)
	case m.Method == "mining.submit":
		at := m.Seq
		if job := h.job(m); job != nil {
			// A share is judged by what was in force when its job was sent.
			at = job.Seq
			known.Work = decode.ParseJob(job.Fields().Params, decode.Context{Received: job.Received}).Work
		}
		h.fill(&known, at)
	}
	if h.err != nil {
		return nil, h.err
	}
	return decode.Decode(m.Decoded(), question, known), nil
}

// history looks for what a session said before a message. It goes on without
// what is not kept any more; after an error it finds nothing.
type history struct {
	ctx     context.Context
	api     *API
	session string
	err     error
}

// latest is the session's newest message of a method before another; nil when
// there is none.
func (h *history) latest(method string, before uint64) *capture.Message {
	page := h.find(capture.Filter{Session: h.session, Method: method, Cursor: before, Limit: 1})
	if len(page) == 0 {
		return nil
	}
	return page[0]
}

func (h *history) find(f capture.Filter) []*capture.Message {
	if h.err != nil {
		return nil
	}
	page, _, _, err := h.api.src.Messages.Find(h.ctx, f)
	h.err = err
	return page
}

// fill enters what was in force before a message.
func (h *history) fill(known *decode.Context, before uint64) {
	if s, err := h.api.src.Messages.Session(h.ctx, h.session); err == nil && s.Known != nil {
		known.Extranonce1, _ = hex.DecodeString(s.Known.Extranonce1)
		known.Extranonce2Size = s.Known.Extranonce2Size
		known.Difficulty, known.VersionMask = s.Known.Difficulty, s.Known.VersionMask
	}
	var since uint64
	if m := h.latest("mining.subscribe", before); m != nil && m.Response != nil {
		if d := decode.Decode(m.Response.Decoded(), m.Decoded(), decode.Context{}); d.Assigned != nil {
			known.Extranonce1, known.Extranonce2Size = d.Assigned.Extra, d.Assigned.Extranonce2Size
			since = m.Seq
		}
	}
	if m := h.latest("mining.set_extranonce", before); m != nil && m.Seq > since {
		if d := decode.Decode(m.Decoded(), nil, decode.Context{}); d.Extranonce != nil {
			known.Extranonce1, known.Extranonce2Size = d.Extranonce.Extra, d.Extranonce.Extranonce2Size
		}
	}
	since = 0
	if m := h.latest("mining.configure", before); m != nil && m.Response != nil {
		if d := decode.Decode(m.Response.Decoded(), m.Decoded(), decode.Context{}); d.Agreed != nil {
			known.VersionMask = d.Agreed.Mask
			since = m.Seq
		}
	}
	if m := h.latest("mining.set_version_mask", before); m != nil && m.Seq > since {
		if d := decode.Decode(m.Decoded(), nil, decode.Context{}); d.Mask != nil {
			known.VersionMask = d.Mask.Value
		}
	}
	if m := h.latest("mining.set_difficulty", before); m != nil {
		if d := decode.Decode(m.Decoded(), nil, decode.Context{}); d.Difficulty != nil {
			known.Difficulty = d.Difficulty.Value
		}
	}
}

// maxJobsBack is how many jobs are looked through for the one of a share.
const maxJobsBack = 1000

// job is the mining.notify that a share is for; nil when it is not found.
func (h *history) job(submit *capture.Message) *capture.Message {
	wanted, _ := decode.ParseSubmit(submit.Fields().Params)
	if wanted == nil || wanted.JobID == "" {
		return nil
	}
	for _, m := range h.find(capture.Filter{Session: h.session, Method: "mining.notify", Cursor: submit.Seq, Limit: maxJobsBack}) {
		var params []json.RawMessage
		var id string
		if json.Unmarshal(m.Fields().Params, &params) == nil && len(params) > 0 && json.Unmarshal(params[0], &id) == nil && id == wanted.JobID {
			return m
		}
	}
	return nil
}
