// Package audit holds three accounts of what happened against each other: the
// chain of a node, the books of a pool, and what miners were told. The miners
// are its own, and share no code with the pool.
//
// It expects a devnet whose only miners are ours.
package audit

import (
	"database/sql"
	"encoding/hex"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"github.com/poolscope/poolscope/test/nodes"
)

// Miners' addresses, whose keys everybody knows (1 and 2), and their workers.
const (
	firstAddress  = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	secondAddress = "bcrt1qq6hag67dl53wl99vzg42z8eyzfz2xlkvwk6f7m"
)

// Workers are the miners to run.
func Workers() []string { return []string{firstAddress + ".one", secondAddress + ".two"} }

// chainBlock is a block of the chain that pays one of our miners.
type chainBlock struct {
	height int64
	value  int64 // satoshis of all outputs of its coinbase
	payee  string
}

// Chain is the best chain of the node.
type Chain struct {
	height int64
	ours   map[string]chainBlock // by hash
}

// ReadChain walks the whole chain.
func ReadChain(t *testing.T, node nodes.RPC) Chain {
	t.Helper()
	c := Chain{height: node.Height(t), ours: map[string]chainBlock{}}
	for h := int64(1); h <= c.height; h++ {
		b := node.BlockAt(t, h)
		out := b.Tx[0].Vout
		payee := out[0].ScriptPubKey.Address
		if payee != firstAddress && payee != secondAddress {
			continue // mined by the devnet itself, before the test
		}
		value := int64(0)
		for _, o := range out {
			value += int64(math.Round(o.Value * 1e8))
		}
		c.ours[b.Hash] = chainBlock{height: h, value: value, payee: payee}
	}
	return c
}

// bookedBlock is a row of the table of found blocks.
type bookedBlock struct {
	height, value          int64
	worker, address, state string
	reason                 string
}

// bookedWorker is a row of the table of workers.
type bookedWorker struct {
	accepted int64
	work     float64
}

// Books are what the pool's database says.
type Books struct {
	blocks  map[string]bookedBlock // by hash
	workers map[string]bookedWorker
	history bookedWorker // sum of all minutes and what they were rolled up to, of the pool
}

// ReadBooks reads the database of a pool that has ended, without the program's
// own code.
func ReadBooks(t *testing.T, dir string) Books {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "poolscope.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var integrity string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&integrity); err != nil || integrity != "ok" {
		t.Fatalf("integrity of the books: %q, %v", integrity, err)
	}
	b := Books{blocks: map[string]bookedBlock{}, workers: map[string]bookedWorker{}}
	rows(t, db, "SELECT hash, height, value, worker, address, state, reason FROM blocks", func(scan func(...any) error) error {
		var hash []byte
		var row bookedBlock
		err := scan(&hash, &row.height, &row.value, &row.worker, &row.address, &row.state, &row.reason)
		slices.Reverse(hash)
		b.blocks[hex.EncodeToString(hash)] = row
		return err
	})
	rows(t, db, "SELECT name, accepted, work FROM workers", func(scan func(...any) error) error {
		var name string
		var row bookedWorker
		err := scan(&name, &row.accepted, &row.work)
		b.workers[name] = row
		return err
	})
	const sum = `SELECT COALESCE(SUM(accepted), 0), COALESCE(SUM(work), 0) FROM minutes
		WHERE worker = (SELECT id FROM workers WHERE name = '')`
	if err := db.QueryRow(sum).Scan(&b.history.accepted, &b.history.work); err != nil {
		t.Fatal(err)
	}
	return b
}

// rows scans every row of a query.
func rows(t *testing.T, db *sql.DB, query string, take func(scan func(...any) error) error) {
	t.Helper()
	r, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for r.Next() {
		if err := take(r.Scan); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
}

// logged matches the line about a found block.
var logged = regexp.MustCompile(`msg="block found".* hash=([0-9a-f]{64})`)

// ReadLog notes the blocks that the pool said it had found.
func ReadLog(output string, found map[string]bool) {
	for _, m := range logged.FindAllStringSubmatch(output, -1) {
		found[m[1]] = true
	}
}

// Compare holds the accounts against each other, and against the hashes of the
// blocks that the pool logged: no block is lost, none is booked wrongly or
// twice, and nobody is credited more than was done.
func Compare(t *testing.T, c Chain, b Books, all *Log, found map[string]bool) {
	t.Helper()
	finder := map[string]string{} // worker by hash
	var shares, accepted, told, unanswered int
	lost := func(hash, how string) {
		row, booked := b.blocks[hash]
		_, won := c.ours[hash]
		switch {
		case won && booked:
		case booked && row.state == "stale" && row.height <= c.height:
		default:
			t.Errorf("block %s, %s: in the chain: %v, in the books: %+v", hash, how, won, row)
		}
	}

	credit := map[string]bookedWorker{} // the most that each worker may have
	for _, s := range all.sent {
		shares++
		w := credit[s.worker]
		if s.accepted || !s.answered {
			w.accepted++
			w.work += s.difficulty
			credit[s.worker] = w
		}
		if !s.answered {
			unanswered++
		}
		if s.accepted {
			accepted++
		}
		if !s.block {
			continue
		}
		finder[s.hash] = s.worker
		// A block of the tip before is stale as a share, and a block all the same.
		if s.accepted || s.refusal == "Stale" {
			told++
			lost(s.hash, "which its miner was told of ("+s.refusal+")")
		}
	}
	for hash := range found {
		lost(hash, "which the pool logged")
	}

	stale := 0
	for hash, row := range b.blocks {
		won, in := c.ours[hash]
		switch {
		case in && row.state != "accepted" && row.state != "confirmed":
			t.Errorf("block %s is in the chain; the books call it %s (%s)", hash, row.state, row.reason)
		case in && (row.height != won.height || row.value != won.value || row.address != won.payee):
			t.Errorf("block %s is %+v in the chain, %+v in the books", hash, won, row)
		case !in && (row.state != "stale" || row.height > c.height):
			t.Errorf("block %s is not in the chain; the books call it %s (%s)", hash, row.state, row.reason)
		}
		if row.worker != finder[hash] {
			t.Errorf("block %s was found by %q, the books say %q", hash, finder[hash], row.worker)
		}
		if !in {
			stale++
		}
	}
	for hash, won := range c.ours {
		if _, booked := b.blocks[hash]; !booked {
			t.Errorf("block %s at height %d is in the chain and not in the books", hash, won.height)
		}
	}

	var sum bookedWorker
	for _, name := range Workers() {
		got, most := b.workers[name], credit[name]
		sum.accepted += got.accepted
		sum.work += got.work
		if got.accepted > most.accepted || got.work > most.work*(1+1e-9) {
			t.Errorf("%s is credited %d shares and %g of work; it sent %d and %g at most", name, got.accepted, got.work, most.accepted, most.work)
		}
	}
	if pool := b.workers[""]; pool.accepted != sum.accepted || math.Abs(pool.work-sum.work) > 1e-9*sum.work {
		t.Errorf("the pool's total is %+v, that of its workers %+v", pool, sum)
	}
	if b.history.accepted > sum.accepted {
		t.Errorf("the history holds %d shares, the totals %d", b.history.accepted, sum.accepted)
	}
	t.Logf("%d shares, %d accepted, %d without an answer; %d blocks told of, %d logged, %d in the chain, %d stale; books: %d shares",
		shares, accepted, unanswered, told, len(found), len(c.ours), stale, sum.accepted)
	if len(c.ours) < 10 || told < 10 {
		t.Error("too few blocks to prove anything")
	}
}
