package capture

import (
	"testing"
	"time"
)

// The beginning of a line that was cut elsewhere is a message of its true size,
// after what was said before it, and costs the lines after it nothing.
func TestBeginning(t *testing.T) {
	r, _ := capture(t, Config{MaxLine: 10}, func(r *Recorder) {
		tape := r.Open(Opening{ID: "s", At: time.Now()})
		tape.Line(MinerToPool, []byte("never"), time.Now())
		tape.Beginning(MinerToPool, []byte("0123456"), 300, time.Now())
		tape.Beginning(MinerToPool, []byte("0123456789ab"), 400, time.Now())
		say(tape, MinerToPool, "after\n")
	})
	for i, want := range []struct {
		raw  string
		size int
		cut  bool
	}{{"never", 5, false}, {"0123456", 300, true}, {"0123456789", 400, true}, {"after\n", 6, false}} {
		m := r.Store().Message("s", uint64(i+1))
		if m == nil || string(m.Raw) != want.raw || m.Size != want.size || m.Cut != want.cut || m.Gap != 0 {
			t.Errorf("message %d: %+v", i+1, m)
		}
	}
	if s, _ := r.Store().Session("s"); s.Messages != 4 || s.LostBytes != 0 {
		t.Errorf("session %+v", s)
	}
}
