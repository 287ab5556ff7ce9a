package playback

import (
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Line is one recorded line.
type Line struct {
	Direction capture.Direction
	At        time.Time
	Raw       []byte // with its ending; a line feed is added where one is missing
	Cut       bool   // Raw is only the beginning: it cannot be played
	Masked    bool   // a password in Raw was replaced
}

// Recording is one side of a recorded session and the other, in their order.
type Recording struct {
	Session string
	Lines   []Line

	messages []*capture.Message // of the lines
	partner  []int              // of each request its answer, of each answer its request; -1 without
}

// New makes a recording of a session's lines, which it keeps. Lines that the
// scope sent itself are left out.
func New(session string, lines []Line) *Recording {
	r := &Recording{Session: session}
	for _, line := range lines {
		if line.Direction == capture.ScopeToPool || len(line.Raw) == 0 {
			continue
		}
		if line.Raw[len(line.Raw)-1] != '\n' && !line.Cut {
			line.Raw = append(slices.Clip(line.Raw), '\n')
		}
		r.Lines = append(r.Lines, line)
	}
	r.pair()
	return r
}

// pair finds the answers to requests: the first with the same id, in the other
// direction. Ids that are used again are answered in their order.
func (r *Recording) pair() {
	type key struct {
		direction capture.Direction
		id        string
	}
	asked := make(map[key][]int)
	r.partner = make([]int, len(r.Lines))
	for i, line := range r.Lines {
		m := capture.ParseLine(line.Raw)
		r.messages = append(r.messages, m)
		r.partner[i] = -1
		switch {
		case m.ID == "" || line.Cut:
		case m.IsRequest:
			k := key{line.Direction, m.ID}
			asked[k] = append(asked[k], i)
		default:
			k := key{opposite(line.Direction), m.ID}
			if queue := asked[k]; len(queue) > 0 {
				r.partner[i], r.partner[queue[0]] = queue[0], i
				asked[k] = queue[1:]
			}
		}
	}
}

func opposite(d capture.Direction) capture.Direction {
	if d == capture.PoolToMiner {
		return capture.MinerToPool
	}
	return capture.PoolToMiner
}

// Count is how many lines went in a direction.
func (r *Recording) Count(d capture.Direction) (n int) {
	for _, line := range r.Lines {
		if line.Direction == d {
			n++
		}
	}
	return n
}

// request says whether a line is a request that wants an answer.
func (r *Recording) request(i int) bool {
	m := r.messages[i]
	return m.IsRequest && m.ID != "" && !r.Lines[i].Cut
}
