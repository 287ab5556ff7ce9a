package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/wire/v2"
)

// job is a mining.notify as a device sees it.
type job struct {
	id         string
	prevhash   string // as on the wire
	coinb1     []byte
	coinb2     []byte
	branches   [][32]byte
	version    uint32
	bits       uint32
	ntime      uint32
	clean      bool
	line       string
	difficulty string // of set_difficulty, as printed
}

// share is what a device found in a job.
type share struct {
	job         *job
	extranonce2 string
	ntime       uint32
	nonce       uint32
	rolled      uint32 // version bits within the mask
	header      [80]byte
}

// hash is the share's hash in display order.
func (s *share) hash() string {
	h := doubleHash(s.header[:])
	slices.Reverse(h[:])
	return hex.EncodeToString(h[:])
}

// nonceText and the like are the fields as most firmware prints them.
func (s *share) nonceText() string  { return fmt.Sprintf("%08x", s.nonce) }
func (s *share) ntimeText() string  { return fmt.Sprintf("%08x", s.ntime) }
func (s *share) rolledText() string { return fmt.Sprintf("%08x", s.rolled) }

// wish says what kind of share a device is to find.
type wish struct {
	block  bool   // meets the network's target
	weak   bool   // four times too easy for the pool, but close
	short  bool   // the nonce begins with a zero digit
	letter bool   // the nonce has a hex letter in it
	mask   uint32 // for the version
	rolled uint32
	later  int64 // seconds to add to ntime
}

// doubleHash is SHA-256 twice.
func doubleHash(data []byte) [32]byte {
	first := sha256.Sum256(data)
	return sha256.Sum256(first[:])
}

// coinbase is the stripped coinbase with a device's extranonces.
func (j *job) coinbase(extranonce1, extranonce2 []byte) []byte {
	return slices.Concat(j.coinb1, extranonce1, extranonce2, j.coinb2)
}

// coinbaseTx is the coinbase as btcd reads it.
func (j *job) coinbaseTx(extranonce1, extranonce2 []byte) (*wire.MsgTx, error) {
	raw := j.coinbase(extranonce1, extranonce2)
	var tx wire.MsgTx
	r := bytes.NewReader(raw)
	if err := tx.DeserializeNoWitness(r); err != nil {
		return nil, fmt.Errorf("parse coinbase: %w", err)
	}
	if r.Len() > 0 {
		return nil, fmt.Errorf("%d bytes behind the coinbase", r.Len())
	}
	return &tx, nil
}

// search finds a share. The extranonce2 must be one that was not used before,
// or the share is one that was found before.
func (j *job) search(t testing.TB, extranonce1, extranonce2 []byte, w wish) *share {
	t.Helper()
	network := blockchain.CompactToBig(j.bits)
	limit := targetOf(t, j.difficulty)
	if network.Cmp(limit) >= 0 && !w.block {
		t.Fatalf("at difficulty %s every share of job %s is a block; look for a block, then", j.difficulty, j.id)
	}
	low, high := big.NewInt(0), limit
	switch {
	case w.block:
		high = network
	case w.weak:
		low, high = limit, new(big.Int).Lsh(limit, 2)
	default:
		low = network // a share that is no block
	}
	from, to := target32(low), target32(high)

	s := &share{job: j, extranonce2: hex.EncodeToString(extranonce2), rolled: w.rolled, ntime: uint32(int64(j.ntime) + w.later)}
	root := doubleHash(j.coinbase(extranonce1, extranonce2))
	for _, b := range j.branches {
		root = doubleHash(append(root[:], b[:]...))
	}
	binary.LittleEndian.PutUint32(s.header[0:], j.version&^w.mask|w.rolled&w.mask)
	copy(s.header[4:], unswap(t, j.prevhash))
	copy(s.header[36:], root[:])
	binary.LittleEndian.PutUint32(s.header[68:], s.ntime)
	binary.LittleEndian.PutUint32(s.header[72:], j.bits)
	for nonce := uint32(0); ; nonce++ {
		if nonce == 1<<32-1 || w.short && nonce >= 1<<28 {
			t.Fatalf("no such share in all nonces of job %s", j.id)
		}
		binary.LittleEndian.PutUint32(s.header[76:], nonce)
		h := doubleHash(s.header[:])
		if h[31] > to[0] {
			continue
		}
		slices.Reverse(h[:])
		if bytes.Compare(h[:], to[:]) > 0 || bytes.Compare(h[:], from[:]) <= 0 {
			continue
		}
		s.nonce = nonce
		if !w.letter || bytes.ContainsAny([]byte(s.nonceText()), "abcdef") {
			return s
		}
	}
}

// targetOf is the target of a difficulty as it was printed on the wire: 2^208
// times ffff is difficulty 1.
func targetOf(t testing.TB, difficulty string) *big.Int {
	t.Helper()
	d, ok := new(big.Rat).SetString(difficulty)
	if !ok || d.Sign() <= 0 {
		t.Fatalf("difficulty %q", difficulty)
	}
	one := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(0xffff), 208))
	q := one.Quo(one, d)
	target := new(big.Int).Quo(q.Num(), q.Denom())
	if most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)); target.Cmp(most) > 0 {
		return most
	}
	return target
}

// target32 writes a target in the order of a displayed hash, capped at 2^256-1.
func target32(v *big.Int) (b [32]byte) {
	if v.BitLen() > 256 {
		for i := range b {
			b[i] = 0xff
		}
		return b
	}
	v.FillBytes(b[:])
	return b
}

// unswap turns the prevhash of mining.notify into the header's bytes: each
// word of four bytes is reversed.
func unswap(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 32 {
		t.Fatalf("prevhash %q", text)
	}
	for i := 0; i < len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	return b
}

// displayed is the prevhash of mining.notify as nodes print hashes.
func displayed(t testing.TB, prevhash string) string {
	t.Helper()
	b := unswap(t, prevhash)
	slices.Reverse(b)
	return hex.EncodeToString(b)
}

// parseUint32 reads exactly 8 lower-case hex digits.
func parseUint32(text string) (uint32, error) {
	v, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) != 8 || fmt.Sprintf("%08x", v) != text {
		return 0, fmt.Errorf("%q is not 8 lower-case hex digits", text)
	}
	return uint32(v), nil
}

// hashMeets reports whether a share is good enough for a difficulty.
func hashMeets(t testing.TB, s *share, difficulty string) bool {
	t.Helper()
	value, ok := new(big.Int).SetString(s.hash(), 16)
	if !ok {
		t.Fatalf("hash %s", s.hash())
	}
	return value.Cmp(targetOf(t, difficulty)) <= 0
}
