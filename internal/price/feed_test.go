package price

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// site answers a feed's requests without a network, inside of a synctest bubble.
type site struct {
	mu     sync.Mutex
	asked  []time.Time
	target string
	answer func(n int) (*http.Response, error) // of the n-th request, from 0
}

func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, time.Now())
	s.target = r.URL.String()
	s.mu.Unlock()
	return s.answer(n)
}

// asks is what was asked for last.
func (s *site) asks() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target
}

// gaps are the times between requests.
func (s *site) gaps() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaps []time.Duration
	for i := 1; i < len(s.asked); i++ {
		gaps = append(gaps, s.asked[i].Sub(s.asked[i-1]))
	}
	return gaps
}

func answer(status int, body string, header ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// running starts a feed that asks s. The returned function ends it.
func running(t *testing.T, s *site, log io.Writer, c Config) (*Feed, func()) {
	t.Helper()
	if c.URL == "" {
		c.URL = "https://prices.example/simple?in={currency}"
	}
	c.Path, c.Currency, c.Refresh, c.Timeout = "bitcoin.{currency}", "USD", 30*time.Minute, 5*time.Second
	f := New(c, slog.New(slog.NewTextHandler(log, nil)))
	f.client.Transport = s
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	return f, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// around reports whether d is want, give or take the tenth by which pauses vary.
func around(d, want time.Duration) bool { return d >= want*9/10 && d <= want*11/10 }

func TestNoFeedIsNoRequest(t *testing.T) {
	f := New(Config{Path: "bitcoin.usd", Currency: "usd", Refresh: time.Hour}, slog.Default())
	if f != nil {
		t.Fatal("a feed without an address")
	}
	if _, ok := f.Price(time.Now()); ok {
		t.Error("no feed knows a price")
	}
	if s := f.Status(); s.Fetched != 0 || s.Failed != nil {
		t.Errorf("no feed counted %+v", s)
	}
}

func TestPriceAndRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{answer: func(int) (*http.Response, error) { return answer(200, `{"bitcoin":{"usd":67187.3}}`) }}
		begin := time.Now()
		f, stop := running(t, s, io.Discard, Config{})
		defer stop()
		synctest.Wait()
		p, ok := f.Price(time.Now())
		if !ok || p.Value != 67187.3 || p.Currency != "usd" || !p.At.Equal(begin) {
			t.Fatalf("%+v, %t", p, ok)
		}
		if target := s.asks(); target != "https://prices.example/simple?in=usd" {
			t.Errorf("asked %s", target)
		}
		time.Sleep(4 * time.Hour)
		for _, gap := range s.gaps() {
			if !around(gap, 30*time.Minute) {
				t.Errorf("asked again after %v", gap)
			}
		}
		if n := len(s.gaps()); n < 7 || n > 9 {
			t.Errorf("%d requests in four hours", n+1)
		}
	})
}

// TestFailuresAreNotHammered: the pauses grow from the first failure on,
// although there never was a price, and no price is made up.
func TestFailuresAreNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{answer: func(int) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: "https://prices.example/?key=secret", Err: errors.New("no route")}
		}}
		var log bytes.Buffer
		f, stop := running(t, s, &log, Config{URL: "https://prices.example/?key=secret"})
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		gaps := s.gaps()
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
			if !around(gaps[i], want*time.Minute) {
				t.Errorf("pause %d is %v, want about %v", i, gaps[i], want*time.Minute)
			}
		}
		if len(gaps) > 60 {
			t.Errorf("%d requests in a day", len(gaps)+1)
		}
		if _, ok := f.Price(time.Now()); ok {
			t.Error("a price out of nothing")
		}
		if n := f.Status().Failed["unreachable"]; n != uint64(len(gaps)+1) {
			t.Errorf("%d failures counted of %d", n, len(gaps)+1)
		}
		stop()
		if strings.Contains(log.String(), "secret") {
			t.Errorf("the address is in the log: %s", log.String())
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d warnings of one outage", n)
		}
	})
}

// TestLastPriceKeepsItsTime: while the feed fails, the last price is told with
// the time that it was right at, and then not any more.
func TestLastPriceKeepsItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{answer: func(n int) (*http.Response, error) {
			if n > 0 {
				return answer(500, "")
			}
			return answer(200, `{"bitcoin":{"usd":50000}}`)
		}}
		begin := time.Now()
		f, stop := running(t, s, io.Discard, Config{})
		defer stop()
		time.Sleep(5 * time.Hour)
		if p, ok := f.Price(time.Now()); !ok || p.Value != 50000 || !p.At.Equal(begin) {
			t.Errorf("after five hours: %+v, %t", p, ok)
		}
		if f.Status().Failed["status"] < 5 {
			t.Errorf("%+v", f.Status())
		}
		time.Sleep(time.Hour + time.Minute)
		if p, ok := f.Price(time.Now()); ok {
			t.Errorf("after six hours: %+v", p)
		}
	})
}

func TestFeedsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{answer: func(n int) (*http.Response, error) {
			// 2000-01-01 00:00 UTC, when the bubble's time begins, is 946684800.
			return answer(200, []string{`{"bitcoin":{"usd":1,"at":946684200}}`, `{"bitcoin":{"usd":2,"at":956684200}}`}[min(n, 1)])
		}}
		f, stop := running(t, s, io.Discard, Config{TimePath: "bitcoin.at"})
		defer stop()
		synctest.Wait()
		if p, _ := f.Price(time.Now()); p.At.Unix() != 946684200 {
			t.Errorf("time %v", p.At)
		}
		time.Sleep(40 * time.Minute)
		if p, _ := f.Price(time.Now()); p.Value != 2 || p.At.After(time.Now()) {
			t.Errorf("a price of the future: %+v", p)
		}
	})
}

func TestOddAnswers(t *testing.T) {
	tests := map[string]struct {
		answer func() (*http.Response, error)
		reason string
		pause  time.Duration
	}{
		"asked to wait":     {func() (*http.Response, error) { return answer(429, "", "Retry-After", "7200") }, "status", 2 * time.Hour},
		"asked to wait on":  {func() (*http.Response, error) { return answer(429, "", "Retry-After", "99999999") }, "status", 6 * time.Hour},
		"endless":           {func() (*http.Response, error) { return answer(200, `{"a":"`+strings.Repeat("x", maxAnswer)) }, "too_large", time.Minute},
		"page":              {func() (*http.Response, error) { return answer(200, "<html>") }, "not_json", time.Minute},
		"no such currency":  {func() (*http.Response, error) { return answer(200, `{"bitcoin":{}}`) }, "no_price", time.Minute},
		"panic of the site": {func() (*http.Response, error) { panic("odd") }, "no_price", time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &site{answer: func(int) (*http.Response, error) { return tt.answer() }}
				f, stop := running(t, s, io.Discard, Config{})
				defer stop()
				time.Sleep(7 * time.Hour)
				synctest.Wait()
				if f.Status().Failed[tt.reason] == 0 {
					t.Errorf("counted %+v", f.Status().Failed)
				}
				if gaps := s.gaps(); !around(gaps[0], tt.pause) {
					t.Errorf("asked again after %v, want %v", gaps[0], tt.pause)
				}
			})
		})
	}
}
