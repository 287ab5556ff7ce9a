package discord

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/poolscope/poolscope/internal/notify"
)

// wire is a Discord channel inside of a bubble. It knows nonces, as Discord does.
type wire struct {
	mu     sync.Mutex
	posts  []post
	nonces map[string]bool
	tried  int
	fail   func(n int) (err error, arrives bool) // of the n-th try, from 0
}

func (w *wire) send(_ context.Context, p post) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.tried
	w.tried++
	var err error
	arrives := true
	if w.fail != nil {
		err, arrives = w.fail(n)
	}
	if arrives && !w.nonces[p.nonce] {
		w.nonces[p.nonce] = true
		p.at = time.Now()
		w.posts = append(w.posts, p)
	}
	return err
}

// contents are the posts that are to be seen.
func (w *wire) contents() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, p := range w.posts {
		all = append(all, p.content)
	}
	return all
}

// posting runs a poster on a wire.
func posting(t *testing.T, w *wire) (*poster, func()) {
	t.Helper()
	w.nonces = make(map[string]bool)
	p := newPoster(w.send, newCounters(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); p.run(ctx) }()
	return p, func() { cancel(); <-done }
}

func httpError(status int) error {
	return &discordgo.RESTError{Response: &http.Response{StatusCode: status}, Message: &discordgo.APIErrorMessage{Message: "for a reason"}}
}

func limitError(after time.Duration) error {
	return &discordgo.RateLimitError{RateLimit: &discordgo.RateLimit{TooManyRequests: &discordgo.TooManyRequests{RetryAfter: after}}}
}

// TestBatching: what comes together goes together, one's lines beside each
// other, one message in ten seconds, and each at most as long as Discord takes.
func TestBatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		p, stop := posting(t, w)
		defer stop()
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				user := fmt.Sprint(100 + i%3)
				err := p.deliver(t.Context(), &piece{id: fmt.Sprint("m", i), key: user, user: user, text: fmt.Sprintf("<@%s> line %d", user, i)})
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if len(w.posts) != 1 {
			t.Fatalf("%d posts: %q", len(w.posts), w.contents())
		}
		want := "<@100> line 0\n<@100> line 3\n<@100> line 6\n<@100> line 9\n<@101> line 1\n"
		if got := w.posts[0]; !strings.HasPrefix(got.content, want) || len(got.users) != 3 || got.everyone {
			t.Errorf("%+v", got)
		}
		for i := range 3 {
			if err := p.deliver(t.Context(), &piece{id: fmt.Sprint("n", i), key: "1", text: strings.Repeat("x", 1500)}); err != nil {
				t.Error(err)
			}
		}
		for i := 1; i < len(w.posts); i++ {
			if gap := w.posts[i].at.Sub(w.posts[i-1].at); gap < 10*time.Second || gap > 12*time.Second {
				t.Errorf("post %d came %v after the one before", i, gap)
			}
		}
		if len(w.posts) != 4 {
			t.Errorf("%d posts", len(w.posts))
		}
	})
}

// TestLongQueue: who cannot get a turn soon is told when to come back, and is
// not posted as well.
func TestLongQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		p, stop := posting(t, w)
		defer stop()
		results := make([]error, 6)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				results[i] = p.deliver(ctx, &piece{id: fmt.Sprint(i), key: fmt.Sprint(i), text: strings.Repeat("x", 1900)})
			})
		}
		wg.Wait()
		arrived := 0
		for i, err := range results {
			switch {
			case err == nil:
				arrived++
			case notify.RetryAfter(err) <= 0 || notify.IsPermanent(err):
				t.Errorf("%d: %v", i, err)
			}
		}
		time.Sleep(time.Minute)
		if arrived != len(w.posts) || arrived < 2 {
			t.Errorf("%d arrived, %d were posted", arrived, len(w.posts))
		}
		for _, c := range w.contents() {
			if length(c) > maxContent {
				t.Errorf("a post of %d characters", length(c))
			}
		}
	})
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name      string
		err       error
		reason    string
		permanent bool
		after     time.Duration
	}{
		{"forbidden", httpError(403), reasonForbidden, true, 0},
		{"no such channel", httpError(404), reasonNotFound, true, 0},
		{"bad request", httpError(400), reasonRefused, true, 0},
		{"token revoked", httpError(401), reasonToken, false, pauseToken},
		{"server error", httpError(500), reasonServer, false, 0},
		{"gateway timeout", httpError(504), reasonServer, false, 0},
		{"rate limit", limitError(7 * time.Second), reasonRateLimit, false, 7 * time.Second},
		{"unreachable", errors.New("no route"), reasonUnreachable, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{fail: func(int) (error, bool) { return tt.err, false }}
				p, stop := posting(t, w)
				defer stop()
				err := p.deliver(t.Context(), &piece{id: "1", text: "x"})
				if err == nil || notify.IsPermanent(err) != tt.permanent || notify.RetryAfter(err) != tt.after {
					t.Errorf("%v: permanent %t, after %v", err, notify.IsPermanent(err), notify.RetryAfter(err))
				}
				if unsure := tt.reason == reasonServer || tt.reason == reasonUnreachable; notify.IsUnsure(err) != unsure {
					t.Errorf("%v: unsure %t, want %t", err, notify.IsUnsure(err), unsure)
				}
				dropped, deferred := p.count.dropped[tt.reason], p.count.deferred[tt.reason]
				if tt.permanent && (dropped != 1 || deferred != 0) || !tt.permanent && (dropped != 0 || deferred != 1) {
					t.Errorf("%d dropped, %d deferred", dropped, deferred)
				}
				if tt.reason == reasonRateLimit {
					// Nobody asks before that is over.
					if err := p.deliver(t.Context(), &piece{id: "2", text: "y"}); notify.RetryAfter(err) <= 0 {
						t.Errorf("the next one: %v", err)
					}
					if w.tried != 1 {
						t.Errorf("%d tries", w.tried)
					}
				}
			})
		})
	}
}

// TestNothingTwice: the answer to a post is lost although it arrived. All that
// was in it comes again, one by one, and is seen once.
func TestNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{fail: func(n int) (error, bool) {
			if n == 0 {
				return httpError(502), true
			}
			return nil, true
		}}
		p, stop := posting(t, w)
		defer stop()
		var wg sync.WaitGroup
		failed := 0
		deliver := func(id string) error {
			return p.deliver(t.Context(), &piece{id: id, key: id, text: "text of " + id})
		}
		for _, id := range []string{"a", "b", "c"} {
			wg.Go(func() {
				if deliver(id) != nil {
					p.mu.Lock()
					failed++
					p.mu.Unlock()
				}
			})
		}
		wg.Wait()
		if failed != 3 {
			t.Fatalf("%d of 3 failed", failed)
		}
		for _, id := range []string{"b", "a", "c"} {
			if err := deliver(id); err != nil {
				t.Errorf("%s again: %v", id, err)
			}
		}
		if got := w.contents(); len(got) != 1 || strings.Count(got[0], "text of") != 3 {
			t.Errorf("seen: %q", got)
		}
	})
}

// TestWithdrawn: who stops waiting is not posted later.
func TestWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		p, stop := posting(t, w)
		defer stop()
		if err := p.deliver(t.Context(), &piece{id: "1", text: "first"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := p.deliver(ctx, &piece{id: "2", text: "second"}); notify.RetryAfter(err) <= 0 {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Minute)
		if got := w.contents(); len(got) != 1 {
			t.Errorf("seen: %q", got)
		}
	})
}

func TestPosterSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{fail: func(n int) (error, bool) {
			if n == 0 {
				panic("odd")
			}
			return nil, true
		}}
		p, stop := posting(t, w)
		defer stop()
		if err := p.deliver(t.Context(), &piece{id: "1", text: "x"}); err == nil || notify.IsPermanent(err) {
			t.Errorf("%v", err)
		}
		if err := p.deliver(t.Context(), &piece{id: "1", text: "x"}); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}
