package abuse_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/abuse/abusetest"
	"github.com/poolscope/poolscope/internal/stratum"
)

var quiet = slog.New(slog.DiscardHandler)

// running is a watch that runs on a store; stop ends it and waits.
func running(t *testing.T, store abuse.Store) (w *abuse.Watch, stop func()) {
	t.Helper()
	w = abuse.New(abuse.Default(), store, quiet)
	if err := w.Load(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return w, func() { cancel(); <-done }
}

func misbehave(t *testing.T, w *abuse.Watch, address string) {
	t.Helper()
	for range abuse.Default().BanAfter {
		v, refusal := w.Admit(netip.MustParseAddr(address), false, time.Now())
		if refusal.Reason != stratum.CloseUnknown {
			t.Fatalf("refused: %s", refusal.Reason)
		}
		w.Leave(&v, true, "junk", time.Now())
	}
}

func banned(w *abuse.Watch, address string) bool {
	v, refusal := w.Admit(netip.MustParseAddr(address), false, time.Now())
	w.Leave(&v, false, "", time.Now())
	return refusal.Reason == stratum.CloseBanned
}

var sameBans = cmp.Options{cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmpopts.EquateApproxTime(0)}

// What is banned stays so over a restart, for as long as it was to be, and the
// next ban is longer.
func TestBansSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := abusetest.NewMemory()
		w, stop := running(t, store)
		misbehave(t, w, "203.0.113.7")
		misbehave(t, w, "2001:db8::1")
		if _, err := w.Ban(netip.MustParsePrefix("198.51.100.0/24"), 0, "scanner", time.Now()); err != nil {
			t.Fatal(err)
		}
		want := w.Status(time.Now()).Bans
		synctest.Wait()
		stop()

		time.Sleep(10 * time.Minute)
		w, stop = running(t, store)
		if diff := cmp.Diff(want, w.Status(time.Now()).Bans, sameBans); diff != "" {
			t.Errorf("(-before +after)\n%s", diff)
		}
		if !banned(w, "203.0.113.7") || !banned(w, "198.51.100.9") {
			t.Error("not banned after the restart")
		}
		if err := w.Lift(netip.MustParsePrefix("198.51.100.0/24"), time.Now()); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Minute)
		if banned(w, "203.0.113.7") {
			t.Error("still banned when it should be over")
		}
		stop()

		w, stop = running(t, store)
		defer stop()
		if banned(w, "198.51.100.9") {
			t.Error("a lifted ban is back")
		}
		misbehave(t, w, "203.0.113.7")
		if got := w.Status(time.Now()).Bans; len(got) != 1 || got[0].Level != 2 || time.Until(got[0].Until) != 30*time.Minute {
			t.Errorf("the second ban: %+v", got)
		}
	})
}

// A ban that is made while the process ends is written, too.
func TestLastBanIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := abusetest.NewMemory()
		w, stop := running(t, store)
		misbehave(t, w, "203.0.113.7")
		stop()
		if kept, _ := store.LoadBans(t.Context()); len(kept) != 1 {
			t.Errorf("kept: %+v", kept)
		}
	})
}

// While the disk is broken, bans hold; afterwards they are written.
func TestBrokenStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := abusetest.NewMemory()
		w, stop := running(t, store)
		defer stop()
		store.Fail(errors.New("disk full"))
		misbehave(t, w, "203.0.113.7")
		misbehave(t, w, "203.0.113.8")
		time.Sleep(time.Minute)
		if !banned(w, "203.0.113.7") {
			t.Error("not banned")
		}
		if n := store.Calls(); n > 20 {
			t.Errorf("%d attempts in a minute", n)
		}
		if st := w.Status(time.Now()); st.Failures == 0 {
			t.Error("failures are not counted")
		}
		store.Fail(nil)
		time.Sleep(10 * time.Second)
		if kept, _ := store.LoadBans(t.Context()); len(kept) != 2 {
			t.Errorf("kept: %+v", kept)
		}
	})
}

// Bans that are over and forgiven leave the store.
func TestOldBansLeaveTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := abusetest.NewMemory()
		w, stop := running(t, store)
		misbehave(t, w, "203.0.113.7")
		misbehave(t, w, "203.0.113.8")
		time.Sleep(time.Hour)
		stop()
		if kept, _ := store.LoadBans(t.Context()); len(kept) != 2 {
			t.Errorf("kept after an hour: %+v", kept)
		}
		time.Sleep(24 * time.Hour)
		w, stop = running(t, store)
		defer stop()
		time.Sleep(time.Second)
		if kept, _ := store.LoadBans(t.Context()); len(kept) != 0 {
			t.Errorf("kept after a day: %+v", kept)
		}
		if st := w.Status(time.Now()); len(st.Bans) != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestLoadFails(t *testing.T) {
	store := abusetest.NewMemory()
	broken := errors.New("disk on fire")
	store.Fail(broken)
	if err := abuse.New(abuse.Default(), store, quiet).Load(t.Context(), time.Now()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
