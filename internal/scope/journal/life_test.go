package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// files lists a folder.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// say captures a message of a size.
func (g *maker) say(j *Journal, session string, size int) *capture.Message {
	g.seq++
	g.n[session]++
	m := &capture.Message{Seq: g.seq, Session: session, N: g.n[session], Received: time.Now(), Raw: []byte(strings.Repeat("x", size)), Size: size, Fault: capture.FaultJSON}
	j.Captured(m)
	return m
}

// count pages through everything.
func countAll(t *testing.T, j finder) (n int) {
	t.Helper()
	f := capture.Filter{Limit: 1000}
	for {
		page, next, complete, err := j.Find(t.Context(), f)
		if err != nil || !complete {
			t.Fatal(complete, err)
		}
		if n += len(page); next == 0 {
			return n
		}
		f.Cursor = next
	}
}

// Each day has its file; a session that lives over midnight is one session, and
// a change after midnight reaches a message of before. Old days disappear.
func TestDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		journal(t, Config{Dir: dir, MaxAge: 48 * time.Hour}, func(j *Journal) {
			g := newMaker(0)
			time.Sleep(24*time.Hour - 30*time.Second) // from midnight
			session := capture.Session{Opening: capture.Opening{ID: "s", At: time.Now()}, UserAgent: "first"}
			j.SessionChanged(session)
			evening := g.say(j, "s", 10)
			settle(t)
			time.Sleep(time.Minute)
			g.say(j, "s", 10)
			update := *evening
			update.Forwarded = time.Now()
			j.Updated(&update)
			settle(t)
			want := []string{"journal-2000-01-01.db", "journal-2000-01-02.db"}
			if got := databases(files(t, dir)); !slices.Equal(got, want) {
				t.Fatalf("files %v", got)
			}
			if m, err := j.Message(t.Context(), "s", 1); err != nil || m.Forwarded.IsZero() {
				t.Errorf("message %+v, %v", m, err)
			}
			session.UserAgent, session.Messages, session.EndedAt, session.Reason = "second", 2, time.Now(), "miner_closed"
			j.SessionChanged(session)
			settle(t)
			if s, err := j.Session(t.Context(), "s"); err != nil || s.UserAgent != "second" || s.Reason != "miner_closed" {
				t.Errorf("session %+v, %v", s, err)
			}
			if page, more, err := j.sessionsBelow(t.Context(), 10, sessionCursor{}, false); err != nil || more || len(page) != 1 || page[0].UserAgent != "second" {
				t.Errorf("sessions %+v, %t, %v", page, more, err)
			}
			if list, err := j.SessionMessages(t.Context(), "s", 1, 10); err != nil || len(list) != 2 {
				t.Errorf("%d messages, %v", len(list), err)
			}

			time.Sleep(48 * time.Hour) // more than that from the evening, less from the night
			g.say(j, "t", 10)
			time.Sleep(2 * time.Minute)
			if n := countAll(t, j); n != 1 {
				t.Errorf("%d messages are left", n)
			}
			if got, want := databases(files(t, dir)), []string{"journal-2000-01-04.db"}; !slices.Equal(got, want) {
				t.Errorf("files %v", got)
			}
			if _, err := j.Message(t.Context(), "s", 1); !errors.Is(err, ErrNotFound) {
				t.Errorf("deleted message: %v", err)
			}
			if s := j.Stats(); s.PrunedFiles != 2 || s.PrunedBytes == 0 || s.Files != 1 {
				t.Errorf("%+v", s)
			}
		})
	})
}

// databases are the names without those of SQLite's logs.
func databases(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".db") })
}

// However much is captured in a day, the folder stays within its limit, and
// keeps the newest.
func TestMaxSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		const limit = 4 << 20
		journal(t, Config{Dir: dir, MaxSize: limit}, func(j *Journal) {
			g := newMaker(0)
			for i := range 300 {
				for range 50 {
					g.say(j, "s", 1000)
				}
				settle(t)
				if size := folderSize(t, dir); size > limit {
					t.Fatalf("after %d batches the folder has %d bytes", i, size)
				}
			}
			s := j.Stats()
			// SQLite's index of its log goes when the last reader's connection does.
			if s.PrunedFiles < 5 || s.Files < 3 || s.Dropped > 0 || max(s.Bytes-folderSize(t, dir), folderSize(t, dir)-s.Bytes) > 64<<10 {
				t.Errorf("%+v, folder %d", s, folderSize(t, dir))
			}
			n := countAll(t, j)
			if n < limit/2/1100 {
				t.Errorf("only %d messages are left", n)
			}
			if list, err := j.SessionMessages(t.Context(), "s", 1, 1); err != nil || list[0].N != g.n["s"]-uint64(n)+1 {
				t.Errorf("%+v, %v", list, err)
			}
			if names := databases(files(t, dir)); !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "journal-2000-01-01.1") }) {
				t.Errorf("files %v", names)
			}
		})
		journal(t, Config{Dir: dir, MaxSize: limit}, func(j *Journal) {
			if last := j.LastSeq(); last != 300*50 {
				t.Errorf("last seq %d", last)
			}
		})
	})
}

func folderSize(t *testing.T, dir string) (sum int64) {
	t.Helper()
	for _, name := range files(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}

// Messages that find no room are gaps that say who, how many and when; none of
// them is silent, and memory stays bounded.
func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal(t, Config{Dir: t.TempDir(), QueueMessages: 100}, func(j *Journal) {
			g := newMaker(0)
			begin := time.Now()
			for i := range 1500 {
				g.say(j, fmt.Sprint("s", i%3), 10)
				if messages := j.Stats().QueuedMessages; messages > 100 {
					t.Fatalf("%d messages are queued", messages)
				}
			}
			dropped := j.Stats().Dropped
			settle(t)
			s := j.Stats()
			if dropped == 0 || s.Written+s.Dropped != 1500 || s.State != StateOK {
				t.Fatalf("%+v", s)
			}
			settle(t)
			g.say(j, "s0", 10)
			settle(t)
			gaps, err := j.Gaps(t.Context(), "", 10_000)
			if err != nil {
				t.Fatal(err)
			}
			sum := uint64(0)
			for _, gap := range gaps {
				sum += gap.Messages
				if gap.Reason != reasonQueueFull || gap.Session == "" || gap.First == 0 || gap.Last < gap.First || gap.From.Before(begin) || gap.To.Before(gap.From) {
					t.Errorf("gap %+v", gap)
				}
			}
			if sum != s.Dropped {
				t.Errorf("gaps have %d messages, dropped were %d", sum, s.Dropped)
			}
			if recent := j.Stats().RecentGaps; len(recent) == 0 || len(recent) > maxRecentGaps {
				t.Errorf("recent gaps %+v", recent)
			}
			one, err := j.Gaps(t.Context(), "s1", 1000)
			if err != nil || len(one) == 0 || slices.ContainsFunc(one, func(gap Gap) bool { return gap.Session != "s1" }) {
				t.Errorf("gaps of one session %+v, %v", one, err)
			}
		})
	})
}

// Many sessions without room cost bounded memory, and every message is counted.
func TestManyGaps(t *testing.T) {
	q := newQueue(1, 1<<20)
	for i := range 5000 {
		q.add(&capture.Message{Seq: uint64(i + 1), Session: fmt.Sprint(i), N: 1})
	}
	if len(q.gaps) > maxGaps+1 || q.gaps[gapKey{"", reasonQueueFull}].Messages != 5000-1-maxGaps {
		t.Errorf("%d gaps", len(q.gaps))
	}
}

// Too little free space stops the writing before the disk is full, deletes old
// files first, and is over when there is room again.
func TestMinFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		g := newMaker(0)
		for range 3 { // three days
			journal(t, Config{Dir: dir}, func(j *Journal) {
				g.say(j, "s", 10)
				settle(t)
			})
			time.Sleep(24 * time.Hour)
		}
		journal(t, Config{Dir: dir, MinFree: 1000, QueueMessages: 50}, func(j *Journal) {
			var space atomic.Int64
			space.Store(999)
			j.free = func(string) (int64, error) { return space.Load(), nil }
			for range 80 {
				g.say(j, "s", 10)
			}
			time.Sleep(time.Minute)
			s := j.Stats()
			if s.State != StateLowSpace || s.LastError == "" || s.PrunedFiles != 2 || s.Files != 1 || s.Written > 0 || s.Dropped < 30 {
				t.Fatalf("%+v", s)
			}
			g.say(j, "s", 10)
			space.Store(2000)
			time.Sleep(time.Minute)
			if s := j.Stats(); s.State != StateOK || s.Written == 0 || s.Written+s.Dropped != 81 {
				t.Fatalf("%+v", s)
			}
			gaps, err := j.Gaps(t.Context(), "s", 100)
			if err != nil || !slices.ContainsFunc(gaps, func(gap Gap) bool { return gap.Reason == reasonLowSpace }) {
				t.Errorf("gaps %+v, %v", gaps, err)
			}
		})
	})
}

// checkSound has SQLite check every file.
func checkSound(t *testing.T, j *Journal) {
	t.Helper()
	for _, f := range j.files {
		var verdict string
		if err := f.view(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict)
		}); err != nil || verdict != "ok" {
			t.Fatalf("%s: %s, %v", f.path, verdict, err)
		}
	}
}

// Files that are damaged or not ours are set aside when the journal is opened,
// and everything else is found.
func TestDamagedAtOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		g := newMaker(0)
		journal(t, Config{Dir: dir}, func(j *Journal) {
			g.say(j, "s", 10)
			settle(t)
		})
		time.Sleep(24 * time.Hour)
		foreign, err := sql.Open(driver, filepath.Join(dir, "journal-1999-12-30.db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := foreign.ExecContext(t.Context(), `CREATE TABLE messages (a)`); err != nil {
			t.Fatal(err)
		}
		if err := foreign.Close(); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string]string{
			"journal-1999-12-31.db": "no database", "journal-2000-01-02.db": "",
			"journal-2000-01-02.2.db": "SQLite format 3\x00 and then nothing that makes sense", "journal-x.db": "another's",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		journal(t, Config{Dir: dir}, func(j *Journal) {
			if s := j.Stats(); s.SetAside != 3 {
				t.Errorf("%+v, files %v", s, files(t, dir))
			}
			g.say(j, "s", 10)
			settle(t)
			if n := countAll(t, j); n != 2 {
				t.Errorf("%d messages", n)
			}
			asides := slices.DeleteFunc(files(t, dir), func(name string) bool { return !strings.Contains(name, ".corrupt-") })
			if len(asides) != 3 {
				t.Errorf("set aside: %v", asides)
			}
		})
	})
}

// A file of a newer version is left as it is.
func TestNewerSchema(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		journal(t, Config{Dir: dir}, func(j *Journal) {
			newMaker(0).say(j, "s", 10)
			settle(t)
		})
		db, err := sql.Open(driver, filepath.Join(dir, "journal-2000-01-01.db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), `PRAGMA user_version = 99`); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{Dir: dir}, testLog(t)); !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), "journal-2000-01-01.db") {
			t.Errorf("%v", err)
		}
	})
}

// A file that is damaged while it is used, as by a failing disk, is set aside
// when that shows, and capture goes on in another.
func TestDamagedInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		g := newMaker(0)
		journal(t, Config{Dir: dir}, func(j *Journal) {
			for range 5000 {
				g.say(j, "s", 100)
			}
			settle(t)
		})
		spoil(t, filepath.Join(dir, "journal-2000-01-01.db"))
		journal(t, Config{Dir: dir}, func(j *Journal) {
			if _, _, _, err := j.Find(t.Context(), capture.Filter{Text: "xx"}); err != nil {
				t.Error(err)
			}
			last := g.say(j, "s", 100)
			time.Sleep(time.Minute)
			s := j.Stats()
			if s.SetAside != 1 || s.State != StateOK || s.Written != 1 || s.Dropped > 0 {
				t.Fatalf("%+v, files %v", s, files(t, dir))
			}
			page, _, _, err := j.Find(t.Context(), capture.Filter{})
			if err != nil || len(page) != 1 {
				t.Fatal(len(page), err)
			}
			same(t, page[0], last)
		})
	})
}

// spoil damages a file while nobody has it open.
func spoil(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 3 * pageSize; i < len(data); i++ {
		data[i] ^= 0x5a
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// An answer to a message of a damaged older file costs that file, and nothing
// of the one that is written to.
func TestDamagedOlderFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		g := newMaker(0)
		var first *capture.Message
		journal(t, Config{Dir: dir}, func(j *Journal) {
			first = g.say(j, "s", 100)
			for range 5000 {
				g.say(j, "s", 100)
			}
			settle(t)
			time.Sleep(24 * time.Hour)
			g.say(j, "s", 100)
			settle(t)
		})
		journal(t, Config{Dir: dir}, func(j *Journal) {
			g.say(j, "s", 100)
			settle(t)
			spoil(t, filepath.Join(dir, "journal-2000-01-01.db"))
			changed := *first
			changed.Forwarded = time.Now()
			j.Updated(&changed)
			time.Sleep(time.Minute)
			g.say(j, "s", 100)
			settle(t)
			s := j.Stats()
			if s.SetAside != 1 || s.State != StateOK || s.Errors > 0 || s.Written != 2 || s.Dropped > 0 || s.DroppedUpdates != 1 {
				t.Errorf("%+v, files %v", s, files(t, dir))
			}
			if n := countAll(t, j); n != 3 {
				t.Errorf("%d messages of the sound file", n)
			}
		})
		if names := databases(files(t, dir)); !slices.Equal(names, []string{"journal-2000-01-02.db"}) {
			t.Error(names)
		}
	})
}

// The file that is written to is damaged while a search reads it: another one
// is begun beside it, and what waited is in there.
func TestDamagedWhileRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		g := newMaker(0)
		journal(t, Config{Dir: dir}, func(j *Journal) {
			g.say(j, "s", 100)
			settle(t)
			read := j.acquire()
			j.suspect(read[0], errDamaged)
			last := g.say(j, "s", 100)
			settle(t)
			j.release(read)
			s := j.Stats()
			if s.SetAside != 1 || s.State != StateOK || s.Errors > 0 || s.Written != 2 {
				t.Errorf("%+v, files %v", s, files(t, dir))
			}
			page, _, _, err := j.Find(t.Context(), capture.Filter{})
			if err != nil || len(page) != 1 {
				t.Fatal(len(page), err)
			}
			same(t, page[0], last)
		})
		if names := databases(files(t, dir)); !slices.Equal(names, []string{"journal-2000-01-01.2.db"}) {
			t.Error(names)
		}
	})
}

// When each file that is begun turns out to be damaged, it gives up and says
// so, and tries again less and less often.
func TestDamagedDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		journal(t, Config{Dir: dir, MinFree: 1}, func(j *Journal) {
			g := newMaker(0)
			var faulty atomic.Bool
			faulty.Store(true)
			j.free = func(string) (int64, error) { // is asked before a file is begun
				if !faulty.Load() {
					return 1, nil
				}
				return 1, os.WriteFile(filepath.Join(dir, "journal-2000-01-01.db"), make([]byte, pageSize), 0o600)
			}
			for range 60 {
				g.say(j, "s", 100)
				time.Sleep(time.Second)
			}
			s := j.Stats()
			if s.State != StateFailing || s.Dropped == 0 || s.SetAside > 15 {
				t.Errorf("%+v, files %v", s, files(t, dir))
			}
			faulty.Store(false)
			time.Sleep(time.Minute)
			if s := j.Stats(); s.State != StateOK || s.Written == 0 || s.Written+s.Dropped != g.seq {
				t.Errorf("%+v", s)
			}
		})
	})
}

// A batch that cannot be written by a mistake of ours is given up, as a gap that
// is counted, and what comes behind it is written.
func TestOurFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal(t, Config{Dir: t.TempDir(), MinFree: 1}, func(j *Journal) {
			g := newMaker(0)
			var faulty atomic.Bool
			faulty.Store(true)
			j.free = func(string) (int64, error) {
				if faulty.Load() {
					panic("a mistake")
				}
				return 1, nil
			}
			g.say(j, "s", 10)
			time.Sleep(time.Minute)
			faulty.Store(false)
			if s := j.Stats(); s.State != StateFailing || s.Errors != maxFaults || !strings.Contains(s.LastError, "panic") {
				t.Fatalf("%+v", s)
			}
			g.say(j, "s", 10)
			settle(t)
			if s := j.Stats(); s.State != StateOK || s.Written != 1 {
				t.Fatalf("%+v", s)
			}
			j.Captured(&capture.Message{Seq: g.seq, Session: "s", N: 9})
			settle(t)
			gaps, err := j.Gaps(t.Context(), "s", 10)
			if err != nil || len(gaps) != 2 || gaps[0].Reason != reasonOutOfOrder || gaps[0].First != 9 || gaps[1].Reason != reasonWriteFailed || gaps[1].Messages != 1 {
				t.Errorf("gaps %+v, %v", gaps, err)
			}
			if s := j.Stats(); s.Written != 1 || s.Dropped != 2 {
				t.Errorf("%+v", s)
			}
		})
	})
}

// A line that is recorded after its session's end changes nothing but counts,
// also when the end was in the file of the day before.
func TestLineAfterEnd(t *testing.T) {
	for _, wait := range []time.Duration{0, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			journal(t, Config{Dir: t.TempDir()}, func(j *Journal) {
				g := newMaker(0)
				want := capture.Session{Opening: capture.Opening{ID: "s", Miner: "192.0.2.1:5", Pool: "pool.example:3333", At: time.Now().UTC()}, UserAgent: "cgminer"}
				j.SessionChanged(want)
				g.say(j, "s", 10)
				settle(t)
				want.EndedAt, want.Reason, want.Messages = time.Now().UTC(), "miner_closed", 1
				j.SessionChanged(want)
				settle(t)
				time.Sleep(wait)
				g.say(j, "s", 10)
				settle(t)
				got, err := j.Session(t.Context(), "s")
				if err != nil || got.Miner != want.Miner || got.Pool != want.Pool || got.UserAgent != want.UserAgent || got.Reason != want.Reason ||
					!got.At.Equal(want.At) || !got.EndedAt.Equal(want.EndedAt) || got.Messages != 2 {
					t.Errorf("%+v, want %+v; %v", got, want, err)
				}
			})
		})
	}
}

// What a failing disk makes of a line breaks no answer of the API.
func TestMend(t *testing.T) {
	for _, raw := range []string{`{"id":1`, `{"a":"` + "\xff" + `"}`, `{"id":1}`, ""} {
		m := &capture.Message{Session: "s", N: 1, Raw: []byte(raw), ID: `"x`, WireID: "1}", Direction: capture.ScopeToPool}
		mend(m)
		if out := m.AppendJSON(nil); !json.Valid(out) || !utf8.Valid(out) {
			t.Errorf("%q gives %s", raw, out)
		}
		if sound := raw == `{"id":1}`; sound != (m.Fault == "") {
			t.Errorf("%q: fault %q", raw, m.Fault)
		}
	}
}

// The end of the program does not wait for a slow disk: what there is no time
// for is a gap, and that is on disk.
func TestEndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Dir: t.TempDir()}
		g := newMaker(0)
		journal(t, cfg, func(j *Journal) {
			g.say(j, "s", 10)
			settle(t)
			j.cfg.MinFree = 1
			j.free = func(string) (int64, error) { time.Sleep(300 * time.Millisecond); return 1, nil }
			for range 10 * transactionMessages {
				g.say(j, "s", 10)
			}
		})
		journal(t, cfg, func(j *Journal) {
			gaps, err := j.Gaps(t.Context(), "s", 10)
			n := countAll(t, j)
			if err != nil || len(gaps) != 1 || gaps[0].Reason != reasonClosed || n <= 1 || uint64(n)+gaps[0].Messages != g.seq || gaps[0].First != uint64(n)+1 {
				t.Errorf("%d of %d messages, gaps %+v, %v", n, g.seq, gaps, err)
			}
			s, err := j.Session(t.Context(), "s")
			if err != nil || s.Reason != ReasonKilled {
				t.Errorf("session %+v, %v", s, err)
			}
		})
	})
}
