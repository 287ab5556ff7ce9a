package conformance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// recorder is a testing.TB that keeps the faults instead of failing.
type recorder struct {
	testing.TB
	faults []string
}

// Errorf keeps a fault.
func (r *recorder) Errorf(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// Helper does nothing: this is no real test.
func (*recorder) Helper() {}

// The strict reader is what most of the suite rests on: a pool that breaks a
// rule must be caught by it, and one that keeps them all must not.
func TestStrictReader(t *testing.T) {
	p := &place{params: &chaincfg.RegressionNetParams}
	const (
		subscribe  = `{"id":1,"method":"mining.subscribe","params":["x"]}`
		subscribed = `{"id":1,"result":[[["mining.set_difficulty","0a0b0c0d"],["mining.notify","0a0b0c0d"]],"0a0b0c0d",8],"error":null}`
		difficulty = `{"id":null,"method":"mining.set_difficulty","params":[1]}`
		configure  = `{"id":3,"method":"mining.configure","params":[["version-rolling"],{}]}`
	)
	authorize := fmt.Sprintf(`{"id":2,"method":"mining.authorize","params":["%s.x","x"]}`, p.addressOf("miner"))
	const authorized = `{"id":2,"result":true,"error":null}`
	normal := sampleNotify(t, p, nil)

	for name, c := range map[string]struct {
		rule  string   // empty: nothing is wrong
		lines []string // "> " is sent by the device, the rest by the pool
	}{
		"all is well": {"", []string{"> " + subscribe, "> " + authorize, subscribed, authorized, difficulty, normal}},
		"no error key": {"R-F4", []string{"> " + subscribe, "> " + authorize, subscribed,
			`{"id":2,"result":true}`}},
		"error as an object":          {"R-F4", []string{"> " + subscribe, `{"id":1,"result":null,"error":{"code":20,"message":"no"}}`}},
		"error with a result":         {"R-F4", []string{"> " + subscribe, `{"id":1,"result":true,"error":[20,"no",null]}`}},
		"no JSON":                     {"R-F4", []string{"hello"}},
		"an answer to a notification": {"R-F3", []string{`> {"id":null,"method":"mining.suggest_target","params":["00"]}`, `{"id":null,"result":true,"error":null}`}},
		"answers out of order":        {"R-U7", []string{"> " + subscribe, "> " + authorize, authorized}},
		"an id of another type":       {"R-U7", []string{"> " + authorize, `{"id":"2","result":true,"error":null}`}},
		"a notification with an id":   {"R-F5", []string{"> " + subscribe, subscribed, strings.Replace(difficulty, "null", "7", 1)}},
		"work before subscribe":       {"R-F7", []string{difficulty}},
		"between configure and reply": {"R-F7", []string{"> " + subscribe, subscribed, "> " + configure, difficulty}},
		"a method not opted into":     {"R-F8", []string{"> " + subscribe, subscribed, `{"id":null,"method":"mining.set_version_mask","params":["1fffe000"]}`}},
		"no mining.notify in the list": {"R-S1", []string{"> " + subscribe,
			strings.Replace(subscribed, `["mining.notify","0a0b0c0d"]`, `["mining.other","0a0b0c0d"]`, 1)}},
		"extranonce2 of two bytes":  {"R-S2", []string{"> " + subscribe, strings.Replace(subscribed, ",8]", ",2]", 1)}},
		"another extranonce1":       {"R-S5", []string{"> " + subscribe, subscribed, "> " + subscribe, strings.Replace(subscribed, `"0a0b0c0d",8`, `"0a0b0c0e",8`, 1)}},
		"a mask of bits not rolled": {"R-V1", []string{"> " + configure, `{"id":3,"result":{"version-rolling":true,"version-rolling.mask":"ffffffff"},"error":null}`}},
		"two difficulties":          {"R-J4", []string{"> " + subscribe, subscribed, difficulty, difficulty}},
		"no difficulty":             {"R-J4", []string{"> " + subscribe, "> " + authorize, subscribed, authorized, normal}},
		"an exponent":               {"R-J6", []string{"> " + subscribe, subscribed, strings.Replace(difficulty, "[1]", "[1.5e-04]", 1)}},
		"difficulty zero":           {"R-J6", []string{"> " + subscribe, subscribed, strings.Replace(difficulty, "[1]", "[0]", 1)}},
		"the same job id":           {"R-J1", []string{"> " + subscribe, "> " + authorize, subscribed, authorized, difficulty, normal, normal}},
		"eight parameters": {"R-J2", []string{"> " + subscribe, "> " + authorize, subscribed, authorized, difficulty,
			strings.Replace(normal, `"params":["1",`, `"params":[`, 1)}},
		"a job id that is a number": broken(t, p, "R-J2", func(f []any) { f[0] = 17 }),
		"version bits in the mask":  broken(t, p, "R-V3", func(f []any) { f[5] = "20002000" }),
		"a short prevhash":          broken(t, p, "R-J2", func(f []any) { f[1] = "00" }),
		"capitals in hex":           broken(t, p, "R-J2", func(f []any) { f[6] = "207FFFFF" }),
		"clean_jobs as a number":    broken(t, p, "R-J2", func(f []any) { f[8] = 1 }),
		"a coinbase that is none":   broken(t, p, "R-J2", func(f []any) { f[3] = "00" }),
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			r := &recorder{TB: t}
			d := p.speakOver(r, ours)
			go func() {
				for _, line := range c.lines {
					if !strings.HasPrefix(line, "> ") {
						if _, err := theirs.Write([]byte(line + "\n")); err != nil {
							return // the reader has seen enough
						}
					}
				}
				theirs.Close()
			}()
			for _, line := range c.lines {
				if sent, ok := strings.CutPrefix(line, "> "); ok {
					d.note(sent)
				} else if _, err := d.line(patience); err != nil {
					t.Fatal(err)
				}
			}
			ours.Close()
			switch {
			case c.rule == "" && len(r.faults) > 0:
				t.Errorf("a fault where there is none: %s", r.faults)
			case c.rule != "" && !slices.ContainsFunc(r.faults, func(f string) bool { return strings.HasPrefix(f, c.rule+":") }):
				t.Errorf("no fault of %s: %s", c.rule, r.faults)
			}
		})
	}
}

// The coinbase is read by btcd's code; what is wrong in it must be seen, too.
func TestStrictReaderOfCoinbases(t *testing.T) {
	p := &place{params: &chaincfg.RegressionNetParams}
	for name, c := range map[string]struct {
		rule   string
		change func(*wire.MsgTx)
	}{
		"all is well":       {"", func(*wire.MsgTx) {}},
		"another payee":     {"R-X5", func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = p.script(t, p.addressOf("thief")) }},
		"a second payee":    {"R-X5", func(tx *wire.MsgTx) { tx.AddTxOut(wire.NewTxOut(1, p.script(t, p.addressOf("thief")))) }},
		"another height":    {"R-K1", func(tx *wire.MsgTx) { tx.LockTime = 99 }},
		"a final coinbase":  {"R-K1", func(tx *wire.MsgTx) { tx.TxIn[0].Sequence = wire.MaxTxInSequenceNum }},
		"a coinbase of 256": {"R-C4", func(tx *wire.MsgTx) { tx.AddTxOut(wire.NewTxOut(0, bytes.Repeat([]byte{0x6a}, 110))) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			d := &device{t: r, p: p, address: p.addressOf("miner"), extranonce1: make([]byte, 4), extranonce2Size: 8, sawSub: true,
				mask: defaultMask, difficulty: "1", jobs: make(map[string]*job)}
			d.inspect(sampleNotifyOf(t, p, c.change, nil))
			if c.rule == "" && len(r.faults) > 0 || c.rule != "" && (len(r.faults) != 1 || !strings.HasPrefix(r.faults[0], c.rule+":")) {
				t.Errorf("want a fault of %q, got %s", c.rule, r.faults)
			}
		})
	}
}

// broken is a case of TestStrictReader whose job is wrong.
func broken(t *testing.T, p *place, rule string, change func([]any)) (c struct {
	rule  string
	lines []string
}) {
	c.rule = rule
	c.lines = []string{`> {"id":1,"method":"mining.subscribe","params":["x"]}`,
		`{"id":1,"result":[[["mining.set_difficulty","0a0b0c0d"],["mining.notify","0a0b0c0d"]],"0a0b0c0d",8],"error":null}`,
		`{"id":null,"method":"mining.set_difficulty","params":[1]}`, sampleNotify(t, p, change)}
	return c
}

func sampleNotify(t *testing.T, p *place, change func([]any)) string {
	return sampleNotifyOf(t, p, func(*wire.MsgTx) {}, change)
}

// sampleNotifyOf is a mining.notify whose coinbase pays the miner, but for the
// changes.
func sampleNotifyOf(t *testing.T, p *place, changeTx func(*wire.MsgTx), change func([]any)) string {
	t.Helper()
	const height = 300
	gap := bytes.Repeat([]byte{0xee}, 12) // for the extranonces
	script, err := txscript.NewScriptBuilder().AddInt64(height).AddData(gap).Script()
	if err != nil {
		t.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chaincfg.RegressionNetParams.GenesisBlock.Header.PrevBlock, wire.MaxPrevOutIndex), script, nil))
	tx.TxIn[0].Sequence = wire.MaxTxInSequenceNum - 1
	tx.LockTime = height - 1
	tx.AddTxOut(wire.NewTxOut(50e8, p.script(t, p.addressOf("miner"))))
	tx.AddTxOut(wire.NewTxOut(0, bytes.Repeat([]byte{0x6a}, 38)))
	changeTx(tx)
	var raw bytes.Buffer
	if err := tx.SerializeNoWitness(&raw); err != nil {
		t.Fatal(err)
	}
	before, after, _ := bytes.Cut(raw.Bytes(), gap)
	fields := []any{"1", strings.Repeat("ab", 32), hex.EncodeToString(before), hex.EncodeToString(after), []string{}, "20000000", "207fffff", "68000000", true}
	if change != nil {
		change(fields)
	}
	line, err := json.Marshal(map[string]any{"id": nil, "method": "mining.notify", "params": fields})
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}
