package clerk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/account/providertest"
)

// wire answers requests for keys inside of a synctest bubble, without sockets.
type wire struct {
	mu      sync.Mutex
	asked   []time.Time
	now     int // requests under way
	most    int
	takes   time.Duration
	answers func() (int, string)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.asked = append(w.asked, time.Now())
	w.now++
	w.most = max(w.most, w.now)
	takes, answers := w.takes, w.answers
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.now--
		w.mu.Unlock()
	}()
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	status, body := answers()
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked)
}

// onWire runs a test in a bubble with a Clerk whose provider is the wire.
func onWire(t *testing.T, w *wire, test func(t *testing.T, c *Clerk)) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Issuer: "https://clerk.pool.example", Client: &http.Client{Transport: w, Timeout: 10 * time.Second}}, &crowd{}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = c.Run(ctx) }()
		synctest.Wait()
		test(t, c)
		cancel()
		<-done
	})
}

func TestProviderThatIsDownIsAskedAgainWithPatience(t *testing.T) {
	p := providertest.New(t)
	k := p.AddRSA(t, "rsa")
	set := asJSON(t, map[string]any{"keys": []any{providertest.JWK("rsa", &k.PublicKey)}})
	var mu sync.Mutex
	up := false
	w := &wire{answers: func() (int, string) {
		mu.Lock()
		defer mu.Unlock()
		if !up {
			return http.StatusBadGateway, "down"
		}
		return http.StatusOK, set
	}}
	onWire(t, w, func(t *testing.T, c *Clerk) {
		claims := func() map[string]any { return with(good(p), map[string]any{"iss": "https://clerk.pool.example"}) }
		if _, err := c.Verify(t.Context(), p.Sign(t, "rsa", claims())); !errors.Is(err, ErrUnavailable) {
			t.Errorf("without keys: %v", err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := w.count(); n < 10 || n > 30 {
			t.Errorf("in an hour the provider was asked %d times", n)
		}
		mu.Lock()
		up = true
		mu.Unlock()
		time.Sleep(maxRetry + time.Second)
		synctest.Wait()
		if _, err := c.Verify(t.Context(), p.Sign(t, "rsa", claims())); err != nil {
			t.Errorf("the provider is back: %v", err)
		}
		if s := c.Status(); s.Keys != 1 || s.Fetched != 1 || s.FetchFailed < 10 {
			t.Errorf("status: %+v", s)
		}

		// Down again: what is known stays good for a day, and no longer.
		mu.Lock()
		up = false
		mu.Unlock()
		time.Sleep(23 * time.Hour)
		if _, err := c.Verify(t.Context(), p.Sign(t, "rsa", claims())); err != nil {
			t.Errorf("down for some hours: %v", err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := c.Verify(t.Context(), p.Sign(t, "rsa", claims())); !errors.Is(err, ErrUnavailable) {
			t.Errorf("down for more than a day: %v", err)
		}
	})
}

func TestUnknownKeysDoNotFloodTheProvider(t *testing.T) {
	p := providertest.New(t)
	k := p.AddRSA(t, "rsa")
	set := asJSON(t, map[string]any{"keys": []any{providertest.JWK("rsa", &k.PublicKey)}})
	w := &wire{answers: func() (int, string) { return http.StatusOK, set }}
	token := providertest.Sign(t, k, map[string]any{"kid": "made up"}, good(p))
	onWire(t, w, func(t *testing.T, c *Clerk) {
		w.mu.Lock()
		w.takes = 2 * time.Second
		w.mu.Unlock()
		for range 10 * 60 { // ten minutes, a hundred tokens a second
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					if _, err := c.Verify(t.Context(), token); !errors.Is(err, ErrInvalid) {
						t.Error(err)
					}
				})
			}
			time.Sleep(time.Second)
			all.Wait()
		}
		if n := w.count(); n > 11 {
			t.Errorf("60000 made-up tokens made us ask %d times in ten minutes", n)
		}
		if w.most > 1 {
			t.Errorf("%d fetches at once", w.most)
		}
		if c.Status().UnknownKeys < 60_000 {
			t.Errorf("counted: %+v", c.Status())
		}
	})
}

func TestKeysRotate(t *testing.T) {
	p := providertest.New(t)
	first := p.AddRSA(t, "first")
	second := p.AddEC(t, "second")
	var mu sync.Mutex
	set := asJSON(t, map[string]any{"keys": []any{providertest.JWK("first", &first.PublicKey)}})
	w := &wire{takes: time.Second, answers: func() (int, string) {
		mu.Lock()
		defer mu.Unlock()
		return http.StatusOK, set
	}}
	onWire(t, w, func(t *testing.T, c *Clerk) {
		claims := func() map[string]any { return with(good(p), map[string]any{"iss": "https://clerk.pool.example"}) }
		// Who signs in while the first fetch is under way waits for it.
		if _, err := c.Verify(t.Context(), p.Sign(t, "first", claims())); err != nil {
			t.Errorf("first key: %v", err)
		}
		time.Sleep(10 * time.Minute)
		mu.Lock()
		set = asJSON(t, map[string]any{"keys": []any{providertest.JWK("second", &second.PublicKey)}})
		mu.Unlock()
		// The new key is fetched for the first token that names it …
		if _, err := c.Verify(t.Context(), p.Sign(t, "second", claims())); err != nil {
			t.Errorf("second key: %v", err)
		}
		// … and the withdrawn one is good for nothing any more.
		if _, err := c.Verify(t.Context(), p.Sign(t, "first", claims())); !errors.Is(err, ErrInvalid) {
			t.Errorf("withdrawn key: %v", err)
		}
	})
}

func TestHugeKeySetIsNotRead(t *testing.T) {
	p := providertest.New(t)
	p.AddRSA(t, "rsa")
	p.SetBody(append([]byte(`{"keys":[`), bytes.Repeat([]byte(" "), 4<<20)...))
	c := New(Config{Issuer: p.URL}, &crowd{}, slog.New(slog.DiscardHandler))
	err := c.keys.fetch(t.Context())
	if err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("4 MB of key set: %v", err)
	}
	p.SetBody(nil)
	if err := c.keys.fetch(t.Context()); err != nil {
		t.Error(err)
	}
	// A set that cannot be read does not take the known keys away.
	p.SetBody([]byte("<html>"))
	if err := c.keys.fetch(t.Context()); err == nil {
		t.Error("HTML was taken for keys")
	}
	if _, err := c.Verify(t.Context(), p.Sign(t, "rsa", good(p))); err != nil {
		t.Error(err)
	}
}

// A token with a new key, while the provider takes its time to tell its keys, is not
// called invalid: pages end a session at Clerk upon that.
func TestKeyThatMayBeNewIsNotInvalid(t *testing.T) {
	p := providertest.New(t)
	first, second := p.AddRSA(t, "first"), p.AddRSA(t, "second")
	var mu sync.Mutex
	status, set := http.StatusOK, asJSON(t, map[string]any{"keys": []any{providertest.JWK("first", &first.PublicKey)}})
	w := &wire{answers: func() (int, string) {
		mu.Lock()
		defer mu.Unlock()
		return status, set
	}}
	onWire(t, w, func(t *testing.T, c *Clerk) {
		token := providertest.Sign(t, second, map[string]any{"kid": "second"}, with(good(p), map[string]any{"iss": "https://clerk.pool.example"}))
		time.Sleep(10 * time.Minute)
		w.mu.Lock()
		w.takes = 2 * waitForKeys
		w.mu.Unlock()
		if _, err := c.Verify(t.Context(), token); !errors.Is(err, ErrUnavailable) {
			t.Errorf("while the provider is slow: %v", err)
		}
		time.Sleep(10 * time.Minute)
		mu.Lock()
		status = http.StatusBadGateway
		mu.Unlock()
		w.mu.Lock()
		w.takes = 0
		w.mu.Unlock()
		if _, err := c.Verify(t.Context(), token); !errors.Is(err, ErrUnavailable) {
			t.Errorf("while the provider is down: %v", err)
		}
	})
}

// Who wants to sign in when the provider is back after hours need not wait for the
// rare retries: the first one who tries makes it asked.
func TestProviderThatIsBackIsAskedForWhoSignsIn(t *testing.T) {
	p := providertest.New(t)
	k := p.AddRSA(t, "rsa")
	set := asJSON(t, map[string]any{"keys": []any{providertest.JWK("rsa", &k.PublicKey)}})
	var mu sync.Mutex
	up := false
	w := &wire{answers: func() (int, string) {
		mu.Lock()
		defer mu.Unlock()
		if !up {
			return http.StatusBadGateway, "down"
		}
		return http.StatusOK, set
	}}
	onWire(t, w, func(t *testing.T, c *Clerk) {
		for time.Since(lastOf(w)) < refetchUnknown { // until the retries are rare, and one was a while ago
			time.Sleep(time.Minute)
		}
		mu.Lock()
		up = true
		mu.Unlock()
		claims := with(good(p), map[string]any{"iss": "https://clerk.pool.example"})
		if _, err := c.Verify(t.Context(), p.Sign(t, "rsa", claims)); err != nil {
			t.Error(err)
		}
	})
}

// lastOf is when a provider was asked last.
func lastOf(w *wire) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[len(w.asked)-1]
}
