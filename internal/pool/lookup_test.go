package pool

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// wantCoinbase compares what the pool says that a connection hashes with the
// notify that its miner has received, and decodes it with btcd.
func (m *testMiner) wantCoinbase(r *rig, connection string) (*Coinbase, *wire.MsgTx) {
	m.t.Helper()
	m.settle()
	c, ok := r.pool.Coinbase(connection)
	if !ok {
		m.t.Fatalf("no coinbase of %s", connection)
	}
	sent, err := hex.DecodeString(m.job.coinb1 + m.en1 + strings.Repeat("00", extranonce2Size) + m.job.coinb2)
	if err != nil {
		m.t.Fatal(err)
	}
	if !bytes.Equal(c.Tx, sent) || c.JobID != m.job.id {
		m.t.Fatalf("job %s: %x\nnotified %s: %x", c.JobID, c.Tx, m.job.id, sent)
	}
	if hex.EncodeToString(c.Extranonce1) != m.en1 || c.Extranonce2Size != extranonce2Size || c.ExtranonceAt != len(m.job.coinb1)/2 ||
		!bytes.Equal(c.Tx[c.ExtranonceAt:c.ExtranonceAt+extranonce1Size], c.Extranonce1) {
		m.t.Errorf("extranonce1 %x at %d, extranonce2 of %d bytes; the miner has %s", c.Extranonce1, c.ExtranonceAt, c.Extranonce2Size, m.en1)
	}
	if len(c.Branches) != len(m.job.branches) {
		m.t.Fatalf("%d branches, notified %d", len(c.Branches), len(m.job.branches))
	}
	for i := range c.Branches {
		if chainhash.Hash(c.Branches[i]) != m.job.branches[i] {
			m.t.Errorf("branch %d: %s, notified %s", i, c.Branches[i], m.job.branches[i])
		}
	}
	if chainhash.Hash(c.PrevHash) != m.job.prev || c.Version != m.job.version || c.Bits != m.job.bits || c.NTime != m.job.time {
		m.t.Errorf("header %s %08x %08x %08x, notified %s %08x %08x %08x", c.PrevHash, c.Version, c.Bits, c.NTime, m.job.prev, m.job.version, m.job.bits, m.job.time)
	}

	tx := new(wire.MsgTx)
	if err := tx.DeserializeNoWitness(bytes.NewReader(c.Tx)); err != nil {
		m.t.Fatal(err)
	}
	pays := map[string]int64{}
	total := int64(0)
	for _, out := range tx.TxOut {
		pays[string(out.PkScript)] += out.Value
		total += out.Value
	}
	if total != c.Value || c.Payout+c.Fee+c.Donation != c.Value {
		m.t.Errorf("outputs of %d sats, %d + %d + %d of %d", total, c.Payout, c.Fee, c.Donation, c.Value)
	}
	for _, part := range []struct {
		script []byte
		value  int64
	}{{c.PayoutScript, c.Payout}, {c.FeeScript, c.Fee}, {c.DonationScript, c.Donation}} {
		if (part.script != nil) != (part.value > 0) || part.script != nil && pays[string(part.script)] != part.value {
			m.t.Errorf("script %x is paid %d, want %d", part.script, pays[string(part.script)], part.value)
		}
	}
	return c, tx
}

func TestCoinbaseOfConnection(t *testing.T) {
	r := newRig(t, false, func(c *Config) {
		c.Payout = PayoutConfig{FeeAddress: operator, FeePercent: 2, DonationAddress: donee, DonationPercent: 10}
	})
	r.newTip(withTransactions(5))
	m := r.connect(t)
	m.start(alice+".rig", "x")
	c, tx := m.wantCoinbase(r, m.en1)
	if c.Height != r.height || c.Network != bitcoin.Regtest || c.FeePercent != 2 || c.Fee == 0 || c.Donation == 0 {
		t.Errorf("got %+v", c)
	}
	if hex.EncodeToString(tx.TxOut[0].PkScript) != scriptOf(t, alice) || hex.EncodeToString(c.PayoutScript) != scriptOf(t, alice) ||
		hex.EncodeToString(c.FeeScript) != scriptOf(t, operator) || hex.EncodeToString(c.DonationScript) != scriptOf(t, donee) {
		t.Error("it pays somebody else")
	}

	// Another variant of the job, and a device with less room.
	m.call("mining.suggest_difficulty", 3*easy)
	m.nextJob()
	m.wantCoinbase(r, m.en1)
	small := r.connect(t)
	small.user = bob
	small.subscribe("NerdMinerV2")
	small.call("mining.authorize", bob, "x")
	small.nextJob()
	small.wantCoinbase(r, small.en1)

	// The next job, with other rules, and the next tip.
	if err := r.pool.Reconfigure(testConfigWith(r.dir, func(*Config) {})); err != nil {
		t.Fatal(err)
	}
	m.wantCoinbase(r, m.en1) // the old job stays what it was
	r.refresh(withTransactions(2))
	m.nextJob()
	if c, _ := m.wantCoinbase(r, m.en1); c.Fee != 0 || c.FeeScript != nil || c.FeePercent != 0 {
		t.Errorf("a fee after it was abolished: %+v", c)
	}
	r.newTip()
	m.nextJob()
	m.wantCoinbase(r, m.en1)

	// Work that was forgotten is made again.
	r.pool.current().retire()
	m.wantCoinbase(r, m.en1)

	for _, id := range []string{"", "x", m.en1 + "0", m.en1 + " ", m.en1[1:], "0x" + m.en1} {
		if _, ok := r.pool.Coinbase(id); ok {
			t.Errorf("%q has a coinbase", id)
		}
	}
	m.conn.Close()
	eventually(t, "the connection is gone", func() bool { _, ok := r.pool.Connection(m.en1); return !ok })
	if _, ok := r.pool.Coinbase(m.en1); ok {
		t.Error("a connection that is gone has a coinbase")
	}
}

// TestCoinbaseBeforeWork asks about connections that have no work of their own.
func TestCoinbaseBeforeWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, paysOperator)
		m := r.connect(t)
		id := m.id1(r)
		if info, ok := r.pool.Connection(id); !ok || info != (ConnectionInfo{}) {
			t.Errorf("a silent connection: %+v, %v", info, ok)
		}
		m.subscribe("test/1.0")
		if info, _ := r.pool.Connection(id); info.Extranonce1 != m.en1 {
			t.Errorf("extranonce1 %q, want %q", info.Extranonce1, m.en1)
		}
		if _, ok := r.pool.Coinbase(id); ok {
			t.Error("a coinbase without work")
		}
		r.newTip()
		m.nextJob() // provisional
		if c, _ := m.wantCoinbase(r, id); hex.EncodeToString(c.PayoutScript) != scriptOf(t, operator) {
			t.Errorf("provisional work pays %x", c.PayoutScript)
		}
		m.call("mining.authorize", alice, "x")
		m.nextJob()
		if c, _ := m.wantCoinbase(r, id); hex.EncodeToString(c.PayoutScript) != scriptOf(t, alice) {
			t.Errorf("own work pays %x", c.PayoutScript)
		}
	})
}

// id1 is the id of the rig's only connection.
func (m *testMiner) id1(r *rig) string {
	m.t.Helper()
	synctest.Wait()
	all := r.pool.snapshotSessions()
	if len(all) != 1 {
		m.t.Fatalf("%d connections", len(all))
	}
	return all[0].id
}

// TestConnectionThatResumed looks up a connection whose extranonce1 is an earlier
// one's.
func TestConnectionThatResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true)
		r.newTip()
		m := r.connect(t)
		m.start(alice, "x")
		first := m.en1
		m.leave()

		n := r.connect(t)
		id := n.id1(r)
		sid, _ := n.subscribe("test/1.0", first)
		n.call("mining.authorize", alice, "x")
		n.nextJob()
		if sid != first || id == first {
			t.Fatalf("connection %s resumed %s as %s", id, first, sid)
		}
		if info, ok := r.pool.Connection(id); !ok || info.Extranonce1 != first {
			t.Errorf("%+v, %v", info, ok)
		}
		n.wantCoinbase(r, id)
		if _, ok := r.pool.Connection(first); ok {
			t.Error("the connection that ended is still there")
		}
		n.leave()
		if _, ok := r.pool.Connection(id); ok || len(r.pool.moved) != 0 {
			t.Errorf("the connection is still there; %d are kept", len(r.pool.moved))
		}
	})
}

// TestConnectionOfTheTap finds the scope's session of a connection.
func TestConnectionOfTheTap(t *testing.T) {
	sink := new(tapRecord)
	r := newRig(t, false, func(c *Config) { c.TapSink = sink })
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	tapped := func() string {
		info, ok := r.pool.Connection(m.en1)
		if !ok {
			t.Fatal("no connection")
		}
		return info.TapSession
	}
	if got := tapped(); got != "" {
		t.Errorf("shown as %q while the tap is off", got)
	}
	if err := r.pool.SetTap(TapMode{All: true}); err != nil {
		t.Fatal(err)
	}
	if got := tapped(); got != "tap of "+m.en1 {
		t.Errorf("shown as %q", got)
	}
	if err := r.pool.SetTap(TapMode{}); err != nil {
		t.Fatal(err)
	}
	if got := tapped(); got != "" {
		t.Errorf("shown as %q after the tap was turned off", got)
	}
}

// TestCoinbaseWhileWorkChanges asks all the time while there is new work and
// connections come and go; it is for the race detector, and whatever comes must
// be whole.
func TestCoinbaseWhileWorkChanges(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	id := m.en1
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r.pool.Connection(id)
				c, ok := r.pool.Coinbase(id)
				if !ok {
					continue
				}
				tx := new(wire.MsgTx)
				if err := tx.DeserializeNoWitness(bytes.NewReader(c.Tx)); err != nil {
					t.Error(err)
					return
				}
				// BIP34: the height is the first push.
				script := tx.TxIn[0].SignatureScript
				if got := int64(binary.LittleEndian.Uint16(append(script[1:1+script[0]:1+script[0]], 0))); got != c.Height {
					t.Errorf("coinbase of height %d, job of %d", got, c.Height)
					return
				}
			}
		})
	}
	for range 30 {
		r.newTip()
		r.refresh()
		other := r.connect(t)
		other.start(bob, "x")
		other.conn.Close()
		time.Sleep(time.Millisecond)
	}
	close(stop)
	wg.Wait()
	m.wantCoinbase(r, id)
}
