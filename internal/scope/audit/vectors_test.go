package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// vector is a share that another program found and judged.
type vector struct {
	Name        string
	Extranonce1 string `json:"enonce1"`
	Notify      json.RawMessage
	Submit      []string
	Mask        string
	Expected    struct {
		Hash string
		Diff float64
	}
	Block bool `json:"network_target_met"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("../decode/testdata/sv1_shares.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(v vector) bool { return v.Notify == nil })
	if len(all) < 5 {
		t.Fatalf("only %d vectors", len(all))
	}
	for i := range all {
		var line bytes.Buffer
		if err := json.Compact(&line, all[i].Notify); err != nil {
			t.Fatal(err)
		}
		all[i].Notify = line.Bytes()
	}
	return all
}

// begin plays what comes before a vector's share.
func (w *wire) begin(v *vector, difficulty float64) {
	w.ask("mining.configure", `[["version-rolling"],{"version-rolling.mask":"ffffffff"}]`,
		fmt.Sprintf(`"result":{"version-rolling":true,"version-rolling.mask":%q},"error":null`, v.Mask))
	w.ask("mining.subscribe", `["tester/1.0"]`,
		fmt.Sprintf(`"result":[[["mining.notify","1"]],%q,%d],"error":null`, v.Extranonce1, len(v.Submit[2])/2))
	w.ask("mining.authorize", fmt.Sprintf(`[%q,"x"]`, v.Submit[0]), yes)
	w.pool(fmt.Sprintf(`{"id":null,"method":"mining.set_difficulty","params":[%v]}`, difficulty))
	w.pool(fmt.Sprintf(`{"id":null,"method":"mining.notify","params":%s}`, v.Notify))
	time.Sleep(time.Second)
}

func (v *vector) params(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(v.Submit)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Shares of seven other programs get the hashes and difficulties that those
// programs found.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			a, store := play(t, Config{}, func(w *wire) {
				w.begin(&v, v.Expected.Diff*0.9)
				w.ask("mining.submit", v.params(t), yes)
				w.ask("mining.submit", v.params(t), `"result":null,"error":[22,"Duplicate",null]`)
			})
			want := capture.AuditValid
			if v.Block {
				want = capture.AuditBlock
			}
			found := shares(t, a)
			if len(found) != 2 {
				t.Fatalf("%d shares", len(found))
			}
			s := found[0]
			if s.Audit != want || s.Hash != v.Expected.Hash || math.Abs(s.Difficulty/v.Expected.Diff-1) > 1e-9 || s.Pool != "accepted" || s.Conflict != "" {
				t.Errorf("share %+v, want %+v", s, v.Expected)
			}
			if found[1].Audit != capture.AuditDuplicate || found[1].Reason != "Duplicate" || found[1].Conflict != "" {
				t.Errorf("the same again: %+v", found[1])
			}
			if m := store.Message("s", s.N); m.Share == nil || m.Share.Audit != want || m.Share.Pool != capture.PoolAccepted {
				t.Errorf("message has %+v", m.Share)
			}
			if _, told := alarm(a, AlarmBlock); told != v.Block {
				t.Errorf("told of a block: %t", told)
			}
		})
		if strings.Contains(string(v.Notify), `"207fffff"`) {
			continue // every hash is a block
		}
		t.Run(v.Name+"/low", func(t *testing.T) {
			a, _ := play(t, Config{}, func(w *wire) {
				v.Submit[4] = "00000001"
				w.begin(&v, 1e6)
				w.ask("mining.submit", v.params(t), yes)
			})
			if s := shares(t, a)[0]; s.Audit != capture.AuditLow || s.Conflict != AlarmAcceptedLow || s.Target != 1e6 {
				t.Errorf("share %+v", s)
			}
		})
	}
}
