package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/poolscope/poolscope/test/nodes"
)

// worker is GET /api/workers/ID, as far as we compare it.
type worker struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Operator    bool   `json:"operator"`
	Owner       bool   `json:"owner"`
	Accepted    uint64 `json:"accepted"`
	Connections []struct {
		ID           string  `json:"id"`
		Remote       string  `json:"remote"`
		Difficulty   float64 `json:"difficulty"`
		ScopeSession string  `json:"scope_session"`
	} `json:"connections_list"`
	Difficulties []struct {
		Difficulty float64 `json:"difficulty"`
	} `json:"difficulties"`
	Shares []struct {
		At       time.Time `json:"at"`
		Accepted bool      `json:"accepted"`
	} `json:"shares"`
	Coinbase *struct {
		JobID           string   `json:"job_id"`
		Tx              string   `json:"tx"`
		Extranonce2Size int      `json:"extranonce2_size"`
		ScriptOffset    int      `json:"script_offset"`
		PayoutScript    string   `json:"payout_script"`
		PayoutSats      int64    `json:"payout_sats"`
		Branches        []string `json:"branches"`
	} `json:"coinbase"`
}

// wantWorkers checks the pages of the demo's workers against what the scope
// recorded on their wires.
func wantWorkers(t *testing.T, p *running) {
	t.Helper()
	list := get[struct {
		Operator bool     `json:"operator"`
		Online   int      `json:"online"`
		Workers  []worker `json:"workers"`
	}](t, p, "/api/workers")
	if !list.Operator || list.Online != 2 || len(list.Workers) < 2 {
		t.Fatalf("the list of workers is %+v", list)
	}
	for _, row := range list.Workers[:2] {
		key := sha256.Sum256([]byte(row.Name))
		w := get[worker](t, p, "/api/workers/"+hex.EncodeToString(key[:]))
		if w.ID != row.ID || !w.Operator || !w.Owner || len(w.Connections) != 1 || w.Connections[0].Remote == "" || len(w.Difficulties) == 0 || len(w.Shares) == 0 {
			t.Fatalf("worker %+v", w)
		}
		if got, want := w.Difficulties[len(w.Difficulties)-1].Difficulty, w.Connections[0].Difficulty; got != want {
			t.Errorf("the last difficulty is %v, and %v is assigned", got, want)
		}
		wantCoinbase(t, p, row.ID, w.Connections[0].ScopeSession)
	}
	status, body := fetch(t, p, "/api/workers/"+strings.Repeat("0", 16))
	if status != http.StatusNotFound {
		t.Errorf("a worker that never was: %d %s", status, body)
	}
}

// wantCoinbase compares a worker's coinbase with a notify that went to it, when
// both are of the same job: there may be a new one at any time.
func wantCoinbase(t *testing.T, p *running, id, session string) {
	t.Helper()
	nodes.WaitFor(t, 30*time.Second, "a worker's coinbase is the one of its last notify", func() bool {
		c := get[worker](t, p, "/api/workers/"+id).Coinbase
		sent := get[[]struct {
			Raw string `json:"raw"`
		}](t, p, "/api/messages?method=mining.notify&limit=1&session_id="+session)
		if c == nil || len(sent) == 0 {
			return false
		}
		var notify struct {
			Params []json.RawMessage `json:"params"`
		}
		var job, coinb1, coinb2 string
		var branches []string
		if err := json.Unmarshal([]byte(sent[0].Raw), &notify); err != nil || len(notify.Params) != 9 {
			t.Fatalf("notify %s: %v", sent[0].Raw, err)
		}
		for i, to := range []any{&job, nil, &coinb1, &coinb2, &branches} {
			if to == nil {
				continue
			}
			if err := json.Unmarshal(notify.Params[i], to); err != nil {
				t.Fatal(err)
			}
		}
		if job != c.JobID {
			return false
		}
		if !strings.HasPrefix(c.Tx, coinb1) || !strings.HasSuffix(c.Tx, coinb2) || len(coinb1) != 2*c.ScriptOffset || strings.Join(branches, " ") != strings.Join(c.Branches, " ") {
			t.Fatalf("coinbase %+v, notified %s", c, sent[0].Raw)
		}
		raw, err := hex.DecodeString(c.Tx)
		if err != nil {
			t.Fatal(err)
		}
		var tx wire.MsgTx
		if err := tx.DeserializeNoWitness(bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		if first := tx.TxOut[0]; hex.EncodeToString(first.PkScript) != c.PayoutScript || first.Value != c.PayoutSats {
			t.Fatalf("the first output pays %d to %x, want %d to %s", first.Value, first.PkScript, c.PayoutSats, c.PayoutScript)
		}
		return true
	})
}
