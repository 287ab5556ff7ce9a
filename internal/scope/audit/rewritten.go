package audit

import (
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// sightings are the latest valid shares of all sessions. Where a scope looks at
// the same wire in two places, such as before a proxy and at our own pool behind
// it, a share is seen twice, since nobody can change its header without losing
// its work. But its worker's name stands beside it.
type sightings struct{ young, old map[uint64]sighting }

type sighting struct {
	session string
	n       uint64 // message
	worker  string
	at      time.Time
}

const (
	maxSightings  = 4096 // in each half
	sightingCares = time.Minute
)

// meet enters a share. It returns where it was seen before.
func (v *sightings) meet(key uint64, s sighting) (before sighting, ok bool) {
	if before, ok = v.young[key]; !ok {
		before, ok = v.old[key]
	}
	if len(v.young) >= maxSightings {
		v.old, v.young = v.young, nil
	}
	if v.young == nil {
		v.young = make(map[uint64]sighting)
	}
	v.young[key] = s
	return before, ok
}

// checkRewritten looks for a share that was seen in another session, under
// another worker's name: somebody between the two takes the work for himself.
func (s *session) checkRewritten(m *capture.Message, r *shareRecord) {
	if r.replayed || s.info.Origin == capture.OriginFile {
		return
	}
	here := sighting{s.info.ID, m.N, m.Worker, m.Received}
	before, ok := s.a.recent.meet(r.key, here)
	if !ok || before.session == here.session || before.worker == here.worker || here.at.Sub(before.at).Abs() > sightingCares {
		return
	}
	s.raiseWith(AlarmWorkerRewritten, SeverityCritical, m.Received, fmt.Sprintf(
		"A share of %s in session %s came here for %s: somebody between the two changed the worker.", quote(before.worker), before.session, quote(here.worker)),
		[]string{capture.MessageID(before.session, before.n), s.id(m.N)})
}
