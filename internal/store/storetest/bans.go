package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
)

// RunBans checks a kind of store of bans. Open makes an empty one; the suite
// opens many.
func RunBans(t *testing.T, open func(t *testing.T) abuse.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s abuse.Store)
	}{
		{"Empty", testNoBans},
		{"RoundTrip", testBansRoundTrip},
		{"Replaced", testBansReplaced},
		{"Removed", testBansRemoved},
		{"Canceled", testBansCanceled},
		{"Concurrent", testBansConcurrent},
	} {
		t.Run("Bans/"+c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// someBans are one of each kind.
func someBans() []abuse.Ban {
	return []abuse.Ban{
		{Block: netip.MustParsePrefix("198.51.100.0/24"), Since: noon, Reason: "'; DROP TABLE bans; -- Zürich ⛏", Manual: true},
		{Block: netip.MustParsePrefix("203.0.113.7/32"), Since: noon.Add(time.Millisecond), Until: noon.Add(time.Hour), Level: 3, Reason: "5 connections dropped"},
		{Block: netip.MustParsePrefix("2001:db8:1:2::/64"), Since: noon, Until: noon.Add(1500 * time.Millisecond), Level: 1},
	}
}

func load(t *testing.T, s abuse.Store) []abuse.Ban {
	t.Helper()
	all, err := s.LoadBans(t.Context())
	check(t, err)
	slices.SortFunc(all, func(a, b abuse.Ban) int {
		return cmp.Or(a.Block.Addr().Compare(b.Block.Addr()), cmp.Compare(a.Block.Bits(), b.Block.Bits()))
	})
	return all
}

// sameBans compares lists that are in order.
func sameBans(t *testing.T, got, want []abuse.Ban) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func testNoBans(t *testing.T, s abuse.Store) {
	sameBans(t, load(t, s), nil)
	check(t, s.SaveBans(t.Context(), nil, nil))
	check(t, s.SaveBans(t.Context(), nil, []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}))
	sameBans(t, load(t, s), nil)
}

func testBansRoundTrip(t *testing.T, s abuse.Store) {
	for range 3 {
		check(t, s.SaveBans(t.Context(), someBans(), nil))
		sameBans(t, load(t, s), someBans())
	}
	fine := someBans()[1]
	fine.Since = noon.In(time.FixedZone("elsewhere", 3600)).Add(time.Millisecond + 999*time.Microsecond)
	check(t, s.SaveBans(t.Context(), []abuse.Ban{fine}, nil))
	sameBans(t, load(t, s), someBans())
}

func testBansReplaced(t *testing.T, s abuse.Store) {
	want := someBans()
	check(t, s.SaveBans(t.Context(), want, nil))
	want[1].Level, want[1].Until, want[1].Manual = 4, time.Time{}, true
	check(t, s.SaveBans(t.Context(), want[1:2], nil))
	sameBans(t, load(t, s), want)
	// The same network with another length is another block.
	part := abuse.Ban{Block: netip.MustParsePrefix("198.51.100.0/32"), Since: noon, Level: 1}
	check(t, s.SaveBans(t.Context(), []abuse.Ban{part}, nil))
	sameBans(t, load(t, s), []abuse.Ban{want[0], part, want[1], want[2]})
}

func testBansRemoved(t *testing.T, s abuse.Store) {
	all := someBans()
	check(t, s.SaveBans(t.Context(), all[:2], nil))
	for range 3 {
		check(t, s.SaveBans(t.Context(), all[2:], []netip.Prefix{all[0].Block, all[1].Block}))
		sameBans(t, load(t, s), all[2:])
	}
}

func testBansCanceled(t *testing.T, s abuse.Store) {
	check(t, s.SaveBans(t.Context(), someBans()[:1], nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.SaveBans(ctx, someBans(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("save: %v", err)
	}
	if _, err := s.LoadBans(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v", err)
	}
	sameBans(t, load(t, s), someBans()[:1])
}

func testBansConcurrent(t *testing.T, s abuse.Store) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 10 {
				b := abuse.Ban{Block: netip.MustParsePrefix(fmt.Sprintf("203.0.%d.%d/32", i, n)), Since: noon, Level: 1}
				if err := s.SaveBans(t.Context(), []abuse.Ban{b}, nil); err != nil {
					t.Error(err)
				}
				if _, err := s.LoadBans(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(load(t, s)); n != 80 {
		t.Errorf("%d bans, want 80", n)
	}
}
