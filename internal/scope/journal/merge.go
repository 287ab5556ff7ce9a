package journal

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// maxStep is the most messages that are loaded at once to be left out again,
// for a filter with an offset.
const maxStep = 1000

// find is Find with a journal. It merges page after page until what the filter
// leaves out is left out and the page is full, or the time is over. skip is how
// many of the messages behind next are still to be left out then.
func (l *Library) find(ctx context.Context, f capture.Filter) (page []*capture.Message, next uint64, skip int, complete bool, err error) {
	until := time.Now().Add(l.disk.cfg.Budget)
	want, bytes := f.PageSize(), 0
	skip = f.Offset
	f.Offset, next = 0, f.Cursor
	for {
		f.Cursor, f.Limit = next, min(want-len(page)+skip, max(maxStep, want))
		var found []*capture.Message
		found, next, complete, err = l.merged(ctx, f, until)
		if err != nil {
			return nil, 0, 0, false, err
		}
		left := min(skip, len(found))
		skip -= left
		page = append(page, found[left:]...)
		for _, m := range found[left:] {
			bytes += cost(m)
		}
		switch {
		case next == 0:
			return page, 0, 0, complete, nil
		case len(page) >= want || bytes > maxPageBytes:
			return page, next, 0, complete, nil
		case !complete || !time.Now().Before(until) || ctx.Err() != nil:
			return page, next, skip, false, nil
		}
	}
}

// merged returns a page that ring and journal give together. It may be shorter
// than the limit although there are more.
func (l *Library) merged(ctx context.Context, f capture.Filter, until time.Time) (page []*capture.Message, next uint64, complete bool, err error) {
	// The journal first: what leaves the ring meanwhile is in the journal then.
	stored, nextStored, complete, err := l.disk.findUntil(ctx, f, until)
	if err != nil {
		return nil, 0, false, err
	}
	page, nextKept := l.ring.Find(f)

	// The ring has the newest version of a message. If that is not in the page
	// it is not wanted, whatever the journal's older version says.
	for _, m := range stored {
		if kept := l.ring.Message(m.Session, m.N); kept == nil && !slices.ContainsFunc(page, func(k *capture.Message) bool { return k.Seq == m.Seq }) {
			page = append(page, m)
		}
	}
	slices.SortFunc(page, func(a, b *capture.Message) int { return cmp.Compare(b.Seq, a.Seq) })

	// Below next, one of the two was not searched yet.
	next = max(nextStored, nextKept)
	page = slices.DeleteFunc(page, func(m *capture.Message) bool { return m.Seq < next })
	if limit := f.PageSize(); len(page) > limit {
		page, complete = page[:limit], true
		next = page[limit-1].Seq
	}
	return page, next, complete, nil
}
