package conformance

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// garbage is what is sent, and what may become of the connection.
type garbage struct {
	name  string
	bytes string
	ends  bool // the pool closes; otherwise the connection must work on
}

// A legitimate line never exceeds 2 KiB; 16 KiB is the end of patience (R-F10).
var garbages = []garbage{
	{"a line without end", strings.Repeat("a", 20<<10), true},
	{"a valid line that is too long", `{"id":1,"method":"mining.ping","params":["` + strings.Repeat("x", 17<<10) + `"]}` + "\n", true},
	{"three lines that are no JSON", "hello\nhello\nhello\n", true},
	{"binary", hexBytes("00ff00ff0aff00ff000aff00ff0a"), true},
	{"a TLS hello", hexBytes("16030100f4010000f00303"), true},
	{"HTTP", "GET / HTTP/1.1\r\nHost: pool\r\nUser-Agent: scanner\r\nAccept: */*\r\n\r\n", true},
	{"one line that is no JSON", "hello\n", false},
	{"empty lines", strings.Repeat("\r\n", 50), false},
	{"nested arrays", `{"id":1,"method":"mining.subscribe","params":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + "}\n", false},
	{"nested objects", strings.Repeat(`{"id":`, 2000) + "\n", false},
	{"a thousand parameters", `{"id":1,"method":"mining.submit","params":[` + strings.Repeat("1,", 1000) + "1]}\n", false},
	{"a long user name", `{"id":1,"method":"mining.authorize","params":["` + strings.Repeat("ü", 4000) + `","x"]}` + "\n", false},
	{"control characters in a name", `{"id":1,"method":"mining.subscribe","params":["\u001b[2J\u0000\r\nlevel=ERROR msg=owned"]}` + "\n", false},
	{"numbers beyond all", `{"id":1e999,"method":"mining.suggest_difficulty","params":[1e999]}` + "\n" +
		`{"id":2,"method":"mining.suggest_difficulty","params":[-1]}` + "\n" + `{"id":3,"method":"mining.suggest_difficulty","params":[1e-300]}` + "\n", false},
	{"parameters of the wrong kind", `{"id":1,"method":"mining.subscribe","params":{"a":1}}` + "\n" + `{"id":2,"method":"mining.configure","params":[1,2]}` + "\n" +
		`{"id":3,"method":"mining.submit","params":[1,2,3,4,5]}` + "\n" + `{"id":4,"method":"mining.authorize","params":[]}` + "\n", false},
	{"other coins", `{"id":1,"method":"eth_submitLogin","params":["0x0"],"worker":"x"}` + "\n" + `{"id":2,"jsonrpc":"2.0","method":"login","params":{"login":"x"}}` + "\n" +
		`{"id":3,"method":"getwork","params":[]}` + "\n", false},
}

func hexBytes(text string) string {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err) // a constant of this file
	}
	return string(b)
}

// case   C16 garbage, bombs and half lines, while an honest miner works on
// device port scanners, miners of other coins, attackers
// source dossier 6, R-X3, R-X4; CVE-2014-4501 and its kind
// proves R-F6 R-F10 R-X3 R-X4 R-C2
func TestC16Garbage(t *testing.T) {
	t.Parallel()
	p := onDevnet(t, nil)
	p.awaitWork(t)
	honest := p.connect(t)
	user := p.addressOf("honest") + ".miner"
	honest.start("cgminer/4.11.1", user, "f=0.00001") // the difficulty control would follow the many shares

	// Half lines hold their connections, and nobody else's.
	for range 100 {
		half := p.connect(t)
		half.lenient = true
		half.sendRaw([]byte(`{"id":1,"method":"mining.subsc`))
	}
	for i, g := range garbages {
		t.Run(g.name, func(t *testing.T) {
			d := p.connect(t)
			d.lenient = true
			d.sendRaw([]byte(g.bytes))
			if g.ends {
				d.wantEnd(patience)
			} else {
				d.sendRaw([]byte(`{"id":"after","method":"mining.ping","params":[]}` + "\n"))
				d.await("an answer after the garbage", func(m message) bool { return string(m.ID) == `"after"` })
			}
			begin := time.Now()
			if m := honest.submit(1000+i, user, honest.mine(wish{})); string(m.Result) != "true" {
				honest.fatalf("the honest miner's share: %s", m.Error)
			}
			if took := time.Since(begin); took > patience/4 {
				t.Errorf("the honest miner waited %v", took)
			}
		})
	}
	if said := p.pool.Output(); strings.Contains(said, "\x1b") || strings.Contains(said, "\nlevel=ERROR msg=owned") {
		t.Errorf("R-X4: what a miner calls itself reached the log as it was:\n%q", said)
	}

	// Plain text on the port for TLS is answered with the end.
	plain, err := net.DialTimeout("tcp", p.pool.StratumTLS, patience)
	if err != nil {
		t.Fatal(err)
	}
	lost := p.speakOver(t, plain)
	lost.lenient = true
	lost.sendRaw([]byte(`{"id":1,"method":"mining.subscribe","params":[]}` + "\n"))
	if err := plain.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(plain); err != nil && !isReset(err) {
		t.Errorf("plain text on the port for TLS: %q, %v", answer, err)
	}

	// A client that sends and never reads is its own problem, too.
	conn, err := net.DialTimeout("tcp", p.pool.Stratum, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	line := []byte(fmt.Sprintf(`{"id":%q,"method":"mining.ping","params":[]}`+"\n", strings.Repeat("deaf", 100)))
	for end := time.Now().Add(patience); ; {
		if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(line); err != nil {
			break // cut off, or not read any more: both spare the pool
		}
		if time.Now().After(end) {
			t.Fatal("R-C2: the pool queued answers without end for a client that does not read")
		}
	}
	if m := honest.submit(2000, user, honest.mine(wish{})); string(m.Result) != "true" {
		honest.fatalf("the honest miner's share after all of that: %s", m.Error)
	}
}
