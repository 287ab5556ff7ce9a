package load

import (
	"bytes"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/miner"
)

// tipText is the previous block of a job as it stands in mining.notify: 64 hex
// digits, words swapped. It is compared and not read, for speed.
type tipText [64]byte

// notifiedTip recognises a mining.notify and returns the previous block of its
// job.
func notifiedTip(line []byte) (tip tipText, ok bool) {
	if !bytes.Contains(line, []byte(`"mining.notify"`)) {
		return tip, false
	}
	_, b, ok := bytes.Cut(line, []byte(`"params"`))
	if !ok {
		return tip, false
	}
	// A subscription names mining.notify too, but has no params.
	for _, mark := range []string{":", "["} {
		if b, ok = bytes.CutPrefix(skipSpace(b), []byte(mark)); !ok {
			return tip, false
		}
	}
	if _, b, ok = cutText(b); !ok {
		return tip, false
	}
	if b, ok = bytes.CutPrefix(skipSpace(b), []byte(",")); !ok {
		return tip, false
	}
	text, _, ok := cutText(b)
	if !ok || len(text) != len(tip) {
		return tip, false
	}
	copy(tip[:], bytes.ToLower(text))
	return tip, true
}

// cutText reads a string without escapes.
func cutText(b []byte) (text, rest []byte, ok bool) {
	if b, ok = bytes.CutPrefix(skipSpace(b), []byte(`"`)); !ok {
		return nil, nil, false
	}
	return bytes.Cut(b, []byte(`"`))
}

// tipHash reads the previous block of a job.
func tipHash(line []byte) (bitcoin.Hash, error) {
	m, err := miner.ParseMessage(line)
	if err != nil {
		return bitcoin.Hash{}, err
	}
	job, err := miner.ParseJob(m.Params)
	if err != nil {
		return bitcoin.Hash{}, err
	}
	return job.PrevHash, nil
}

// maxTips is how many tips are followed in one run.
const maxTips = 256

// tipLog notes when miners were given work on new tips.
type tipLog struct {
	seen []*newTip // in order
}

// newTip is one tip that came while miners were connected.
type newTip struct {
	text   tipText
	hash   bitcoin.Hash
	miners int             // connected when the first one heard of it
	at     []time.Duration // when each of them was told
	block  *submitted      // nil unless this program mined it
}

// arrived notes that one more miner works on a tip.
func (l *tipLog) arrived(line []byte, tip *tipText, at time.Duration, miners int) {
	for k := len(l.seen) - 1; k >= 0; k-- {
		if t := l.seen[k]; t.text == *tip {
			t.at = append(t.at, at)
			return
		}
	}
	if len(l.seen) >= maxTips {
		return
	}
	hash, err := tipHash(line)
	if err != nil {
		return // whoever needs the job says what is wrong with it
	}
	at1 := make([]time.Duration, 1, miners)
	at1[0] = at
	l.seen = append(l.seen, &newTip{text: *tip, hash: hash, miners: miners, at: at1})
}

// find returns the tip with a hash, nil if no miner was told of it.
func (l *tipLog) find(hash bitcoin.Hash) *newTip {
	for k := len(l.seen) - 1; k >= 0; k-- {
		if l.seen[k].hash == hash {
			return l.seen[k]
		}
	}
	return nil
}
