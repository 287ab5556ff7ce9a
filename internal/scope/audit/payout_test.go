package audit

import (
	"slices"
	"testing"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// A job without the payout does not make a pool's promise be forgotten: the
// next one is compared with what was paid before.
func TestPayoutComesBackSmaller(t *testing.T) {
	a, _ := play(t, Config{}, func(w *wire) {
		s := newStage(w)
		pays := func(outputs ...bitcoin.TxOut) func(*testJob) {
			return func(j *testJob) { j.parts = coinbase(t, outputs...) }
		}
		s.job(1, true)
		s.job(2, true, pays(bitcoin.TxOut{Value: 100, Script: script(t, bob)}))
		s.job(3, true, pays(bitcoin.TxOut{Value: 90, Script: script(t, alice)}, bitcoin.TxOut{Value: 10, Script: script(t, bob)}))
	})
	var raised []string
	for _, alarm := range a.Alarms(AlarmFilter{}).Alarms {
		raised = append(raised, alarm.Kind)
	}
	slices.Sort(raised)
	if want := []string{AlarmPayoutChanged, AlarmPayoutMissing}; !slices.Equal(raised, want) {
		t.Errorf("raised %v, want %v", raised, want)
	}
}
