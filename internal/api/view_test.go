package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestViewSingleFlight lets many readers come while the first one still
// builds: all get its bytes.
func TestViewSingleFlight(t *testing.T) {
	building, release := make(chan struct{}), make(chan struct{})
	v := newView(time.Second, func(time.Time) (any, error) {
		close(building) // a second build panics here
		<-release
		return "value", nil
	})
	var wg sync.WaitGroup
	got := make([]*payload, 50)
	read := func(i int) {
		p, err := v.get(testNow)
		if err != nil {
			t.Error(err)
		}
		got[i] = p
	}
	wg.Go(func() { read(0) })
	<-building
	for i := 1; i < len(got); i++ {
		wg.Go(func() { read(i) })
	}
	close(release)
	wg.Wait()
	for _, p := range got {
		if p == nil || p != got[0] {
			t.Fatal("not the same payload")
		}
	}
	if n := v.built.Load(); n != 1 {
		t.Errorf("built %d times, want once", n)
	}
}

func TestViewPeriods(t *testing.T) {
	n := 0
	v := newView(time.Second, func(time.Time) (any, error) { n++; return n, nil })
	for i, step := range []struct {
		at   time.Duration
		want string
	}{
		{0, "1\n"}, {999 * time.Millisecond, "1\n"}, {time.Second, "2\n"}, {1500 * time.Millisecond, "2\n"},
		{-time.Hour, "3\n"}, // the clock was set back
		{-time.Hour + time.Second, "4\n"},
	} {
		p, err := v.get(testNow.Add(step.at))
		if err != nil || string(p.body) != step.want {
			t.Errorf("step %d: %q, %v; want %q", i, p.body, err, step.want)
		}
	}
}

func TestViewErrorNotKept(t *testing.T) {
	fail := errors.New("broken")
	v := newView(time.Minute, func(time.Time) (any, error) { return "ok", fail })
	if _, err := v.get(testNow); !errors.Is(err, fail) {
		t.Errorf("got %v", err)
	}
	fail = nil
	if p, err := v.get(testNow); err != nil || string(p.body) != "\"ok\"\n" {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"":                            false,
		"gzip":                        true,
		"gzip, deflate, br":           true,
		"deflate, GZIP;q=0.5":         true,
		"gzip;q=0":                    false,
		"gzip; q=0.000":               false,
		"*":                           true,
		"*;q=0":                       false,
		"gzip;q=0, *":                 false,
		"*;q=0, gzip":                 true,
		"identity":                    false,
		"gzip;q=x":                    false,
		"br;q=1.0, gzip;q=0.8, *;q=0": true,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if header != "" {
			r.Header.Set("Accept-Encoding", header)
		}
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
}

func TestViewGzip(t *testing.T) {
	s, _ := newTestServer(t, full(), Config{})
	plain := get(t, s, "/api/overview")
	packed := get(t, s, "/api/overview", "Accept-Encoding", "gzip")
	if plain.Header().Get("Content-Encoding") != "" || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("encodings %q and %q", plain.Header().Get("Content-Encoding"), packed.Header().Get("Content-Encoding"))
	}
	if plain.Header().Get("Vary") != "Accept-Encoding" || packed.Header().Get("Vary") != "Accept-Encoding" {
		t.Error("no Vary")
	}
	zr, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(zr)
	if err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
		t.Errorf("unpacked to something else: %v", err)
	}
	// A small response fits into a packet as it is.
	if got := get(t, s, "/api/pool-page", "Accept-Encoding", "gzip").Header().Get("Content-Encoding"); got != "" {
		t.Errorf("a small response is %s", got)
	}
}

func TestCompressNotWorthIt(t *testing.T) {
	noise := make([]byte, 4096)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(noise)
	if compress(noise, gzip.BestSpeed) != nil {
		t.Error("noise was compressed")
	}
	if compress([]byte(strings.Repeat("a", 4096)), gzip.BestSpeed) == nil {
		t.Error("a repetition was not")
	}
}
