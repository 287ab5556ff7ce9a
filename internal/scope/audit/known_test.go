package audit

import (
	"fmt"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// TestKnown judges shares of a connection of which the scope has seen no
// beginning, from the first job on that it sees.
func TestKnown(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			a, store := play(t, Config{}, func(w *wire) {
				var mask uint32
				_, err := fmt.Sscanf(v.Mask, "%x", &mask)
				if err != nil && v.Mask != "" {
					t.Fatal(err)
				}
				w.tape = w.recorder.Open(capture.Opening{ID: "late", Origin: capture.OriginTap, At: time.Now(), Known: &capture.Known{
					UserAgent: "tester/1.0", Workers: []string{v.Submit[0]}, Extranonce1: v.Extranonce1, Extranonce2Size: len(v.Submit[2]) / 2,
					Difficulty: v.Expected.Diff / 2, VersionMask: mask,
				}})
				w.ask("mining.submit", fmt.Sprintf(`[%q,"unseen","00","00000000","00000000"]`, v.Submit[0]), yes)
				w.pool(fmt.Sprintf(`{"id":null,"method":"mining.notify","params":%s}`, v.Notify))
				w.ask("mining.submit", v.params(t), yes)
			})
			if share := store.Message("late", 1).Share; share.Audit != capture.AuditUnknown || share.Conflict != "" {
				t.Errorf("the share of an unseen job: %+v", share)
			}
			share := store.Message("late", 4).Share
			want := capture.AuditValid
			if v.Block {
				want = capture.AuditBlock
			}
			if share.Audit != want || share.Conflict != "" || share.Hash != v.Expected.Hash {
				t.Errorf("share %+v, want %s, %s", share, want, v.Expected.Hash)
			}
			if found := a.Alarms(AlarmFilter{Session: "late", Kind: AlarmUnknownWorker}); len(found.Alarms) != 0 {
				t.Errorf("alarms %+v", found.Alarms)
			}
		})
	}
}
