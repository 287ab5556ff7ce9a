package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC)

// sequence gives messages, then an error if there is one.
func sequence(messages []*capture.Message, err error) iter.Seq2[*capture.Message, error] {
	return func(yield func(*capture.Message, error) bool) {
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// record captures what say tells a tape, and returns the session and its
// messages as the store has them.
func record(t testing.TB, o capture.Opening, cfg capture.Config, say func(*capture.Tape)) (capture.Session, []*capture.Message) {
	t.Helper()
	cfg.QueueChunks = 1024
	r := capture.New(cfg, slog.New(slog.DiscardHandler))
	say(r.Open(o))
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Run(done); err != nil { // handles what is queued
		t.Fatal(err)
	}
	s, ok := r.Store().Session(o.ID)
	if !ok {
		t.Fatal("no session")
	}
	var all []*capture.Message
	for n := range s.Messages {
		all = append(all, r.Store().Message(o.ID, n+1))
	}
	return s, all
}

func opening() capture.Opening {
	return capture.Opening{ID: "s1", Origin: capture.OriginProxy, Miner: "10.0.0.5:50123", Pool: "pool.example:3333", At: start}
}

// after is a time of the session.
func after(ms int) time.Time {
	return start.Add(time.Duration(ms)*time.Millisecond + 17*time.Microsecond)
}

func chunk(tape *capture.Tape, d capture.Direction, text string, ms int) {
	tape.Chunk(d, []byte(text), after(ms)).Forwarded(after(ms))
}

// recorded are a session's messages of which some are gone.
func recorded(t testing.TB) (capture.Session, []*capture.Message) {
	s, all := record(t, opening(), capture.Config{}, func(tape *capture.Tape) {
		tape.PoolConnected("203.0.113.7:3333")
		chunk(tape, capture.MinerToPool, "gone\n", 1)
		chunk(tape, capture.MinerToPool, `{"id":1,"method":"mining.subscribe","params":["a"]}`+"\n", 2)
		chunk(tape, capture.PoolToMiner, "\xff\xfe no text\r\ngone\n", 3)
		chunk(tape, capture.PoolToMiner, `{"id":1,"result":"`+strings.Repeat("ü", 50)+`","prev":"x"}`+"\n", 5)
		chunk(tape, capture.MinerToPool, "\n", 6)
		tape.Close("miner_closed", after(60_000))
	})
	all = slices.Delete(slices.Delete(all, 3, 4), 0, 1)
	cut := *all[2]
	cut.Gap = 77
	all[2] = &cut
	return s, all
}

func written(t *testing.T) ([]byte, Summary) {
	t.Helper()
	session, messages := recorded(t)
	var b bytes.Buffer
	sum, err := JSONL(&b, About{Session: session, Tool: "poolscope test", Created: start}, sequence(messages, nil))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), sum
}

func TestJSONL(t *testing.T) {
	file, sum := written(t)
	report, err := Verify(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := Report{Session: "s1", Tool: "poolscope test", Created: "2026-01-02T03:04:05.678901Z", Messages: 4, Gaps: 77, Missing: 2, Head: sum.Head}
	if report != want || sum.Messages != 4 || len(sum.Head) != 64 {
		t.Errorf("report %+v, want %+v; summary %+v", report, want, sum)
	}
	// The messages are those of the API, with one member more.
	lines := bytes.Split(bytes.TrimSuffix(file, []byte("\n")), []byte("\n"))
	if len(lines) != 6 {
		t.Fatalf("%d lines", len(lines))
	}
	_, messages := recorded(t)
	for i, m := range messages {
		var got, api map[string]any
		if err := json.Unmarshal(lines[i+1], &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(m.AppendJSON(nil), &api); err != nil {
			t.Fatal(err)
		}
		api["prev"] = got["prev"]
		if fmt.Sprint(got) != fmt.Sprint(api) {
			t.Errorf("line %d: %v\nwant %v", i+2, got, api)
		}
	}
	var head struct{ Session Session }
	if err := json.Unmarshal(lines[0], &head); err != nil || head.Session.Miner != "10.0.0.5:50123" || *head.Session.EndedAt != "2026-01-02T03:05:05.678918Z" {
		t.Errorf("header %s", lines[0])
	}
}

// Whatever is done to any byte or line of the file, Verify says where.
// Messages of the session after the last one that is kept are missing, too.
func TestMissingEnd(t *testing.T) {
	session, messages := recorded(t)
	session.Messages = messages[len(messages)-1].N + 3
	before := session.Messages - uint64(len(messages)) - 3 // in between
	var out bytes.Buffer
	if _, err := JSONL(&out, About{Session: session}, sequence(messages, nil)); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(&out)
	if err != nil || report.Missing != before+3 {
		t.Errorf("missing %d, want %d; %v", report.Missing, before+3, err)
	}
}

func TestVerifyFindsEveryChange(t *testing.T) {
	file, sum := written(t)
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 1
		report, err := Verify(bytes.NewReader(changed))
		var broken *BrokenError
		if err == nil && report.Head == sum.Head || err != nil && !errors.As(err, &broken) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		line := bytes.Count(file[:i], []byte("\n")) + 1
		if err == nil && line != 6 {
			t.Fatalf("byte %d of line %d changed, nobody noticed", i, line)
		}
		// A changed line is found at its own or at the next one.
		if err != nil && broken.Line != line && broken.Line != line+1 {
			t.Fatalf("byte %d of line %d changed, found in line %d: %v", i, line, broken.Line, err)
		}
	}
	for i := range len(file) {
		if _, err := Verify(bytes.NewReader(file[:i])); err == nil {
			t.Fatalf("cut off after %d bytes, nobody noticed", i)
		}
	}
	lines := strings.SplitAfter(string(file), "\n")
	for i := range len(lines) - 1 {
		without := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		twice := strings.Join(append(append([]string{}, lines[:i+1]...), lines[i:]...), "")
		for _, changed := range []string{without, twice} {
			if _, err := Verify(strings.NewReader(changed)); err == nil {
				t.Errorf("line %d left out or doubled, nobody noticed", i+1)
			}
		}
	}
}

func TestErrorsEndAnExport(t *testing.T) {
	wrong := errors.New("disk gone")
	session, messages := recorded(t)
	about := About{Session: session}
	for name, write := range map[string]func(w *failing, messages iter.Seq2[*capture.Message, error]) error{
		"jsonl": func(w *failing, s iter.Seq2[*capture.Message, error]) error { _, err := JSONL(w, about, s); return err },
		"pcapng": func(w *failing, s iter.Seq2[*capture.Message, error]) error {
			_, err := PCAPNG(w, about, s)
			return err
		},
		"csv": func(w *failing, s iter.Seq2[*capture.Message, error]) error { _, err := CSV(w, s); return err },
	} {
		if err := write(&failing{}, sequence(messages, wrong)); !errors.Is(err, wrong) {
			t.Errorf("%s: %v", name, err)
		}
		if err := write(&failing{wrong}, sequence(messages, nil)); !errors.Is(err, wrong) {
			t.Errorf("%s, nowhere to write: %v", name, err)
		}
	}
}

// failing fails with err.
type failing struct{ err error }

func (f *failing) Write(b []byte) (int, error) { return len(b), f.err }

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"type":"header","format":"poolscope-capture","version":1,"prev":null}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := Verify(bytes.NewReader(file)); err == nil && !bytes.HasSuffix(file, []byte("\n")) {
			t.Error("verified without an end")
		}
	})
}
