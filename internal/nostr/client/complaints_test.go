package client

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
	"github.com/poolscope/poolscope/internal/nostr/nostrtest"
	"github.com/poolscope/poolscope/internal/nostr/relay"
)

// logged is a log that is read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// lines are those since it was asked last that name the relay.
func (l *logged) lines() (list []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, "relay=ws://relay.example") {
			list = append(list, line)
		}
	}
	l.text.Reset()
	return list
}

// TestTheLogNamesARelayThatIsAway cuts a relay off for an hour.
func TestTheLogNamesARelayThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := relay.New(relay.Config{})
		defer r.Close()
		network := nostrtest.New(t, r)
		log := &logged{}
		network.Cut()
		runFor(t, network, Config{Log: slog.New(slog.NewTextHandler(log, nil))})
		want := func(when string, min, max int, texts ...string) {
			t.Helper()
			synctest.Wait()
			lines := log.lines()
			if len(lines) < min || len(lines) > max {
				t.Errorf("%s: %d lines: %q", when, len(lines), lines)
				return
			}
			for i, text := range texts {
				if !strings.Contains(lines[i], text) {
					t.Errorf("%s: %q has no %q", when, lines[i], text)
				}
			}
		}
		time.Sleep(time.Second)
		want("at first", 1, 1, "relay not reached")
		time.Sleep(time.Hour)
		want("for an hour", 4, 6, "relay not reached")
		network.Restore()
		time.Sleep(2 * time.Minute)
		want("when it is back", 1, 1, "relay connected")
		network.Cut()
		time.Sleep(30 * time.Second)
		want("when it is lost", 2, 2, "relay lost", "relay not reached")
	})
}

// TestARelayThatRefusesIsNamedNowAndThen closes the subscription as often as it
// is asked for.
func TestARelayThatRefusesIsNamedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s http.Handler = &script{say: func(m nostr.Message, talk func(string)) {
			if m.Label == nostr.LabelReq {
				talk(`["CLOSED","all","blocked: not you"]`)
			}
		}}
		log := &logged{}
		runFor(t, nostrtest.New(t, s), Config{Subscriptions: everything, Log: slog.New(slog.NewTextHandler(log, nil))})
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		if lines := log.lines(); len(lines) != 2 || !strings.Contains(lines[1], "relay refuses a subscription") || !strings.Contains(lines[1], "blocked: not you") {
			t.Errorf("%q", lines)
		}
	})
}
