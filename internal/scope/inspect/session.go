package inspect

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Bounds of what is kept of a connection until it is clear what it is.
const (
	maxUndecided    = 32 << 10 // bytes
	maxUndecidedAll = 64 << 20 // over all connections
	keptOverhead    = 64       // bytes that a piece costs besides its data
)

// Why connections are no sessions; they are counted by these names.
const (
	otherTLS     = "tls"     // encrypted
	otherUnknown = "other"   // something else than Stratum
	otherEmpty   = "no_data" // nobody said anything
	otherPort    = "port"    // not one of the ports that were asked for
)

// candidate is a connection of which it is not yet clear whether it is Stratum
// and which side is the miner. What was said until then is kept.
type candidate struct {
	f       *feed
	c       *connection
	kept    []said
	size    int
	verdict string // why it is no session
	miner   int    // side of the miner
	tape    *capture.Tape
}

// said is something that happened on a connection: data, or a hole.
type said struct {
	side int
	data []byte
	hole uint64
	at   time.Time
}

func (k *candidate) data(side int, b []byte, at time.Time) {
	switch {
	case k.tape != nil:
		k.f.chunk(k.tape, k.direction(side), b, at)
	case k.verdict == "":
		k.keep(said{side: side, data: bytes.Clone(b), at: at})
		k.decide()
	}
}

func (k *candidate) hole(side int, n uint64) {
	switch {
	case k.tape != nil:
		k.f.lost(k.tape, k.direction(side), n)
	case k.verdict == "":
		k.keep(said{side: side, hole: n})
	}
}

func (k *candidate) closed(reason string, at time.Time) {
	k.forget()
	switch {
	case k.tape != nil:
		k.tape.Close(k.reason(reason), at)
		k.f.settle()
	case k.verdict != "":
		k.f.others[k.verdict]++
	case k.size == 0:
		k.f.others[otherEmpty]++
	default:
		k.f.others[otherUnknown]++
	}
}

// reason names the end from the miner's and the pool's point of view.
func (k *candidate) reason(reason string) string {
	who := [2]string{"pool", "pool"}
	who[k.miner] = "miner"
	switch reason {
	case endOpener:
		return who[0] + "_closed"
	case endOther:
		return who[1] + "_closed"
	case endReset:
		return who[0] + "_reset"
	case endReset2:
		return who[1] + "_reset"
	}
	return reason
}

func (k *candidate) direction(side int) capture.Direction {
	if side == k.miner {
		return capture.MinerToPool
	}
	return capture.PoolToMiner
}

func (k *candidate) keep(s said) {
	k.kept = append(k.kept, s)
	k.size += len(s.data) + keptOverhead
	k.f.undecided += len(s.data) + keptOverhead
}

// forget lets go of what was kept.
func (k *candidate) forget() {
	for _, s := range k.kept {
		k.f.undecided -= len(s.data) + keptOverhead
	}
	k.kept = nil
}

// decide looks whether enough was said to know what the connection is.
func (k *candidate) decide() {
	if len(k.f.ports) > 0 {
		k.decideByPort()
		return
	}
	if len(k.kept) == 1 && isTLS(k.kept[0].data) {
		k.give(otherTLS)
		return
	}
	if side := k.kept[len(k.kept)-1].side; k.lineEnds() {
		if miner, ok := k.speaker(side); ok {
			k.miner = side
			if !miner {
				k.miner = 1 - side
			}
			k.begin()
			return
		}
	}
	if k.size > maxUndecided || k.f.undecided > maxUndecidedAll {
		k.give(otherUnknown)
	}
}

// lineEnds says whether a line was completed just now.
func (k *candidate) lineEnds() bool {
	return bytes.IndexByte(k.kept[len(k.kept)-1].data, '\n') >= 0
}

// decideByPort takes the side with one of the ports for the pool.
func (k *candidate) decideByPort() {
	for side := 1; side >= 0; side-- {
		if k.f.ports[k.c.sides[side].Port()] {
			k.miner = 1 - side
			k.begin()
			return
		}
	}
	k.give(otherPort)
}

func (k *candidate) give(verdict string) {
	k.verdict = verdict
	k.forget()
}

// begin makes a session of the connection.
func (k *candidate) begin() {
	at := k.c.last
	if len(k.kept) > 0 && !k.kept[0].at.IsZero() {
		at = k.kept[0].at
	}
	miner, pool := k.c.sides[k.miner].String(), k.c.sides[1-k.miner].String()
	k.tape = k.f.open(capture.Opening{ID: "stream-" + strconv.Itoa(k.c.index), Origin: capture.OriginFile, Miner: miner, Pool: pool, At: at})
	k.tape.PoolConnected(pool)
	kept := k.kept
	k.forget()
	for _, s := range kept {
		if s.hole > 0 {
			k.hole(s.side, s.hole)
		} else {
			k.data(s.side, s.data, s.at)
		}
	}
}

// isTLS says whether a connection begins with a TLS handshake.
func isTLS(b []byte) bool { return len(b) >= 3 && b[0] == 0x16 && b[1] == 3 && b[2] <= 4 }

// speaker looks for the first line of a side that only a miner or only a pool
// says.
func (k *candidate) speaker(side int) (miner, ok bool) {
	var text []byte
	for _, s := range k.kept {
		if s.side == side && s.hole == 0 {
			text = append(text, s.data...)
		}
	}
	for len(text) > 0 {
		line := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		if miner, ok := speakerOf(line); ok {
			return miner, true
		}
	}
	return false, false
}

// speakerOf tells from a line's method who says it.
func speakerOf(line []byte) (miner, ok bool) {
	line = bytes.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' || !bytes.Contains(line, []byte(`"method"`)) {
		return false, false
	}
	var m struct {
		Method string `json:"method"`
	}
	if json.Unmarshal(line, &m) != nil {
		return false, false
	}
	switch method := strings.ToLower(m.Method); method {
	case "mining.subscribe", "mining.submit", "mining.configure", "mining.suggest_difficulty", "mining.suggest_target",
		"mining.extranonce.subscribe", "mining.subscribe_extranonce", "mining.get_transactions", "mining.capabilities", "mining.multi_version":
		return true, true
	case "mining.notify", "mining.set_difficulty", "mining.set_target", "mining.set_extranonce", "mining.set_version_mask",
		"client.reconnect", "client.show_message", "client.get_version":
		return false, true
	default:
		return true, strings.HasPrefix(method, "mining.auth")
	}
}
