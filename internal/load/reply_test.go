package load

import (
	"encoding/json"
	"testing"

	"github.com/poolscope/poolscope/internal/miner"
)

// accepted are answers to accepted shares as pools write them.
var accepted = []string{
	`{"id":1005,"result":true,"error":null}`,
	`{"result": true, "error": null, "id": 1005}`,
	`{"error":null,"result":true,"id":1005}`,
	`{ "id" : 1005 , "result" : true , "error" : null }`,
	`{"id":1005,"jsonrpc":"2.0","result":true}`,
	"{\"id\":1005,\"result\":true,\"error\":null}\r",
}

func TestAcceptedReplyTakesTheShortCut(t *testing.T) {
	for _, line := range accepted {
		b := []byte(line)
		if id, ok := acceptedReply(b); !ok || id != 1005 {
			t.Errorf("%q = %d, %v", line, id, ok)
		}
		if n := testing.AllocsPerRun(100, func() { acceptedReply(b) }); n != 0 {
			t.Errorf("%q: %v allocations", line, n)
		}
	}
	for _, line := range []string{
		`{"id":1005,"result":false,"error":null}`,
		`{"id":1005,"result":true,"error":[20,"x",null]}`,
		`{"id":1005,"error":null}`,
		`{"result":true,"error":null}`,
		`{"id":1005,"result":true,"result":true}`,
		`{"id":1005,"result":true,"error":null}x`,
		`{"id":1005,"result":true`,
	} {
		if id, ok := acceptedReply([]byte(line)); ok {
			t.Errorf("%q = %d", line, id)
		}
	}
}

// The short cut for accepted shares agrees with encoding/json wherever it
// claims to have understood.
func FuzzAcceptedReply(f *testing.F) {
	for _, s := range accepted {
		f.Add(s)
	}
	for _, s := range []string{
		`{"id":007,"result":true,"error":null}`,
		`{"id":1005,"result":true,"error":[20,"x",null]}`,
		`{"id":,"result":true,"error":null}`,
		`{"id":99999999999,"result":true,"error":null}`,
		`{"error":null,"id":5,"result":true}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		id, ok := acceptedReply([]byte(line))
		if !ok {
			return
		}
		m, err := miner.ParseMessage([]byte(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if want, isNumber := m.RequestID(); !isNumber || want != id || !m.OK() {
			t.Fatalf("%q: id %d instead of %d", line, id, want)
		}
	})
}

// The previous block that is cut out of a job is the one that a parser finds.
func FuzzNotifiedTip(f *testing.F) {
	for _, s := range []string{
		`{"id":null,"method":"mining.notify","params":["j","0101010101010101010101010101010101010101010101010101010101010101","00","00",[],"20000000","1d00ffff","647025b5",true]}`,
		`{"params": [ "j" , "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB", "00", "00", [], "20000000", "1d00ffff", "647025b5", false], "id": null, "method": "mining.notify"}`,
		`{"id":1,"result":[[["mining.notify","s"]],"00000001",4],"error":null}`,
		`{"method":"mining.notify","params":[]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		tip, ok := notifiedTip([]byte(line))
		m, err := miner.ParseMessage([]byte(line))
		if err != nil || m.Method != "mining.notify" || len(m.Params) < 2 {
			return // nothing to compare with
		}
		var text string
		if json.Unmarshal(m.Params[1], &text) != nil {
			return
		}
		job, err := miner.ParseJob(m.Params)
		if err != nil || !ok {
			return // whatever is not cut out takes the way of all other lines
		}
		if hash, err := tipHash([]byte(line)); err != nil || hash != job.PrevHash {
			t.Fatalf("%q: %v, %v", line, hash, err)
		}
		if len(tip) != len(text) {
			t.Fatalf("%q: %s instead of %s", line, tip, text)
		}
	})
}

func TestNotifiedTip(t *testing.T) {
	const tip = "abababababababababababababababababababababababababababababababab"
	for _, line := range []string{
		`{"id":null,"method":"mining.notify","params":["j","` + tip + `","00"]}`,
		`{"params": [ "j" , "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB", "00"], "id": null, "method": "mining.notify"}`,
	} {
		if got, ok := notifiedTip([]byte(line)); !ok || string(got[:]) != tip {
			t.Errorf("%s: %s, %v", line, got, ok)
		}
	}
	for _, line := range []string{
		`{"id":1,"result":[[["mining.notify","s"]],"00000001",4],"error":null}`,
		`{"method":"mining.notify","params":["j","ab"]}`,
		`{"method":"mining.notify","params":[7,"` + tip + `"]}`,
		`{"method":"mining.set_difficulty","params":["j","` + tip + `"]}`,
	} {
		if got, ok := notifiedTip([]byte(line)); ok {
			t.Errorf("%s: %s", line, got)
		}
	}
}
