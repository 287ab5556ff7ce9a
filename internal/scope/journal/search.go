package journal

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

const (
	// segmentsAtOnce is the number of segments that are read with one query.
	segmentsAtOnce = 16
	// maxPageBytes bounds a page of long lines: the next page begins earlier.
	maxPageBytes = 16 << 20
	// rowsPerQuery is the most rows that are asked for by their Seqs.
	rowsPerQuery = 128
)

// search is one search on its way.
type search struct {
	filter  capture.Filter
	limit   int
	skip    int
	below   uint64 // what is at or above was looked at; 0: nothing was
	page    []*capture.Message
	bytes   int  // of the page, about
	more    bool // one message more than the page was found
	changed pending
	text    needle
	until   time.Time
	stopped bool // the time was over
}

// Find returns the messages that f wants, newest first, and the cursor of the
// next page; 0 when there are no more. complete is false when the time for one
// search was over before the page was full: then the page is what was found so
// far, and the search goes on from next; what was left out because of f.Offset
// is not known then.
func (j *Journal) Find(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, complete bool, err error) {
	return j.findUntil(ctx, f, time.Now().Add(j.cfg.Budget))
}

// findUntil is Find that takes until a time, about.
func (j *Journal) findUntil(ctx context.Context, f capture.Filter, until time.Time) (page []*capture.Message, next uint64, complete bool, err error) {
	s := &search{filter: f, limit: f.PageSize(), skip: f.Offset, below: f.Cursor, text: newNeedle(f.Text), until: until}
	waiting, changed := j.queue.pending()
	s.changed = newPending(changed, s.filter.Matches)
	files := j.acquire()
	defer j.release(files)
	for _, m := range slices.Backward(waiting) {
		if !s.full() {
			s.take(m)
		}
	}
	// What was written since is in both.
	if len(waiting) > 0 && (s.below == 0 || s.below > waiting[0].Seq) {
		s.below = waiting[0].Seq
	}
	err = j.each(ctx, files, func(ctx context.Context, f *file, tx *sql.Tx) error {
		j.mu.Lock()
		first := f.first
		j.mu.Unlock()
		if first == 0 || s.below > 0 && first >= s.below {
			return nil
		}
		if err := s.file(ctx, tx); err != nil {
			return err
		}
		if s.done() {
			return errEnough
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, 0, false, err
	case s.stopped:
		s.takeChanged(s.below)
	default:
		s.takeChanged(0)
	}
	switch {
	case s.full():
		return s.page, s.page[len(s.page)-1].Seq, true, nil
	case s.stopped:
		return s.page, s.below, false, nil
	}
	return s.page, 0, true, nil
}

// full says whether the page is full and there is another one.
func (s *search) full() bool { return s.more }

// done says whether the search ends here.
func (s *search) done() bool { return s.full() || s.stopped }

// take takes a message when it is wanted. Messages come with falling Seq.
func (s *search) take(m *capture.Message) {
	s.takeChanged(m.Seq)
	if !s.changed.has[m.Seq] && s.filter.Matches(m) {
		s.add(m)
	}
}

// taking is take; it reports whether there is a need for more.
func (s *search) taking(m *capture.Message) bool {
	s.take(m)
	return !s.full()
}

// takeChanged takes the wanted messages from a Seq on whose newest versions are
// not yet written.
func (s *search) takeChanged(from uint64) {
	for len(s.changed.wanted) > 0 && s.changed.wanted[0].Seq >= from && !s.full() {
		s.add(s.changed.wanted[0])
		s.changed.wanted = s.changed.wanted[1:]
	}
}

// add adds a message that is wanted.
func (s *search) add(m *capture.Message) {
	switch {
	case s.skip > 0:
		s.skip--
	case len(s.page) == s.limit || s.bytes > maxPageBytes:
		s.more = true
	default:
		s.page = append(s.page, m)
		s.bytes += cost(m)
	}
}

// need is about how many more messages are needed.
func (s *search) need() int { return s.skip + s.limit - len(s.page) + 1 }

// file searches one file from below on.
func (s *search) file(ctx context.Context, tx *sql.Tx) error {
	var session int64
	if s.filter.Session != "" {
		err := tx.QueryRowContext(ctx, `SELECT key FROM sessions WHERE id = ?`, s.filter.Session).Scan(&session)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	var sealed sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT last FROM segments ORDER BY first DESC LIMIT 1`).Scan(&sealed); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := s.rows(ctx, tx, uint64(sealed.Int64)+1, session); err != nil {
		return err
	}
	w := want(&s.filter, session)
	for !s.done() {
		list, err := s.segments(ctx, tx, &w)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			if err := s.segment(ctx, tx, &list[i], &w); err != nil {
				return err
			}
			if s.full() {
				return nil
			}
			s.below = list[i].first
			if s.stopped = !time.Now().Before(s.until) || ctx.Err() != nil; s.stopped {
				return nil
			}
		}
	}
	return nil
}

// rows looks at all rows from a Seq up to the cursor.
func (s *search) rows(ctx context.Context, tx *sql.Tx, from uint64, session int64) error {
	query, args := `SELECT `+selectRow+` WHERE m.seq >= ?`, []any{int64(from)}
	if s.below > 0 {
		query, args = query+` AND m.seq < ?`, append(args, int64(s.below))
	}
	if session != 0 {
		query, args = query+` AND m.session = ?`, append(args, session)
	}
	return load(ctx, tx, s.taking, query+` ORDER BY m.seq DESC`, args...)
}

// stored is a segment as it was read.
type stored struct {
	first, last uint64
	bytes       int // of its lines
	blob        []byte
}

// segments reads the next segments that may have something: those that a
// session, a worker or a method leads to, or all.
func (s *search) segments(ctx context.Context, tx *sql.Tx, w *wanted) (list []stored, err error) {
	from, order := `segments g WHERE ?`, `g.first`
	lead := int64(1)
	switch {
	case w.session != 0:
		from, order, lead = `spans p CROSS JOIN segments g ON g.first = p.segment WHERE p.session = ?`, `p.first_n`, w.session
	case w.worker != 0:
		from, order, lead = `terms t CROSS JOIN segments g ON g.first = t.segment WHERE t.term = ?`, `t.segment`, int64(w.worker)
	case w.method != 0:
		from, order, lead = `terms t CROSS JOIN segments g ON g.first = t.segment WHERE t.term = ?`, `t.segment`, int64(w.method)
	}
	query, args := `SELECT g.first, g.last, g.bytes, g.columns FROM `+from, []any{lead}
	if s.below > 0 {
		query, args = query+` AND g.first < ?`, append(args, int64(s.below))
	}
	if w.marks != 0 {
		query, args = query+` AND g.marks & ? = ?`, append(args, int64(w.marks), int64(w.marks))
	}
	if !s.filter.After.IsZero() {
		query, args = query+` AND g.until >= ?`, append(args, s.filter.After.UnixNano())
	}
	if !s.filter.Before.IsZero() {
		query, args = query+` AND g.since < ?`, append(args, s.filter.Before.UnixNano())
	}
	rows, err := tx.QueryContext(ctx, query+` ORDER BY `+order+` DESC LIMIT `+strconv.Itoa(segmentsAtOnce), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var one stored
		if err := rows.Scan(&one.first, &one.last, &one.bytes, &one.blob); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// segment looks at what a segment has below the cursor.
func (s *search) segment(ctx context.Context, tx *sql.Tx, g *stored, w *wanted) error {
	c, err := parseColumns(g.first, g.blob)
	if err != nil {
		return err
	}
	seqs := c.candidates(w, s.below)
	if s.filter.Text != "" && len(seqs) > rowsPerQuery {
		if seqs, err = s.grep(ctx, tx, g, seqs); err != nil {
			return err
		}
	}
	for len(seqs) > 0 && !s.full() {
		n := min(len(seqs), s.need(), rowsPerQuery)
		if err := load(ctx, tx, s.taking, `SELECT `+selectRow+` WHERE m.seq IN (`+numbers(seqs[:n])+`) ORDER BY m.seq DESC`); err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

// numbers writes Seqs as SQL.
func numbers(seqs []uint64) string {
	out := make([]byte, 0, 12*len(seqs))
	for i, seq := range seqs {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendUint(out, seq, 10)
	}
	return string(out)
}

// maxConcat bounds the lines that are looked at as one text.
const maxConcat = 4 << 20

// grep reads the lines of a segment's candidates, the newest first, and returns
// those that have the text.
func (s *search) grep(ctx context.Context, tx *sql.Tx, g *stored, seqs []uint64) (found []uint64, err error) {
	from, to := int64(seqs[len(seqs)-1]), int64(seqs[0])
	if g.bytes <= maxConcat {
		// One row of all lines costs a fraction of a row for each.
		var all sql.RawBytes
		rows, err := tx.QueryContext(ctx, `SELECT group_concat(raw, '') FROM messages WHERE seq BETWEEN ? AND ?`, from, to)
		if err != nil {
			return nil, err
		}
		absent := rows.Next() && rows.Scan(&all) == nil && !s.text.in(all)
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || absent {
			return nil, err
		}
	}
	rows, err := tx.QueryContext(ctx, `SELECT seq, raw FROM messages WHERE seq BETWEEN ? AND ? ORDER BY seq DESC`, from, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for at := 0; at < len(seqs) && rows.Next(); {
		var seq uint64
		var line sql.RawBytes
		if err := rows.Scan(&seq, &line); err != nil {
			return nil, err
		}
		if seq == seqs[at] {
			if at++; s.text.in(line) {
				found = append(found, seq)
			}
		}
	}
	return found, rows.Err()
}

// pending are newer versions of messages that are not yet written. They stand
// for what is written of these messages.
type pending struct {
	has    map[uint64]bool
	wanted []*capture.Message // with falling Seq
}

func newPending(changed []*capture.Message, wanted func(*capture.Message) bool) pending {
	p := pending{has: make(map[uint64]bool, len(changed))}
	for _, m := range slices.Backward(changed) {
		if !p.has[m.Seq] { // the latest version
			p.has[m.Seq] = true
			if wanted(m) {
				p.wanted = append(p.wanted, m)
			}
		}
	}
	slices.SortFunc(p.wanted, func(a, b *capture.Message) int { return cmp.Compare(b.Seq, a.Seq) })
	return p
}
