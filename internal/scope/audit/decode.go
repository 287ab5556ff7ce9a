package audit

import (
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// maxDecoded is the longest line, in bytes, that is decoded for its facts. None
// of Stratum's comes near it, and what a peer can write in a longer one would
// cost the capture of all sessions milliseconds.
const maxDecoded = 64 << 10

// decode reads a line, and for an answer its question. It says nothing of lines
// that are too long, and counts them.
func (s *session) decode(m, question *capture.Message) *decode.Message {
	if len(m.Raw) > maxDecoded || question != nil && len(question.Raw) > maxDecoded {
		s.a.skipped++
		return &decode.Message{}
	}
	ctx := decode.Context{FromMiner: m.Direction != capture.PoolToMiner}
	if question == nil {
		return decode.Decode(m.Decoded(), nil, ctx)
	}
	return decode.Decode(m.Decoded(), question.Decoded(), ctx)
}
