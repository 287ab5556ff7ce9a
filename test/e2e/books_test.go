package e2e

import (
	"database/sql"
	"encoding/hex"
	"path/filepath"
	"slices"
	"testing"

	_ "modernc.org/sqlite" // the driver
)

// bookedBlock is a row of the table of found blocks.
type bookedBlock struct {
	height                                 int64
	hash                                   string // as people write it
	address, state                         string
	value, workerPayout, poolFee, donation int64
}

// readBooks reads the found blocks from the database of a program that has
// ended, without the program's own code.
func readBooks(t *testing.T, dataDir string) []bookedBlock {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dataDir, "poolscope.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	var integrity string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&integrity); err != nil || integrity != "ok" {
		t.Fatalf("integrity of the books: %q, %v", integrity, err)
	}
	rows, err := db.Query("SELECT height, hash, address, state, value, worker_payout, pool_fee, donation FROM blocks ORDER BY height")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []bookedBlock
	for rows.Next() {
		var b bookedBlock
		var hash []byte
		if err := rows.Scan(&b.height, &hash, &b.address, &b.state, &b.value, &b.workerPayout, &b.poolFee, &b.donation); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(hash) // stored as in the header
		b.hash = hex.EncodeToString(hash)
		all = append(all, b)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
