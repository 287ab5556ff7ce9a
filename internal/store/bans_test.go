package store_test

import (
	"database/sql"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/poolscope/poolscope/internal/abuse"
)

// A row that makes no sense keeps neither the pool from starting nor the other
// bans from being in force.
func TestUnreadableBansAreLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	s := openStore(t, path)
	good := abuse.Ban{Block: netip.MustParsePrefix("203.0.113.7/32"), Level: 1}
	if err := s.SaveBans(t.Context(), []abuse.Ban{good}, nil); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range []string{"", "everybody", "0.0.0.0/0", "203.0.113.9/24", "2001:db8::1/128"} {
		if _, err := raw.ExecContext(t.Context(), `INSERT INTO bans (block, since, until, level, reason, manual) VALUES (?, 0, 0, 1, '', 0)`, block); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	bans, err := s.LoadBans(t.Context())
	if err != nil || len(bans) != 1 || bans[0] != good {
		t.Errorf("%+v, %v", bans, err)
	}
}
