package abuse

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

var quiet = slog.New(slog.DiscardHandler)

var stranger = netip.MustParseAddr("203.0.113.7")

func enter(t *testing.T, w *Watch, address netip.Addr, now time.Time) Visit {
	t.Helper()
	v, refusal := w.Admit(address, false, now)
	if refusal.Reason != stratum.CloseUnknown {
		t.Fatalf("%s is refused: %s", address, refusal.Reason)
	}
	return v
}

func refusal(w *Watch, address netip.Addr, now time.Time) stratum.CloseReason {
	v, r := w.Admit(address, false, now)
	if r.Reason == stratum.CloseUnknown {
		w.Leave(&v, false, "", now)
	}
	return r.Reason
}

// misbehave opens connections that are dropped, until the block is banned.
func misbehave(t *testing.T, w *Watch, address netip.Addr, times int, now time.Time) {
	t.Helper()
	for range times {
		v := enter(t, w, address, now)
		w.Leave(&v, true, "junk", now)
	}
}

func wantAt(t *testing.T, w *Watch, address netip.Addr, now time.Time, want stratum.CloseReason) {
	t.Helper()
	if got := refusal(w, address, now); got != want {
		t.Errorf("%s at %s: %s, want %s", address, now.Format(time.DateTime), got, want)
	}
}

func TestBansGrowAndAreForgotten(t *testing.T) {
	w := New(Default(), nil, quiet)
	now := noon
	for level, want := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		misbehave(t, w, stranger, 4, now)
		wantAt(t, w, stranger, now, stratum.CloseUnknown)
		misbehave(t, w, stranger, 1, now)
		bans := w.Status(now).Bans
		if len(bans) != 1 || bans[0].Until.Sub(now) != want || bans[0].Level != level+1 || bans[0].Reason != "junk" || bans[0].Manual {
			t.Fatalf("ban %d: %+v, want one of %v", level+1, bans, want)
		}
		wantAt(t, w, stranger, now.Add(want-time.Millisecond), stratum.CloseBanned)
		now = now.Add(want)
		wantAt(t, w, stranger, now, stratum.CloseUnknown)
		if bans := w.Status(now).Bans; len(bans) != 0 {
			t.Errorf("over, but shown: %+v", bans)
		}
	}
	// Six days without one make a ninth ban a fourth one.
	now = now.Add(6*24*time.Hour + time.Minute)
	misbehave(t, w, stranger, 5, now)
	if got := w.Status(now).Bans[0]; got.Level != 4 {
		t.Errorf("after six good days: %+v", got)
	}
	w.forgetOld(now.Add(30 * 24 * time.Hour))
	if n := len(w.bans.m); n != 0 {
		t.Errorf("%d bans are remembered after a month", n)
	}
}

// A rig that is broken, and dropped now and then, is not banned.
func TestRareDropsAreForgotten(t *testing.T) {
	w := New(Default(), nil, quiet)
	for i := range 100 {
		misbehave(t, w, stranger, 1, noon.Add(time.Duration(i)*DropMemory))
	}
	wantAt(t, w, stranger, noon.Add(100*DropMemory), stratum.CloseUnknown)
}

func TestBlocksAreApart(t *testing.T) {
	w := New(Default(), nil, quiet)
	misbehave(t, w, netip.MustParseAddr("2001:db8:1:2::3"), 5, noon)
	wantAt(t, w, netip.MustParseAddr("2001:db8:1:2:ffff::1"), noon, stratum.CloseBanned)
	wantAt(t, w, netip.MustParseAddr("2001:db8:1:3::3"), noon, stratum.CloseUnknown)
	misbehave(t, w, netip.MustParseAddr("::ffff:203.0.113.8"), 5, noon)
	wantAt(t, w, netip.MustParseAddr("203.0.113.8"), noon, stratum.CloseBanned)
	wantAt(t, w, stranger, noon, stratum.CloseUnknown)
}

func TestLocalAndTrustedAreNeverBanned(t *testing.T) {
	cfg := Default()
	cfg.Trusted = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	cfg.ConnectBurst, cfg.MaxPending = 1, 1
	w := New(cfg, nil, quiet)
	for _, text := range []string{"127.0.0.1", "::1", "192.168.1.5", "fd00::5", "198.51.100.9"} {
		misbehave(t, w, netip.MustParseAddr(text), 100, noon)
	}
	for range 100 {
		v, r := w.Admit(stranger, true, noon)
		if r.Reason != stratum.CloseUnknown {
			t.Fatal("an exempt connection is refused")
		}
		w.Leave(&v, true, "junk", noon)
	}
	if st := w.Status(noon); len(st.Bans) != 0 || st.Blocks != 0 {
		t.Errorf("%+v", st)
	}
}

// One bad rig in a farm is dropped again and again; the farm stays.
func TestHonestNeighboursProtectTheirAddress(t *testing.T) {
	w := New(Default(), nil, quiet)
	rig := enter(t, w, stranger, noon)
	w.SignedIn(&rig)
	w.Vouch(&rig, noon)
	misbehave(t, w, stranger, 50, noon.Add(honestFor-time.Second))
	if st := w.Status(noon); len(st.Bans) != 0 || st.Spared != 46 {
		t.Fatalf("%+v", st)
	}
	// It has been silent for too long.
	misbehave(t, w, stranger, 1, noon.Add(honestFor))
	wantAt(t, w, stranger, noon.Add(honestFor), stratum.CloseBanned)
}

// Who does honest work and then misbehaves does not speak for itself.
func TestNobodyVouchesForItself(t *testing.T) {
	w := New(Default(), nil, quiet)
	for range 5 {
		v := enter(t, w, stranger, noon)
		w.Vouch(&v, noon)
		w.Leave(&v, true, "junk", noon)
	}
	wantAt(t, w, stranger, noon, stratum.CloseBanned)

	// With a neighbour that is not so, however often the bad one vouches.
	other := netip.MustParseAddr("203.0.113.8")
	good := enter(t, w, other, noon)
	w.Vouch(&good, noon)
	for range 20 {
		v := enter(t, w, other, noon)
		w.Vouch(&v, noon.Add(time.Second))
		w.Vouch(&v, noon.Add(2*time.Second))
		w.Leave(&v, true, "junk", noon)
	}
	wantAt(t, w, other, noon, stratum.CloseUnknown)
}

// A farm of five thousand comes back at once after a restart; a flood does not
// get in for ever.
func TestConnectRate(t *testing.T) {
	w := New(Default(), nil, quiet)
	var farm []Visit
	for range 5000 {
		farm = append(farm, enter(t, w, stranger, noon))
	}
	for i := range farm {
		w.SignedIn(&farm[i])
	}
	in := 0
	for range 20_000 {
		if refusal(w, stranger, noon) == stratum.CloseUnknown {
			in++
		}
	}
	if in != 5000 {
		t.Errorf("%d of a flood got in beside the farm", in)
	}
	wantAt(t, w, stranger, noon, stratum.CloseTooFast)
	for range 20 {
		wantAt(t, w, stranger, noon.Add(time.Second), stratum.CloseUnknown)
	}
	wantAt(t, w, stranger, noon.Add(time.Second), stratum.CloseTooFast)
	wantAt(t, w, netip.MustParseAddr("203.0.113.8"), noon, stratum.CloseUnknown)
}

func TestPendingConnections(t *testing.T) {
	cfg := Default()
	cfg.MaxPending = 3
	w := New(cfg, nil, quiet)
	var open []Visit
	for range 3 {
		open = append(open, enter(t, w, stranger, noon))
	}
	wantAt(t, w, stranger, noon, stratum.CloseTooManyPending)
	w.SignedIn(&open[0])
	w.SignedIn(&open[0])
	wantAt(t, w, stranger, noon, stratum.CloseUnknown)
	enter(t, w, stranger, noon)
	wantAt(t, w, stranger, noon, stratum.CloseTooManyPending)
	w.Leave(&open[1], false, "", noon)
	wantAt(t, w, stranger, noon, stratum.CloseUnknown)
}

func TestZeroSwitchesOff(t *testing.T) {
	w := New(Config{}, nil, quiet)
	for range 50_000 {
		enter(t, w, stranger, noon)
	}
	misbehave(t, w, stranger, 1000, noon)
	if got := w.Status(noon).Bans; len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestBansByHand(t *testing.T) {
	w := New(Default(), nil, quiet)
	wide, err := w.Ban(netip.MustParsePrefix("203.0.113.0/24"), 0, "scanner", noon)
	if err != nil || !wide.Until.IsZero() || !wide.Manual {
		t.Fatalf("%+v, %v", wide, err)
	}
	wantAt(t, w, stranger, noon.Add(1000*time.Hour), stratum.CloseBanned)
	wantAt(t, w, netip.MustParseAddr("203.0.114.7"), noon, stratum.CloseUnknown)
	if err := w.Lift(BlockOf(stranger), noon); !errors.Is(err, ErrNotBanned) {
		t.Errorf("lifted a part of a ban: %v", err)
	}
	if err := w.Lift(wide.Block, noon); err != nil {
		t.Error(err)
	}
	wantAt(t, w, stranger, noon, stratum.CloseUnknown)

	// Even the operator's own network, if he wants.
	if _, err := w.Ban(netip.MustParsePrefix("192.168.0.0/24"), time.Minute, "guests", noon); err != nil {
		t.Error(err)
	}
	wantAt(t, w, netip.MustParseAddr("192.168.0.9"), noon, stratum.CloseBanned)
	wantAt(t, w, netip.MustParseAddr("192.168.0.9"), noon.Add(time.Minute), stratum.CloseUnknown)
	if err := w.Lift(netip.MustParsePrefix("192.168.0.0/24"), noon.Add(time.Minute)); !errors.Is(err, ErrNotBanned) {
		t.Errorf("lifted what was over: %v", err)
	}
}

// Lifting a ban forgets what led to it.
func TestLiftForgives(t *testing.T) {
	w := New(Default(), nil, quiet)
	misbehave(t, w, stranger, 5, noon)
	if err := w.Lift(BlockOf(stranger), noon); err != nil {
		t.Fatal(err)
	}
	misbehave(t, w, stranger, 5, noon)
	if got := w.Status(noon).Bans[0]; got.Level != 1 {
		t.Errorf("%+v", got)
	}
}

// Whatever an attacker with a large network does, memory is bounded, and bans
// made by hand stay.
func TestMemoryIsBounded(t *testing.T) {
	cfg := Default()
	cfg.BanAfter = 1
	w := New(cfg, nil, quiet)
	manual, err := w.Ban(netip.MustParsePrefix("198.51.100.0/24"), time.Second, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	a := netip.MustParseAddr("2001:db8::").As16()
	for i := range maxIdlePeers + 5000 {
		a[4], a[5], a[6], a[7] = byte(i>>24), byte(i>>16), byte(i>>8), byte(i)
		v := enter(t, w, netip.AddrFrom16(a), noon)
		w.Leave(&v, i < maxBans+10, "junk", noon)
	}
	if len(w.bans.m) != maxBans || len(w.peers) != maxIdlePeers || w.idle.Len() != maxIdlePeers {
		t.Errorf("%d bans, %d blocks, %d idle", len(w.bans.m), len(w.peers), w.idle.Len())
	}
	if w.bans.m[manual.Block] == nil {
		t.Error("the ban by hand is gone")
	}
}
