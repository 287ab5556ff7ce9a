package audit

import (
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// A line that is longer than any of Stratum's is not decoded: it must not hold
// up the capture. It is counted, and shorter ones after it are read.
func TestLongLinesAreNotDecoded(t *testing.T) {
	f := newFeeder(Config{})
	numbers := strings.Repeat(",1e999", maxDecoded/6)
	f.ask(`{"id":1,"method":"mining.configure","params":[["minimum-difficulty"],{}`+numbers+`]}`, `{"id":1,"result":true}`)
	f.say(capture.PoolToMiner, `{"id":null,"method":"mining.set_difficulty","params":[7`+numbers+`]}`)
	if facts, _ := f.a.Facts("s"); facts.Difficulty != 0 || f.a.Status().Skipped != 3 {
		t.Errorf("difficulty %v, %+v", facts.Difficulty, f.a.Status())
	}
	f.say(capture.PoolToMiner, `{"id":null,"method":"mining.set_difficulty","params":[9]}`)
	if facts, _ := f.a.Facts("s"); facts.Difficulty != 9 || f.a.Status().Skipped != 3 {
		t.Errorf("difficulty %v, %+v", facts.Difficulty, f.a.Status())
	}
}
