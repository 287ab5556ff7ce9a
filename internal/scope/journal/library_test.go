package journal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

func TestSplitMessageID(t *testing.T) {
	for id, want := range map[string]struct {
		session string
		n       uint64
	}{
		"s-1":                     {"s", 1},
		"8e8d-4c-12":              {"8e8d-4c", 12},
		"s-":                      {},
		"s-0":                     {},
		"s-01":                    {},
		"s-+1":                    {},
		"s":                       {},
		"":                        {},
		"s-9223372036854775808":   {},
		"s-99999999999999999999":  {},
		"-7":                      {"", 7},
		"a\x00b-9223372036854775": {"a\x00b", 9223372036854775},
	} {
		session, n, ok := splitMessageID(id)
		if ok != (want.n > 0) || session != want.session || n != want.n {
			t.Errorf("%q: %q %d %t", id, session, n, ok)
		}
	}
}

// memory is a sink that forgets nothing: what a library should say.
type memory struct {
	mu       sync.Mutex
	messages []*capture.Message // with rising Seq
	sessions map[string]capture.Session
}

func (s *memory) Captured(m *capture.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
}

func (s *memory) Updated(m *capture.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := find(s.messages, m.Seq); ok {
		s.messages[at] = m
	}
}

func (s *memory) SessionChanged(v capture.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[v.ID] = v
}

// newest lists what was captured, the newest first.
func (s *memory) newest() []*capture.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.messages)
	slices.Reverse(out)
	return out
}

// recorded captures what some miners and their pool say, with a ring that is
// much too small for it, and lets check look at it.
func recorded(t *testing.T, seed uint64, j *Journal, check func(l *Library, all *memory)) {
	t.Helper()
	all := &memory{sessions: make(map[string]capture.Session)}
	r := capture.New(capture.Config{Limits: capture.Limits{Messages: 300, PerSession: 90, Bytes: 1 << 20, Sessions: 3}, FirstSeq: j.LastSeq() + 1}, testLog(t), all, j)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	library := NewLibrary(r.Store(), j)
	random := rand.New(rand.NewPCG(seed, 1))
	var tapes []*capture.Tape
	for i := range 4000 {
		if len(tapes) < 5 {
			tapes = append(tapes, r.Open(capture.Opening{ID: fmt.Sprintf("%d-%d", seed, i), Miner: "192.0.2.1:1", At: time.Now()}))
		}
		at := random.IntN(len(tapes))
		id, line, d := random.IntN(9), "", capture.MinerToPool
		switch random.IntN(5) {
		case 0:
			line = fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["w%d","j"]}`, id, id%3)
		case 1:
			line, d = fmt.Sprintf(`{"id":%d,"result":%t,"error":null}`, id, id%2 == 0), capture.PoolToMiner
		case 2:
			line, d = `{"id":null,"method":"mining.notify","params":["j"]}`, capture.PoolToMiner
		case 3:
			line = fmt.Sprintf(`{"id":%d,"method":"mining.authorize","params":["w%d","secret"]}`, id, id%3)
		case 4:
			line = "no JSON"
		}
		mark := tapes[at].Chunk(d, []byte(line+"\n"), time.Now())
		if random.IntN(10) > 0 {
			mark.Forwarded(time.Now())
		}
		if random.IntN(200) == 0 {
			tapes[at].Close("miner_closed", time.Now())
			tapes = slices.Delete(tapes, at, at+1)
		}
		time.Sleep(time.Duration(random.IntN(2e6)))
		if i%1000 == 250 {
			check(library, all)
		}
	}
	time.Sleep(2 * time.Second)
	check(library, all)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Ring and journal together say exactly what was captured, at any moment.
func TestLibraryIsWhole(t *testing.T) {
	for i := range uint64(2) {
		seed := i
		if i == 0 {
			seed = uint64(time.Now().UnixNano())
		}
		synctest.Test(t, func(t *testing.T) {
			t.Logf("seed %d", seed)
			dir := t.TempDir()
			journal(t, Config{Dir: dir}, func(j *Journal) {
				recorded(t, seed, j, func(l *Library, all *memory) {
					synctest.Wait()
					checkLibrary(t, newMaker(seed), l, all)
				})
			})
			for _, name := range files(t, dir) {
				if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || bytes.Contains(data, []byte("secret")) || !bytes.Contains(data, []byte("********")) {
					t.Errorf("%s: passwords are not masked, or %v", name, err)
				}
			}
		})
	}
}

// checkLibrary compares a library with what was captured.
func checkLibrary(t *testing.T, g *maker, l *Library, all *memory) {
	t.Helper()
	messages := all.newest()
	for range 8 {
		compare(t, l, g.filter(messages), messages)
	}
	m := messages[g.random.IntN(len(messages))]
	got, err := l.Message(t.Context(), m.MessageID())
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, m)
	if _, err := l.Message(t.Context(), m.Session+"-999999"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}

	var inOrder []*capture.Message
	for _, one := range slices.Backward(messages) {
		if one.Session == m.Session && one.N >= m.N/2 {
			inOrder = append(inOrder, one)
		}
	}
	limit := 1 + g.random.IntN(len(inOrder)+5)
	list, err := l.SessionMessages(t.Context(), m.Session, m.N/2, limit)
	if err != nil || len(list) != min(limit, len(inOrder)) {
		t.Fatalf("%d messages, want %d: %v", len(list), min(limit, len(inOrder)), err)
	}
	for i, one := range list {
		same(t, one, inOrder[i])
	}

	var want []capture.Session
	for _, s := range all.sessions {
		want = append(want, s)
	}
	slices.SortFunc(want, func(a, b capture.Session) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	for next := ""; ; {
		page, after, err := l.Sessions(t.Context(), SessionFilter{Limit: 4, Before: next})
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range page {
			if s.ID != want[i].ID || s.Reason != want[i].Reason || !slices.Equal(s.Workers, want[i].Workers) || s.Messages < want[i].Messages {
				t.Fatalf("session %+v, want %+v", s, want[i])
			}
			one, err := l.Session(t.Context(), s.ID)
			if err != nil || one.Reason != s.Reason || one.Messages != s.Messages || one.ByDirection != s.ByDirection || one.Faults != s.Faults || !one.LastSeen.Equal(s.LastSeen) {
				t.Fatalf("session %+v in the list, %+v alone, %v", s, one, err)
			}
		}
		want = want[len(page):]
		if next = after; next == "" {
			break
		}
	}
	if len(want) > 0 {
		t.Fatalf("%d sessions are missing", len(want))
	}
}

// Without a journal the library is the ring.
func TestLibraryOfTheRing(t *testing.T) {
	ring := capture.NewStore(capture.DefaultLimits())
	l := NewLibrary(ring, nil)
	if page, next, complete, err := l.Find(t.Context(), capture.Filter{}); len(page) > 0 || next != 0 || !complete || err != nil {
		t.Error(page, next, complete, err)
	}
	if _, err := l.Message(t.Context(), "s-1"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := l.Session(t.Context(), "s"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if page, next, err := l.Sessions(t.Context(), SessionFilter{Limit: 10}); len(page) > 0 || next != "" || err != nil {
		t.Error(page, next, err)
	}
	if _, _, err := l.Sessions(t.Context(), SessionFilter{Limit: 10, Before: "x"}); !errors.Is(err, ErrCursor) {
		t.Error(err)
	}
	if list, err := l.SessionMessages(t.Context(), "s", 1, 10); len(list) > 0 || err != nil {
		t.Error(list, err)
	}
	if gaps, err := l.Gaps(t.Context(), "", 10); len(gaps) > 0 || err != nil || l.Journal() != nil {
		t.Error(gaps, err)
	}
}

// Searching and writing at the same time is safe, and a search sees everything
// that was captured before it began.
func TestSearchWhileWriting(t *testing.T) {
	j, err := Open(Config{Dir: t.TempDir(), MaxSize: 64 << 20, Budget: time.Minute}, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	g := newMaker(9)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for i := range 3 {
		filters := []capture.Filter{{Limit: 5}, {Session: "s1", Text: "x", Limit: 5}, {Worker: "nobody"}}
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				before := j.LastSeq()
				page, _, complete, err := j.Find(t.Context(), filters[i])
				if err != nil || !complete || i == 0 && before > 0 && (len(page) == 0 || page[0].Seq < before) {
					t.Errorf("before %d: %v, %t, %v", before, page, complete, err)
					return
				}
				if _, _, err := j.sessionsBelow(t.Context(), 10, sessionCursor{}, false); err != nil {
					t.Error(err)
					return
				}
				j.Stats()
			}
		})
	}
	for i := range 12_000 {
		m := g.say(j, fmt.Sprint("s", i%5), 50)
		if i%3 == 0 {
			update := *m
			update.Forwarded = m.Received
			j.Updated(&update)
		}
		if i%1000 == 0 {
			time.Sleep(5 * time.Millisecond) // so that there are several batches
		}
	}
	close(stop)
	readers.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := countAll(t, j); n != 12_000 {
		t.Errorf("%d messages", n)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// A page of the longest lines is cut short, and the next one goes on behind it.
func TestLongLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal(t, Config{Dir: t.TempDir(), QueueBytes: 256 << 20}, func(j *Journal) {
			g := newMaker(0)
			for range 200 {
				g.say(j, "s", 256<<10)
			}
			settle(t)
			l := NewLibrary(capture.NewStore(capture.DefaultLimits()), j)
			f := capture.Filter{Limit: 1000}
			found, pages := 0, 0
			for {
				page, next, complete, err := l.Find(t.Context(), f)
				if err != nil || !complete {
					t.Fatal(complete, err)
				}
				bytes := 0
				for _, m := range page {
					bytes += len(m.Raw)
				}
				if bytes > maxPageBytes+1<<20 {
					t.Errorf("a page has %d bytes", bytes)
				}
				found, pages = found+len(page), pages+1
				if f.Cursor = next; next == 0 {
					break
				}
			}
			if found != 200 || pages < 3 {
				t.Errorf("%d messages on %d pages", found, pages)
			}
		})
	})
}

// leaving is a ring that other sessions take room from while it is read: a
// message can be read once at most before it is gone.
type leaving struct {
	*capture.Store
	gone map[uint64]bool
}

func (r *leaving) Message(session string, n uint64) *capture.Message {
	if n%2 == 0 || r.gone[n] {
		return nil
	}
	r.gone[n] = true
	return r.Store.Message(session, n)
}

// What leaves the ring while a session is read is read from the journal.
func TestSessionLeavesTheRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal(t, Config{Dir: t.TempDir()}, func(j *Journal) {
			r := capture.New(capture.Config{Limits: capture.DefaultLimits(), FirstSeq: 1}, testLog(t), j)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			tape := r.Open(capture.Opening{ID: "s", At: time.Now()})
			for range 10 {
				tape.Line(capture.MinerToPool, []byte("{}\n"), time.Now())
			}
			settle(t)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			l := NewLibrary(r.Store(), j)
			l.ring = &leaving{Store: r.Store(), gone: make(map[uint64]bool)}
			list, err := l.SessionMessages(t.Context(), "s", 1, 9)
			if err != nil || len(list) != 9 {
				t.Fatalf("%d messages, %v", len(list), err)
			}
			for i, m := range list {
				if m.N != uint64(i+1) {
					t.Errorf("number %d in place %d", m.N, i+1)
				}
			}
		})
	})
}

// An offset that there is no time for is left out page by page: who follows
// cursor and offset gets what one search without a limit of time gives.
func TestOffsetInTime(t *testing.T) {
	dir := t.TempDir()
	g := newMaker(0)
	synctest.Test(t, func(t *testing.T) {
		journal(t, Config{Dir: dir}, func(j *Journal) {
			for range 10_000 {
				g.say(j, "s", 100)
			}
			settle(t)
		})
	})
	j, err := Open(Config{Dir: dir, Budget: 1}, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	l := NewLibrary(capture.NewStore(capture.DefaultLimits()), j)
	f := capture.Filter{Offset: 7000, Limit: 10}
	var got []*capture.Message
	searches := 0
	for {
		page, next, skip, complete, err := l.FindSkipping(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if !complete && (len(page) > 0) != (skip == 0) {
			t.Fatalf("%d messages, %d still to be left out", len(page), skip)
		}
		got = append(got, page...)
		if searches++; len(got) >= 10 || next == 0 {
			break
		}
		f.Cursor, f.Offset = next, skip
	}
	if len(got) < 10 || got[0].Seq != 3000 || got[9].Seq != 2991 || searches < 5 {
		t.Errorf("%d messages in %d searches", len(got), searches)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
