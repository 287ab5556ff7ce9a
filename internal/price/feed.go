package price

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds of a feed.
const (
	maxAnswer  = 1 << 20         // bytes
	firstPause = time.Minute     // after the first failure; each further one doubles it
	maxPause   = 6 * time.Hour   // whatever a feed asks for by Retry-After
	minKeep    = 6 * time.Hour   // a price is told for so long at least …
	keepRounds = 3               // … or for so many refreshes without success
	clockSkew  = 5 * time.Minute // a feed's clock may be ahead of ours by this much
)

// CurrencyMark is what a feed's URL and paths have in place of the currency.
const CurrencyMark = "{currency}"

// Config says where prices come from.
type Config struct {
	URL      string // of a JSON document; "" for no feed. May contain CurrencyMark.
	Path     string // where the price is in it, such as "bitcoin.{currency}"
	TimePath string // where its time is, in Unix seconds; "" when it tells none
	Currency string // ISO 4217 code
	Refresh  time.Duration
	Timeout  time.Duration // of one request
}

// Price is what one bitcoin cost at a time.
type Price struct {
	Value    float64
	Currency string    // ISO 4217 code in lower case
	At       time.Time // of the price: as the feed says, else when it answered
}

// Status says how a feed is doing.
type Status struct {
	Fetched uint64            // prices that were got
	Failed  map[string]uint64 // requests that brought none, by reason
	Panics  uint64            // that fetching survived
}

// Feed fetches prices. A nil Feed knows none.
type Feed struct {
	config  Config
	client  *http.Client
	log     *slog.Logger
	last    atomic.Pointer[Price]
	fetched atomic.Uint64
	panics  atomic.Uint64
	failed  [len(reasons)]atomic.Uint64
}

// reasons are why requests brought no price.
var reasons = [...]string{"unreachable", "status", "too_large", "not_json", "no_price"}

// New returns a feed, nil when the configuration has none. It asks nothing
// before Run.
func New(c Config, log *slog.Logger) *Feed {
	if c.URL == "" {
		return nil
	}
	c.Currency = strings.ToLower(c.Currency)
	c.URL = strings.ReplaceAll(c.URL, CurrencyMark, url.QueryEscape(c.Currency))
	c.Path = strings.ReplaceAll(c.Path, CurrencyMark, c.Currency)
	c.TimePath = strings.ReplaceAll(c.TimePath, CurrencyMark, c.Currency)
	return &Feed{config: c, client: &http.Client{Timeout: c.Timeout}, log: log}
}

// Price is the last price, false when there is none that is young enough to be
// told.
func (f *Feed) Price(now time.Time) (Price, bool) {
	if f == nil {
		return Price{}, false
	}
	p := f.last.Load()
	if p == nil || now.Sub(p.At) > max(minKeep, keepRounds*f.config.Refresh) {
		return Price{}, false
	}
	return *p, true
}

// Status says how the feed is doing; it is empty for a nil Feed.
func (f *Feed) Status() Status {
	if f == nil {
		return Status{}
	}
	s := Status{Fetched: f.fetched.Load(), Failed: make(map[string]uint64), Panics: f.panics.Load()}
	for i, reason := range reasons {
		s.Failed[reason] = f.failed[i].Load()
	}
	return s
}

// Run fetches prices until ctx ends.
func (f *Feed) Run(ctx context.Context) error {
	failures := 0
	for {
		retryAfter, err := f.fetch(ctx)
		if ctx.Err() != nil {
			return nil
		}
		pause := f.config.Refresh
		if err == nil {
			failures = 0
		} else {
			pause = max(backOff(failures, f.config.Refresh), min(retryAfter, maxPause))
			if failures == 0 {
				f.log.Warn("no price", "err", err, "again_in", pause)
			} else {
				f.log.Debug("no price", "err", err, "again_in", pause)
			}
			failures++
		}
		// A tenth more or less: many pools, one feed.
		pause += time.Duration((rand.Float64() - 0.5) / 5 * float64(pause))
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// backOff is the pause after a failure that others came before: it doubles, and
// is never longer than the time between two successful requests.
func backOff(before int, refresh time.Duration) time.Duration {
	return min(firstPause<<min(before, 10), max(refresh, firstPause))
}

// fetch asks once. retryAfter is what the feed asked for, 0 without. A panic is
// a failure like others: nothing that a feed says may end the program.
func (f *Feed) fetch(ctx context.Context) (retryAfter time.Duration, err error) {
	defer func() {
		if v := recover(); v != nil {
			f.panics.Add(1)
			f.log.Error("fetching the price panicked", "panic", v, "stack", string(debug.Stack()))
			err = ErrNoPrice
		}
		switch {
		case err == nil, ctx.Err() != nil:
		case errors.Is(err, ErrStatus):
			f.failed[1].Add(1)
		case errors.Is(err, ErrTooLarge):
			f.failed[2].Add(1)
		case errors.Is(err, ErrNotJSON):
			f.failed[3].Add(1)
		case errors.Is(err, ErrNoPrice):
			f.failed[4].Add(1)
		default:
			f.failed[0].Add(1)
		}
	}()

	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.config.URL, nil)
	if err != nil {
		return 0, withoutURL(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "poolscope")
	resp, err := f.client.Do(r)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return parseRetryAfter(resp.Header), fmt.Errorf("%w: %d", ErrStatus, resp.StatusCode)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, withoutURL(err)
	}
	if len(answer) > maxAnswer {
		return 0, ErrTooLarge
	}
	value, at, err := parse(answer, f.config.Path, f.config.TimePath)
	if err != nil {
		return 0, err
	}
	now := time.Now().UTC()
	if at.IsZero() || at.After(now.Add(clockSkew)) {
		at = now
	}
	f.last.Store(&Price{Value: value, Currency: f.config.Currency, At: at})
	f.fetched.Add(1)
	return 0, nil
}

// withoutURL takes the address out of an error: some feeds want a key in it.
func withoutURL(err error) error {
	for u := (*url.Error)(nil); errors.As(err, &u); {
		err = u.Err
	}
	return err
}

// parseRetryAfter is the pause that a Retry-After field in seconds asks for
// (RFC 9110 section 10.2.3).
func parseRetryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
