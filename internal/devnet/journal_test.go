package devnet

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// replayed lists a journal's records.
func replayed(t *testing.T, path string) []string {
	t.Helper()
	got := []string{}
	n, err := newJournal(path, time.Now).replay(func(op journalOp, body []byte) {
		got = append(got, string(rune(op))+string(body))
	})
	if err != nil || n != len(got) {
		t.Fatalf("replay: %d, %v", n, err)
	}
	return got
}

func TestJournalKeepsRecentRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	now := time.Unix(1_700_000_000, 0)
	j := newJournal(path, func() time.Time { return now })
	var all []string
	for i := range 40 {
		body := string(rune('a' + i%26))
		if err := j.append(opBlock, []byte(body)); err != nil {
			t.Fatal(err)
		}
		all = append(all, "B"+body)
		now = now.Add(30 * time.Second)

		got := replayed(t, path)
		// The last journalKeep are there, in order, and not much more.
		keep := min(len(all), int(journalKeep/(30*time.Second))+1)
		if len(got) < keep || len(got) > 2*keep+2 {
			t.Fatalf("after %d records: %d kept, want %d or a little more", len(all), len(got), keep)
		}
		if diff := cmp.Diff(all[len(all)-len(got):], got); diff != "" {
			t.Fatalf("after %d records (-want +got):\n%s", len(all), diff)
		}
	}
	if err := j.clear(); err != nil {
		t.Fatal(err)
	}
	if got := replayed(t, path); len(got) != 0 {
		t.Errorf("%d records after clear", len(got))
	}
}

func TestJournalSurvivesTornRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := newJournal(path, time.Now)
	for _, body := range []string{"one", "two", "three"} {
		if err := j.append(opBlock, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		want := []string{"Bone", "Btwo", "Bthree"}[:countWhole(cut)]
		got := []string{}
		readJournal(bytes.NewReader(whole[:cut]), func(op journalOp, body []byte) {
			got = append(got, string(rune(op))+string(body))
		})
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Fatalf("cut at %d (-want +got):\n%s", cut, diff)
		}
	}
}

// countWhole tells how many of the records "one", "two", "three" fit into n
// bytes.
func countWhole(n int) int {
	switch {
	case n >= 12+12+14:
		return 3
	case n >= 12+12:
		return 2
	case n >= 12:
		return 1
	}
	return 0
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{'B', 1, 0, 0, 0, 0, 0, 0, 0, 7})
	f.Add([]byte{'B', 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		size := 0
		n := readJournal(bytes.NewReader(data), func(_ journalOp, body []byte) { size += 9 + len(body) })
		if size > len(data) || n > len(data)/9 {
			t.Errorf("%d records of %d bytes read from %d", n, size, len(data))
		}
	})
}
