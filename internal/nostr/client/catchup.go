package client

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// pagePrefix begins the ids of subscriptions that ask for pages.
const pagePrefix = "~"

// catchUp is how far one subscription has got what the relay had stored. A
// relay answers with its newest events, as many as it likes; older ones are
// asked for with an earlier and earlier until, up to a page that is empty.
type catchUp struct {
	filters []nostr.Filter // with a Since each
	since   int64          // the earliest of them
	until   int64          // of the page that is being read; the first page has none
	oldest  int64          // created_at of the oldest event of that page
	empty   bool           // no event of that page has come yet
	paging  bool           // the first page is complete
}

// newCatchUp is nil when there is nothing to page: a filter without Since asks
// for all of a relay's past, and gets what the relay thinks fit.
func newCatchUp(filters []nostr.Filter) *catchUp {
	c := &catchUp{filters: filters, empty: true}
	for i, f := range filters {
		if f.Since == nil || f.Limit != nil {
			return nil
		}
		if i == 0 || *f.Since < c.since {
			c.since = *f.Since
		}
	}
	return c
}

// came takes note of an event of the page.
func (c *catchUp) came(e *nostr.Event) {
	if e.CreatedAt < c.since || c.paging && e.CreatedAt > c.until {
		return // not what was asked for
	}
	if c.empty || e.CreatedAt < c.oldest {
		c.oldest = e.CreatedAt
	}
	c.empty = false
}

// next is what to ask for when the page is complete; nil when there is no more.
//
// The second of the oldest event may have been cut in the middle, so it is
// asked for again, and only then the time before it. A second that has more
// events than a relay answers with stays incomplete: Nostr cannot ask for the
// rest of it.
func (c *catchUp) next() []nostr.Filter {
	if c.empty {
		return nil
	}
	until := c.oldest
	if c.paging && c.oldest == c.until {
		until--
	}
	if until < c.since {
		return nil
	}
	c.until, c.empty, c.paging = until, true, true
	filters := slices.Clone(c.filters)
	for i := range filters {
		if filters[i].Until == nil || *filters[i].Until > until {
			filters[i].Until = &until
		}
	}
	return filters
}

// pageID is the id of the pages of a subscription, by its place.
func pageID(subscription int) string { return pagePrefix + strconv.Itoa(subscription) }

// pageOf is the place of the subscription that a page's id is for.
func pageOf(id string) (subscription int, ok bool) {
	text, ok := strings.CutPrefix(id, pagePrefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && pageID(n) == id
}

// since are the filters of a subscription after a cut: as they are, but from
// overlap before the cut at the earliest. A zero cut is none.
func since(filters []nostr.Filter, cut time.Time, overlap time.Duration) []nostr.Filter {
	if cut.IsZero() {
		return filters
	}
	from := cut.Add(-overlap).Unix()
	out := slices.Clone(filters)
	for i := range out {
		if out[i].Since == nil || *out[i].Since < from {
			out[i].Since = &from
		}
		out[i].Limit = nil // of a limited answer the middle would be missing
	}
	return out
}
