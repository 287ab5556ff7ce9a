package audit

import (
	"encoding/hex"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// know takes what was said before the session was captured, as a tap that began
// later than the connection tells it. Jobs that were sent before stay unseen:
// the next one is the first whose shares can be judged.
func (s *session) know(k *capture.Known) {
	if k == nil {
		return
	}
	s.missing = true
	if extranonce1, err := hex.DecodeString(k.Extranonce1); err == nil && len(extranonce1) > 0 {
		s.setExtranonces(extranonce1, k.Extranonce2Size)
		s.blind.extranonce = s.extranonce1 == nil
	}
	if k.Difficulty > 0 {
		s.difficulty, s.difficultyAt = k.Difficulty, s.info.At
		s.blind.difficulty = false
	}
	s.mask, s.maskKnown = k.VersionMask, k.VersionMask != 0
	s.userAgent = s.info.UserAgent
	for _, name := range s.info.Workers {
		s.authorized(name, 0)
		s.admitted(name, true)
	}
}
