package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/ledger"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func openBooks(t *testing.T) *SQLite {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "books.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Every connection has the settings, also those that are opened later; and
// those that read cannot write.
func TestPragmas(t *testing.T) {
	s := openBooks(t)
	var conns []*sql.Conn
	for range readers {
		conn, err := s.reader.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		if _, err := conn.ExecContext(t.Context(), `DELETE FROM workers`); err == nil {
			t.Error("a reading connection writes")
		}
	}
	writer, err := s.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range append(conns, writer) {
		for _, p := range pragmas {
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+p.name).Scan(&got); err != nil || got != p.reported {
				t.Errorf("%s is %q, %v; want %q", p.name, got, err, p.reported)
			}
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The syntax of another driver is ignored by this one. That is noticed.
func TestPragmasAreVerified(t *testing.T) {
	db, err := sql.Open(driver, "file:"+filepath.Join(t.TempDir(), "x.db")+"?_journal=WAL&_busy_timeout=5000&_foreign_keys=1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := verifyPragmas(t.Context(), db); !errors.Is(err, ErrPragma) {
		t.Errorf("error is %v", err)
	}
}

// A found block is forced to the medium; other writes are not.
func TestSaveBlockSyncs(t *testing.T) {
	s := openBooks(t)
	mode := func() (mode int) {
		if err := s.writer.QueryRow(`PRAGMA synchronous`).Scan(&mode); err != nil {
			t.Fatal(err)
		}
		return mode
	}
	// A trigger cannot read a pragma; it can refuse. The mode must come back
	// to NORMAL whether the write succeeds or not.
	if _, err := s.writer.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON blocks WHEN NEW.height = 13
		BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		t.Fatal(err)
	}
	for height, fails := range map[int64]bool{12: false, 13: true} {
		err := s.SaveBlock(t.Context(), ledger.Block{Hash: bitcoin.Hash{byte(height)}, Height: height, FoundAt: noon})
		if (err != nil) != fails {
			t.Errorf("height %d: %v", height, err)
		}
		if mode() != 1 {
			t.Errorf("synchronous stays at %d", mode())
		}
	}
}

// Foreign keys are on: history of a worker that does not exist is refused.
func TestForeignKeys(t *testing.T) {
	s := openBooks(t)
	for _, table := range []string{"minutes", "hours", "days"} {
		if _, err := s.writer.Exec(`INSERT INTO ` + table + ` ` + sqlHistoryColumns + ` VALUES (0, 4711, 0, 0, 0, 0, 0)`); err == nil {
			t.Errorf("%s takes a row of nobody", table)
		}
	}
}

// A batch that fails in the middle leaves nothing behind, in memory neither.
func TestFailedBatch(t *testing.T) {
	s := openBooks(t)
	if _, err := s.writer.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON workers WHEN NEW.name = 'bad'
		BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		t.Fatal(err)
	}
	one := ledger.Totals{Accepted: 1}
	batch := &ledger.Batch{Source: "a", Seq: 1, At: noon, Deltas: []ledger.Delta{
		{Worker: "good", Totals: one, Rows: []ledger.MinuteRow{{Minute: noon.Unix() / 60, Accepted: 1}}}, {Worker: "bad", Totals: one},
	}}
	for range 2 {
		if err := s.Apply(t.Context(), batch); err == nil {
			t.Fatal("no error")
		}
	}
	if _, ok := s.ids.get("good"); ok {
		t.Error("a row that was rolled back is remembered")
	}
	if _, err := s.writer.Exec(`DROP TRIGGER refuse`); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	list, err := s.Workers(t.Context(), []string{"good", "bad"})
	if err != nil || len(list) != 2 || list[0].Totals.Accepted != 1 || list[1].Totals.Accepted != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// A full disk is an error each time, and forgotten when there is room again.
func TestDiskFull(t *testing.T) {
	s := openBooks(t)
	var pages int
	if err := s.writer.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	// SQLite gives the same answer, SQLITE_FULL, for a full disk and for a
	// database that must not grow.
	limit := func(n int) {
		if _, err := s.writer.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, n)); err != nil {
			t.Fatal(err)
		}
	}
	batch := &ledger.Batch{Source: "a", Seq: 1, At: noon}
	for i := range 500 {
		batch.Deltas = append(batch.Deltas, ledger.Delta{Worker: fmt.Sprint("worker ", i), Totals: ledger.Totals{Accepted: 1}})
	}
	limit(pages + 1)
	for range 3 {
		if err := s.Apply(t.Context(), batch); err == nil || !strings.Contains(err.Error(), "full") {
			t.Fatalf("error is %v", err)
		}
	}
	limit(1 << 30)
	if err := s.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	state, err := s.Load(t.Context(), time.Time{}, 10_000)
	if err != nil || len(state.Workers) != 500 {
		t.Errorf("%d workers, %v", len(state.Workers), err)
	}
}

// Minutes go after 48 hours and hours after 90 days, but not a moment sooner,
// and days stay. What is deleted was rolled up before.
func TestRetention(t *testing.T) {
	s := openBooks(t)
	// A row every six hours for two hundred days.
	const days = 200
	start := noon.AddDate(0, 0, -days)
	var rows []ledger.MinuteRow
	for at := start; !at.After(noon); at = at.Add(6 * time.Hour) {
		rows = append(rows, ledger.MinuteRow{Minute: at.Unix() / 60, Accepted: 1})
	}
	if err := s.Apply(t.Context(), &ledger.Batch{Source: "a", Seq: 1, At: noon, Deltas: []ledger.Delta{{Worker: "w", Rows: rows}}}); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for more := true; more; calls++ {
		var err error
		if more, err = s.Maintain(t.Context(), noon); err != nil || calls > 1000 {
			t.Fatal(calls, err)
		}
	}

	for _, c := range []struct {
		res    ledger.Resolution
		oldest time.Time
	}{
		{ledger.Minute, noon.Add(-ledger.MinuteRetention)},
		{ledger.Hour, noon.Add(-ledger.HourRetention)},
		{ledger.Day, ledger.Day.Start(start)},
	} {
		points, err := s.History(t.Context(), "w", c.res, time.Time{}, noon.Add(time.Hour))
		if err != nil || len(points) == 0 || !points[0].At.Equal(c.oldest) {
			t.Errorf("%s: %d points from %v on, want %s; %v", c.res, len(points), points[:min(1, len(points))], c.oldest, err)
		}
	}
	points, err := s.History(t.Context(), "w", ledger.Day, time.Time{}, noon.Add(time.Hour))
	var sum uint64
	for _, p := range points {
		sum += p.Accepted
	}
	if err != nil || sum != uint64(len(rows)) || len(points) != days+1 {
		t.Errorf("%d shares in %d days, want %d; %v", sum, len(points), len(rows), err)
	}
}

// One call deletes a bounded number of rows.
func TestMaintainIsBounded(t *testing.T) {
	s := openBooks(t)
	var rows []ledger.MinuteRow
	old := noon.AddDate(0, 0, -30)
	for i := range int64(2*maxDeletes + 100) {
		rows = append(rows, ledger.MinuteRow{Minute: old.Unix()/60 + i, Accepted: 1})
	}
	if err := s.Apply(t.Context(), &ledger.Batch{Source: "a", Seq: 1, At: noon, Deltas: []ledger.Delta{{Worker: "w", Rows: rows}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec(`UPDATE rollup SET minutes_done = ?, hours_done = ?`, noon.Unix(), noon.Unix()); err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		if err := s.writer.QueryRow(`SELECT count(*) FROM minutes`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for before := count(); before > 0; {
		more, err := s.Maintain(t.Context(), noon)
		if err != nil {
			t.Fatal(err)
		}
		after := count()
		if before-after > maxDeletes+1 || more != (after > 0) {
			t.Fatalf("from %d to %d rows, more %v", before, after, more)
		}
		before = after
	}
}

// Runs that ended long ago are forgotten, and the present one is not.
func TestSourcesAreForgotten(t *testing.T) {
	s := openBooks(t)
	for i, at := range []time.Time{noon.Add(-49 * time.Hour), noon.Add(-time.Minute)} {
		if err := s.Apply(t.Context(), &ledger.Batch{Source: fmt.Sprint(i), Seq: 1, At: at}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Maintain(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	var names string
	if err := s.writer.QueryRow(`SELECT group_concat(name) FROM sources`).Scan(&names); err != nil || names != "1" {
		t.Errorf("sources %q, %v", names, err)
	}
}

// A reader that takes its time sees one moment and stops nobody.
func TestReaderDoesNotBlockWriter(t *testing.T) {
	s := openBooks(t)
	apply := func(seq uint64) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := s.Apply(ctx, &ledger.Batch{Source: "a", Seq: seq, At: noon, Deltas: []ledger.Delta{{Worker: "w", Totals: ledger.Totals{Accepted: 1}}}}); err != nil {
			t.Fatal(err)
		}
	}
	apply(1)
	err := s.view(t.Context(), func(tx *sql.Tx) error {
		for seq := range uint64(5) {
			list, err := readWorkers(t.Context(), tx, `WHERE name = ?`, "w")
			if err != nil || list[0].Totals.Accepted != 1 {
				t.Errorf("%+v, %v", list, err)
			}
			apply(seq + 2)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The memory of row numbers starts over when it is full.
func TestWorkerIDsAreBounded(t *testing.T) {
	var ids workerIDs
	for i := range int64(100) {
		fresh := map[string]int64{}
		for j := range int64(1000) {
			fresh[fmt.Sprint(i, "/", j)] = i
		}
		ids.add(fresh)
		name := fmt.Sprint(i, "/", 7)
		if id, ok := ids.get(name); !ok || id != i {
			t.Fatalf("%s: %d, %v", name, id, ok)
		}
	}
	if n := len(ids.m); n > maxIDs {
		t.Errorf("%d names in memory", n)
	}
}

// Of a large database everything is checked but the bulk of history.
func TestCheckOfLargeDatabase(t *testing.T) {
	s := openBooks(t)
	if err := s.checkTables(t.Context()); err != nil {
		t.Error(err)
	}
}
