package notify

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A message that may have arrived comes again with a remark, from then on; one that
// certainly did not comes without.
func TestWhatMayHaveArrivedSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		errs       []error
		idempotent bool
		remark     bool
	}{
		"refused":                    {[]error{errors.New("no"), errors.New("no")}, false, false},
		"no answer":                  {[]error{Unsure(errors.New("no answer"))}, false, true},
		"no answer, then refused":    {[]error{Unsure(errors.New("no answer")), errors.New("no")}, false, true},
		"refused, then no answer":    {[]error{errors.New("no"), Unsure(errors.New("no answer"))}, false, true},
		"the service knows messages": {[]error{Unsure(errors.New("no answer"))}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, out := newShelf(), &sink{}
				out.fail = func(n int) error {
					if n <= len(c.errs) {
						return c.errs[n-1]
					}
					return nil
				}
				s.channel("c1", nil)
				_, stop := runCenter(t, newStage().config(s, out.service("sink", c.idempotent)))
				defer stop()
				s.put(t, "c1", "a")
				settle(time.Minute)
				if out.count() != 1 || slices.Contains(out.texts(), repetition) != c.remark {
					t.Errorf("told %q", out.texts())
				}
				s.put(t, "c1", "b")
				settle(time.Minute)
				if got := out.last().Lines; !slices.Equal(got, []string{"b"}) {
					t.Errorf("the next message is %q", got)
				}
			})
		})
	}
}

// A request that left and got no answer is unsure; one that never left is not.
func TestWhatIsUnsure(t *testing.T) {
	taken := make(chan struct{}, 16)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		taken <- struct{}{}
		panic(http.ErrAbortHandler)
	}))
	defer broken.Close()
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) }))
	defer gateway.Close()
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer busy.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	services := New(Config{Settings: Settings{Services: Catalog(CatalogConfig{AllowPrivate: true})}}, quietLog).services()
	for name, kind := range map[string]struct {
		service string
		setting func(base string) map[string]string
	}{
		"own client": {"gotify", func(base string) map[string]string { return map[string]string{"server": base, "token": "tk"} }},
		"shoutrrr":   {"ntfy", func(base string) map[string]string { return map[string]string{"server": base, "topic": "alerts"} }},
	} {
		for base, want := range map[string]bool{broken.URL: true, gateway.URL: true, busy.URL: false, "http://" + closed.Addr().String(): false} {
			s := services[kind.service]
			ch, err := s.Open(Opening{Operator: true, Settings: kind.setting(base)})
			if err != nil {
				t.Fatal(err)
			}
			if err := ch.Send(t.Context(), testMessage()); err == nil || IsPermanent(err) || IsUnsure(err) != want {
				t.Errorf("%s: %v, unsure %t, want %t", name, err, IsUnsure(err), want)
			}
		}
	}
	if len(taken) == 0 {
		t.Error("the request never left")
	}
}
