package playback

import (
	"bytes"
	"iter"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/export"
)

// What the export writes can be played: header, footer and chain are left out.
func TestReadOfAnExport(t *testing.T) {
	recorded := record(t, transcript)
	var messages iter.Seq2[*capture.Message, error] = func(yield func(*capture.Message, error) bool) {
		for i, line := range recorded.Lines {
			m := capture.ParseLine(line.Raw)
			m.Session, m.Direction, m.Received = "s", line.Direction, line.At
			m.N, m.Seq = uint64(i+1), uint64(i+100)
			if !yield(m, nil) {
				return
			}
		}
	}
	var file bytes.Buffer
	about := export.About{Session: capture.Session{Opening: capture.Opening{ID: "s", At: time.Unix(999, 0)}}}
	if _, err := export.JSONL(&file, about, messages); err != nil {
		t.Fatal(err)
	}
	read, err := Read(&file)
	if err != nil || len(read) != 1 || len(read[0].Lines) != len(recorded.Lines) {
		t.Fatalf("%v %+v", err, read)
	}
	for i, line := range read[0].Lines {
		want := recorded.Lines[i]
		if line.Direction != want.Direction || !line.At.Equal(want.At) || !bytes.Equal(line.Raw, want.Raw) || read[0].partner[i] != recorded.partner[i] {
			t.Errorf("line %d is %+v, not %+v", i, line, want)
		}
	}
}
