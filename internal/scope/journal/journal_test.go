package journal

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// testLog shows the journal's log when a test fails.
func testLog(tb testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(tb.Output(), nil)) }

// testLogger is for where no test is.
func testLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

// journal opens a journal, lets do use it while it runs, and ends it.
func journal(t *testing.T, cfg Config, do func(j *Journal)) {
	t.Helper()
	j, err := Open(cfg, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	do(j)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// settle waits until everything that was captured is on disk.
func settle(t *testing.T) {
	t.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
}

// maker makes messages with rising Seq of a few sessions.
type maker struct {
	random *rand.Rand
	seq    uint64
	n      map[string]uint64
	at     time.Time
}

func newMaker(seed uint64) *maker {
	return &maker{random: rand.New(rand.NewPCG(seed, 0)), n: make(map[string]uint64), at: time.Now()}
}

var oddTexts = []string{"", "a", "mining.submit", "bc1q.rig \u2028", "\x00nul", "it's \"quoted\"; --", strings.Repeat("long ", 60), "%_", "\ufffd", "日本語"}

func (g *maker) text() string { return oddTexts[g.random.IntN(len(oddTexts))] }
func (g *maker) id() string {
	return []string{"", "1", `"a"`, "12345678901234567890123", `"\ufffd"`}[g.random.IntN(5)]
}
func (g *maker) chance() bool { return g.random.IntN(3) == 0 }
func (g *maker) number() uint64 {
	return []uint64{0, 1, 7, 1 << 20, math.MaxInt64}[g.random.IntN(5)]
}

// odd makes a message in which everything that is possible may stand, and much
// that is not.
func (g *maker) odd(session string) *capture.Message {
	g.seq += 1 + uint64(g.random.IntN(3))*uint64(g.random.IntN(3)) // some were lost
	g.n[session]++
	g.at = g.at.Add(time.Duration(g.random.IntN(1e6)))
	m := g.line()
	m.Seq, m.Session, m.N, m.Received = g.seq, session, g.n[session], g.at
	return m
}

func (g *maker) line() *capture.Message {
	raw := make([]byte, g.random.IntN(300))
	for i := range raw {
		if raw[i] = byte(' ' + g.random.IntN(94)); g.random.IntN(100) == 0 {
			raw[i] = byte(g.random.IntN(256))
		}
	}
	fault := capture.FaultJSON
	if g.chance() {
		raw = fmt.Appendf(nil, `{"id":%d,"method":"mining.submit","params":["\ud83d",null,1e400]}`+"\n", g.random.IntN(9))
		fault = []string{"", capture.FaultID}[g.random.IntN(2)]
	}
	m := &capture.Message{
		Direction: capture.Direction(g.random.IntN(3)), Peer: g.text(), Received: g.at, Raw: raw, Size: len(raw) + g.random.IntN(2),
		Cut: g.chance(), Masked: g.chance(), Tail: g.chance(), Gap: g.number(), Fault: fault,
		ID: g.id(), Method: g.text(), IsRequest: g.chance(), IsResponse: g.chance(), OK: g.chance(), Pair: g.number(), Worker: g.text(),
	}
	if g.chance() {
		m.Method, m.IsRequest = "mining.submit", true
	}
	if g.chance() {
		m.Forwarded = g.at.Add(time.Duration(g.random.IntN(1e9)))
	}
	return m
}

// whole adds what only requests have.
func (g *maker) whole(m *capture.Message) *capture.Message {
	c := *m
	if g.chance() {
		c.WireID, c.ReplayOf, c.Failure = g.id(), g.number(), g.text()
	}
	if g.chance() {
		verdicts := capture.Verdicts()
		c.Share = &capture.Share{
			Job: g.text(), Audit: verdicts[g.random.IntN(len(verdicts))], Pool: g.text(), Reason: g.text(), Conflict: g.text(),
			Difficulty: g.random.Float64() * 1e15, Target: g.random.Float64(), Hash: g.text(), StaleBy: time.Duration(g.number()),
		}
	}
	if g.chance() {
		c.Response = g.line()
		c.Response.Session, c.Response.Seq, c.Response.N = c.Session, g.number(), g.number()
	}
	return &c
}

// same complains when a message is not what was journalled, in any field.
func same(t *testing.T, got, want *capture.Message) {
	t.Helper()
	if string(got.AppendJSON(nil)) != string(want.AppendJSON(nil)) {
		t.Fatalf("journalled\n%s\nfound\n%s", want.AppendJSON(nil), got.AppendJSON(nil))
	}
	if a, b := normal(got), normal(want); !reflect.DeepEqual(a, b) {
		t.Fatalf("journalled\n%#v\nfound\n%#v", b, a)
	}
}

// normal makes equal what means the same.
func normal(m *capture.Message) *capture.Message {
	c := *m
	c.Received = time.Unix(0, c.Received.UnixNano()).UTC()
	if !c.Forwarded.IsZero() {
		c.Forwarded = time.Unix(0, c.Forwarded.UnixNano()).UTC()
	}
	if len(c.Raw) == 0 {
		c.Raw = nil
	}
	if c.Response != nil {
		c.Response = normal(c.Response)
	}
	return &c
}

// What comes back is what went in, before it was written, after, and after a
// restart; also when it changed before or after it was written.
func TestRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Dir: t.TempDir()}
		g := newMaker(1)
		want := make(map[uint64]*capture.Message)
		check := func(j *Journal) {
			t.Helper()
			looked := 0
			for seq, m := range want {
				if looked++; looked > 100 {
					break
				}
				got, err := j.Message(t.Context(), m.Session, m.N)
				if err != nil {
					t.Fatalf("message %d: %v", seq, err)
				}
				same(t, got, m)
			}
			page, next, complete, err := j.Find(t.Context(), capture.Filter{Limit: 10_000})
			if err != nil || next != 0 || !complete || len(page) != len(want) {
				t.Fatalf("%d of %d messages, next %d, complete %t, %v", len(page), len(want), next, complete, err)
			}
			for i, m := range page {
				same(t, m, want[m.Seq])
				if i > 0 && m.Seq >= page[i-1].Seq {
					t.Fatalf("%d stands behind %d", m.Seq, page[i-1].Seq)
				}
			}
		}
		journal(t, cfg, func(j *Journal) {
			for i := range 3000 {
				m := g.whole(g.odd(fmt.Sprint("s-", i%7)))
				want[m.Seq] = m
				j.Captured(m)
				if g.chance() {
					// Some changes come before the message is written, some after.
					if g.random.IntN(5) == 0 {
						time.Sleep(200 * time.Millisecond)
					}
					update := g.whole(m)
					update.Forwarded, update.Pair = g.at, g.number()
					want[m.Seq] = update
					j.Updated(update)
				}
			}
			settle(t)
			check(j)
			if s := j.Stats(); s.State != StateOK || s.Written != uint64(len(want)) || s.Updated == 0 || s.Dropped > 0 || s.LastError != "" {
				t.Errorf("%+v", s)
			}
		})
		journal(t, cfg, func(j *Journal) {
			check(j)
			if last := j.LastSeq(); last != g.seq {
				t.Errorf("last seq is %d, want %d", last, g.seq)
			}
			m := g.odd("s-new")
			want[m.Seq] = m
			j.Captured(m)
			check(j)
			settle(t)
			check(j)
		})
	})
}

// Every field of a message that others can see survives: a new field must find
// its place here.
func TestNoFieldIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := &capture.Message{}
		fillIn(reflect.ValueOf(full).Elem())
		full.Seq, full.N, full.Direction = 1, 1, capture.ScopeToPool
		full.Response.Session, full.Response.Direction = full.Session, capture.PoolToMiner
		// What a response never has.
		full.Response.Share, full.Response.WireID, full.Response.ReplayOf, full.Response.Failure = nil, "", 0, ""
		journal(t, Config{Dir: t.TempDir()}, func(j *Journal) {
			j.Captured(full)
			settle(t)
			got, err := j.Message(t.Context(), full.Session, 1)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, full)
		})
	})
}

// fillIn gives every exported field a value, two levels deep.
func fillIn(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.CanSet() {
			continue
		}
		switch x := f.Addr().Interface().(type) {
		case *time.Time:
			*x = time.Unix(1700000000, 123456789).UTC()
			continue
		case *[]byte:
			*x = []byte(`{"id":1}`)
			continue
		case **capture.Message:
			if v.FieldByName("Session").String() == "inner" {
				continue
			}
			*x = &capture.Message{Session: "inner"}
			fillIn(reflect.ValueOf(*x).Elem())
			continue
		case **capture.Share:
			*x = &capture.Share{}
			fillIn(reflect.ValueOf(*x).Elem())
			continue
		}
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.String:
			if f.String() == "" {
				f.SetString(`"text of ` + v.Type().Field(i).Name + `"`)
			}
		case reflect.Float64:
			f.SetFloat(1.25)
		case reflect.Int, reflect.Int64:
			f.SetInt(77)
		case reflect.Uint8, reflect.Uint64:
			f.SetUint(1)
		default:
			panic("fill in " + v.Type().Field(i).Name)
		}
	}
}

// A search gives what a filter matches, page by page, whatever the filter.
func TestFindAgainstMatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newMaker(2)
		var all []*capture.Message // newest first, at last
		journal(t, Config{Dir: t.TempDir(), MaxSize: 8 << 20}, func(j *Journal) {
			for i := range 12_000 {
				m := g.odd(fmt.Sprint("s", i*i%13))
				if i%1000 < 500 { // some segments have few methods and workers
					m.Method, m.Worker = "m"+fmt.Sprint(i/1000), ""
				}
				all = append(all, m)
				j.Captured(m)
				if i%5 == 0 {
					late := all[max(0, len(all)-1-g.random.IntN(3000))]
					update := g.whole(late)
					at, _ := find(all, late.Seq)
					all[at] = update
					j.Updated(update)
				}
				if i%777 == 0 {
					time.Sleep(time.Second)
				}
			}
			settle(t)
			if s := j.Stats(); s.Files < 2 || s.PrunedFiles > 0 {
				t.Fatalf("the test is meant for several files: %+v", s)
			}
			slices.Reverse(all)
			for range 200 {
				compare(t, j, g.filter(all), all)
			}
		})
	})
}

// filter makes a filter that has something to do with the messages.
func (g *maker) filter(all []*capture.Message) (f capture.Filter) {
	m := all[g.random.IntN(len(all))]
	f.Limit = 1 + g.random.IntN(100)
	for range 1 + g.random.IntN(2) {
		switch g.random.IntN(11) {
		case 0:
			f.Session = m.Session
		case 1:
			f.Direction = &m.Direction
		case 2:
			f.Method = m.Method
		case 3:
			f.Worker = m.Worker
		case 4:
			f.After = m.Received
		case 5:
			f.Before = m.Received.Add(time.Duration(g.random.IntN(1000)))
		case 6:
			from := g.random.IntN(len(m.Raw) + 1)
			f.Text = strings.ToUpper(string(m.Raw[from:min(len(m.Raw), from+1+g.random.IntN(8))]))
		case 7:
			f.Verdict = capture.Verdicts()[g.random.IntN(len(capture.Verdicts()))]
		case 8:
			faulty := g.chance()
			f.Faulty = &faulty
		case 9:
			f.Cursor = m.Seq + uint64(g.random.IntN(2))
		case 10:
			f.Offset = g.random.IntN(300)
		}
	}
	if g.random.IntN(10) == 0 {
		f.Session, f.Worker = "nobody", ""
	}
	return f
}

// finder is what can search.
type finder interface {
	Find(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, complete bool, err error)
}

// compare pages through what is found and compares it with what matches.
func compare(t *testing.T, j finder, f capture.Filter, all []*capture.Message) {
	t.Helper()
	var want []*capture.Message
	for _, m := range all {
		if f.Matches(m) {
			want = append(want, m)
		}
	}
	want = want[min(f.Offset, len(want)):]
	what := fmt.Sprintf("%+v", f)
	for range 12 {
		page, next, complete, err := j.Find(t.Context(), f)
		if err != nil || !complete {
			t.Fatalf("%s: complete %t, %v", what, complete, err)
		}
		n := min(f.Limit, len(want))
		if len(page) != n {
			t.Fatalf("%s: %d messages on a page, want %d", what, len(page), n)
		}
		for i, m := range page {
			same(t, m, want[i])
		}
		want = want[n:]
		if more := len(want) > 0; more != (next != 0) {
			t.Fatalf("%s: next is %d, but %d are left", what, next, len(want))
		}
		if next == 0 {
			return
		}
		f.Cursor, f.Offset = next, 0
	}
}

// When the time of a search is over, it says so, and goes on where it stopped.
func TestBudget(t *testing.T) {
	dir := t.TempDir()
	g := newMaker(3)
	var all []*capture.Message
	synctest.Test(t, func(t *testing.T) {
		journal(t, Config{Dir: dir}, func(j *Journal) {
			for range 10_000 {
				m := g.odd("s")
				all = append(all, m)
				j.Captured(m)
			}
			all[5].Raw = []byte("find me")
			settle(t)
		})
	})
	j, err := Open(Config{Dir: dir, Budget: 1}, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	f := capture.Filter{Text: "FIND ME"}
	found, pages := 0, 0
	for complete := false; !complete; pages++ {
		var page []*capture.Message
		if page, f.Cursor, complete, err = j.Find(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		found += len(page)
	}
	if found != 1 || pages < 8 {
		t.Errorf("found %d in %d pages", found, pages)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// The order of verdicts is part of the files, and covers what filters know.
func TestMarkedVerdicts(t *testing.T) {
	marked, known := slices.Sorted(slices.Values(markedVerdicts)), slices.Sorted(slices.Values(capture.Verdicts()))
	if !slices.Equal(marked, known) {
		t.Errorf("marked %v, known %v", marked, known)
	}
}

func FuzzNeedle(f *testing.F) {
	f.Add([]byte("Find Me"), "d m")
	f.Add([]byte{0xff, 'a', 0, 'B'}, "A\x00b")
	f.Fuzz(func(t *testing.T, line []byte, text string) {
		if text == "" {
			return
		}
		n := newNeedle(text)
		filter := capture.Filter{Text: text}
		if got, want := n.in(line), filter.Matches(&capture.Message{Raw: line}); got != want {
			t.Errorf("%q in %q: %t, want %t", text, line, got, want)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(appendAnswer(nil, &capture.Message{Raw: []byte("{}\n"), Peer: "a", N: 1 << 40}))
	f.Add([]byte{answerVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseAnswer(b)
		if err != nil {
			return
		}
		again, err := parseAnswer(appendAnswer(nil, m))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Errorf("%+v, %+v, %v", m, again, err)
		}
	})
}
