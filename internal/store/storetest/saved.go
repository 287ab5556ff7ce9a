package storetest

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
)

// RunSaved checks a kind of store of saved workers. Open makes an empty one that
// knows the users u1 and u2, and returns how to remove one; the suite opens many.
func RunSaved(t *testing.T, open func(t *testing.T) (s saved.Store, removeUser func(id string) error)) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s saved.Store, removeUser func(id string) error)
	}{
		{"RoundTrip", testSavedRoundTrip},
		{"Replaced", testSavedReplaced},
		{"Removed", testSavedRemoved},
		{"UserRemoved", testSavedUserRemoved},
		{"Canceled", testSavedCanceled},
	} {
		t.Run("Saved/"+c.name, func(t *testing.T) {
			s, removeUser := open(t)
			c.test(t, s, removeUser)
		})
	}
}

// someSaved is one of each kind.
func someSaved() saved.State {
	day := saved.Day{0: 1, 179: 0x80}
	return saved.State{
		Records: []saved.Record{
			{UserID: "u1", Worker: "'; DROP TABLE saved_workers; -- Zürich ⛏", Added: noon},
			{UserID: "u1", Worker: "bc1q.rig", Notify: true, Added: noon.Add(time.Millisecond), Proven: noon.Add(time.Hour),
				Claim: saved.Claim{Code: "own-0000-0000-0000", Expires: noon.Add(24 * time.Hour), Refused: "it came from elsewhere"}},
			{UserID: "u2", Worker: "bc1q.rig", Notify: true, Added: noon},
		},
		Addresses: []saved.OwnedAddress{{UserID: "u1", Address: "bc1q", Proven: noon}, {UserID: "u2", Address: "bc1q", Proven: noon.Add(time.Second)}},
		Orders:    []saved.Order{{Worker: "bc1q.rig", Difficulty: 0.00015, UserID: "u1", At: noon}, {Worker: "bc1q.two", Difficulty: 65536, UserID: "u2", At: noon}},
		Sightings: []saved.Sighting{
			{Worker: "", Since: noon, LastOnline: noon, Minute: noon.Unix() / 60, Day: day},
			{Worker: "bc1q.rig", Since: noon, LastOnline: noon.Add(time.Minute), Home: netip.MustParsePrefix("2001:db8:1:2::/64"), HomeAt: noon, Minute: noon.Unix()/60 + 1, Day: day,
				HomeSince: noon.Add(-time.Hour), Next: netip.MustParsePrefix("192.0.2.7/32"), NextAt: noon.Add(time.Second), NextSince: noon.Add(-time.Minute)},
		},
	}
}

func fillSaved(t *testing.T, s saved.Store, state saved.State) {
	t.Helper()
	check(t, s.PutSaved(t.Context(), state.Records...))
	for _, a := range state.Addresses {
		check(t, s.PutOwnedAddress(t.Context(), a))
	}
	for _, o := range state.Orders {
		check(t, s.PutOrder(t.Context(), o))
	}
	check(t, s.PutSightings(t.Context(), state.Sightings))
}

// wantSaved compares what the store has with a state whose lists are in order.
func wantSaved(t *testing.T, s saved.Store, want saved.State) {
	t.Helper()
	got, err := s.LoadSaved(t.Context())
	check(t, err)
	slices.SortFunc(got.Records, func(a, b saved.Record) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Worker, b.Worker))
	})
	slices.SortFunc(got.Addresses, func(a, b saved.OwnedAddress) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Address, b.Address))
	})
	slices.SortFunc(got.Orders, func(a, b saved.Order) int { return cmp.Compare(a.Worker, b.Worker) })
	slices.SortFunc(got.Sightings, func(a, b saved.Sighting) int { return cmp.Compare(a.Worker, b.Worker) })
	if !slices.Equal(got.Records, want.Records) || !slices.Equal(got.Addresses, want.Addresses) ||
		!slices.Equal(got.Orders, want.Orders) || !slices.Equal(got.Sightings, want.Sightings) {
		t.Errorf("got  %+v\nwant %+v", *got, want)
	}
}

func testSavedRoundTrip(t *testing.T, s saved.Store, _ func(string) error) {
	wantSaved(t, s, saved.State{})
	users, err := s.SavedUsers(t.Context())
	check(t, err)
	equal(t, "users", users, nil)
	for range 2 {
		fillSaved(t, s, someSaved())
		wantSaved(t, s, someSaved())
	}
	users, err = s.SavedUsers(t.Context())
	check(t, err)
	slices.Sort(users)
	equal(t, "users", users, []string{"u1", "u2"})
}

func testSavedReplaced(t *testing.T, s saved.Store, _ func(string) error) {
	want := someSaved()
	fillSaved(t, s, want)
	want.Records[1].Notify, want.Records[1].Claim, want.Records[1].Proven = false, saved.Claim{}, time.Time{}
	check(t, s.PutSaved(t.Context(), want.Records[1]))
	want.Addresses[0].Proven = noon.Add(time.Hour)
	check(t, s.PutOwnedAddress(t.Context(), want.Addresses[0]))
	want.Orders[0] = saved.Order{Worker: "bc1q.rig", Difficulty: 12, UserID: "u2", At: noon.Add(time.Hour)}
	check(t, s.PutOrder(t.Context(), want.Orders[0]))
	want.Sightings[1].Home, want.Sightings[1].Day = netip.Prefix{}, saved.Day{7: 7}
	check(t, s.PutSightings(t.Context(), want.Sightings[1:]))
	wantSaved(t, s, want)
}

func testSavedRemoved(t *testing.T, s saved.Store, _ func(string) error) {
	want := someSaved()
	fillSaved(t, s, want)
	want.Records, want.Addresses, want.Orders, want.Sightings = want.Records[:2], want.Addresses[1:], want.Orders[1:], want.Sightings[:1]
	for range 2 { // what is gone may be removed again
		check(t, s.RemoveSaved(t.Context(), "u2", "bc1q.rig"))
		check(t, s.RemoveOwnedAddress(t.Context(), "u1", "bc1q"))
		check(t, s.PutOrder(t.Context(), saved.Order{Worker: "bc1q.rig"}))
		check(t, s.RemoveSightings(t.Context(), []string{"bc1q.rig", "nobody"}))
		wantSaved(t, s, want)
	}
}

// What belongs to a user goes with the user.
func testSavedUserRemoved(t *testing.T, s saved.Store, removeUser func(string) error) {
	want := someSaved()
	fillSaved(t, s, want)
	check(t, removeUser("u1"))
	want.Records, want.Addresses, want.Orders = want.Records[2:], want.Addresses[1:], want.Orders[1:]
	wantSaved(t, s, want)
	if s.PutSaved(t.Context(), someSaved().Records[0]) == nil {
		t.Error("a worker is saved for a user who is not there")
	}
}

func testSavedCanceled(t *testing.T, s saved.Store, _ func(string) error) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.PutSaved(ctx, someSaved().Records...); !errors.Is(err, context.Canceled) {
		t.Errorf("save: %v", err)
	}
	if _, err := s.LoadSaved(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("load: %v", err)
	}
	wantSaved(t, s, saved.State{})
}
