package audit

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Addresses of regtest: a miner, and somebody else.
const (
	alice = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	bob   = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
)

const (
	easy     = 1e-6       // a share takes some four thousand hashes
	hardBits = 0x1d00ffff // no share of the tests is a block
	easyBits = 0x1f00ffff // one of 65,536 hashes is
)

// work is a job of the tests, which they can mine.
type testJob struct {
	id          string
	n           uint64 // its message
	prev        bitcoin.Hash
	parts       bitcoin.CoinbaseParts
	branches    []bitcoin.Hash
	version     uint32
	bits, time  uint32
	extranonce1 []byte
	clean       bool
}

// stage is a session with a well-behaved beginning.
type stage struct {
	*wire
	extranonce1 []byte
	jobs        int
	nonce       uint32
}

// newStage subscribes, authorizes alice.rig and sets the difficulty.
func newStage(w *wire) *stage {
	s := &stage{wire: w, extranonce1: []byte{1, 2, 3, 4}}
	w.ask("mining.subscribe", `["tester/1.0"]`, `"result":[[["mining.notify","1"]],"01020304",8],"error":null`)
	w.ask("mining.authorize", `["`+alice+`.rig","x"]`, yes)
	s.setDifficulty(easy)
	return s
}

func (s *stage) setDifficulty(d float64) uint64 {
	return s.pool(string(stratum.AppendSetDifficulty(nil, d)))
}

// tipOf makes up a block.
func tipOf(n byte) bitcoin.Hash { return bitcoin.DoubleSHA256([]byte{n}) }

// job sends a job on a tip that pays alice, changed as asked.
func (s *stage) job(tip byte, clean bool, change ...func(*testJob)) *testJob {
	s.t.Helper()
	s.jobs++
	j := &testJob{
		id: fmt.Sprintf("%x", s.jobs), prev: tipOf(tip), branches: []bitcoin.Hash{tipOf(200), tipOf(201)},
		version: 0x20000000, bits: hardBits, time: uint32(time.Now().Unix()), extranonce1: s.extranonce1, clean: clean,
		parts: coinbase(s.t, bitcoin.TxOut{Value: 99_0000_0000, Script: script(s.t, alice)}, bitcoin.TxOut{Value: 1_0000_0000, Script: script(s.t, bob)}),
	}
	for _, c := range change {
		c(j)
	}
	line := stratum.AppendNotifyHead(nil, &stratum.Notify{
		JobID: j.id, PrevHash: j.prev, Coinbase: j.parts, Branches: j.branches, Version: j.version, Bits: j.bits, Time: j.time,
	})
	tail := stratum.DirtyTail
	if j.clean {
		tail = stratum.CleanTail
	}
	j.n = s.pool(string(line) + tail)
	return j
}

func script(t testing.TB, address string) []byte {
	t.Helper()
	b, err := bitcoin.PayoutScript(address, bitcoin.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// coinbase is one of block 200 with room for 12 bytes of extranonces.
func coinbase(t testing.TB, outputs ...bitcoin.TxOut) bitcoin.CoinbaseParts {
	t.Helper()
	parts, err := (&bitcoin.CoinbaseTemplate{
		Height: 200, Extranonce1Size: 4, Extranonce2Size: 8, Tag: "/test/", Outputs: outputs,
		WitnessCommitment: bitcoin.WitnessCommitment(nil),
	}).Build()
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// testShare is a share that was found.
type testShare struct {
	params     string
	hash       bitcoin.Hash
	difficulty float64
	header     bitcoin.Header
}

// find mines a share whose difficulty is at least from and below to.
func (s *stage) find(j *testJob, from, to float64) testShare {
	s.t.Helper()
	extranonce2 := []byte{0, 0, 0, 0, 0, 0, 0, 7}
	tx := append(append(append(append([]byte{}, j.parts.Prefix...), j.extranonce1...), extranonce2...), j.parts.Suffix...)
	h := bitcoin.Header{
		Version: j.version, PrevHash: j.prev, MerkleRoot: bitcoin.MerkleRoot(bitcoin.DoubleSHA256(tx), j.branches),
		Time: j.time, Bits: j.bits,
	}
	for {
		s.nonce++
		h.Nonce = s.nonce
		hash := h.Hash()
		if d := bitcoin.HashDifficulty(&hash); d >= from && d < to {
			params := fmt.Sprintf(`[%q,%q,%q,"%08x","%08x"]`, alice+".rig", j.id, hex.EncodeToString(extranonce2), h.Time, h.Nonce)
			return testShare{params, hash, d, h}
		}
	}
}

// good mines a valid share, bad one that is too low.
func (s *stage) good(j *testJob) testShare { s.t.Helper(); return s.find(j, easy, 1e9) }
func (s *stage) bad(j *testJob) testShare  { s.t.Helper(); return s.find(j, 0, easy*0.9) }

// submit sends a share and lets the pool answer; it returns both messages.
func (s *stage) submit(share testShare, answer string) (request, response uint64) {
	s.t.Helper()
	return s.ask("mining.submit", share.params, answer)
}

// rejection is a pool's answer.
func rejection(code int, text string) string {
	return fmt.Sprintf(`"result":null,"error":[%d,%q,null]`, code, text)
}

// ids are the ids of messages.
func ids(numbers ...uint64) []string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = capture.MessageID("s", n)
	}
	return out
}
