package pool

import (
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// A share that the kernels hash wrongly is neither lost nor refused, and they
// are not asked again.
func TestWrongHashIsNoticed(t *testing.T) {
	p := newSharePath(t)
	pool := p.session.pool
	if pool.hasher.Names() == "crypto/sha256" {
		t.Skip("this CPU has no kernel that could be wrong")
	}
	p.next++
	stratum.AppendHex32(p.nonce, p.next)
	if err := stratum.ScanRequest(p.line, &p.request); err != nil {
		t.Fatal(err)
	}
	b, now := new(batch), time.Now()
	b.add(p.session, &p.request)
	b.hash(pool)

	sh := &b.shares[0]
	right := sh.Hash
	sh.target = bitcoin.TargetFromDifficulty(1) // which the wrong hash does not meet
	for i := range sh.Hash {
		sh.Hash[i] ^= 0xa5
	}
	b.lookForBlock(pool, sh, now)
	if sh.Hash != right {
		t.Errorf("the hash is %s, want %s", sh.Hash, right)
	}
	pool.publish(now)
	st := pool.Status()
	if st.Hashing != "crypto/sha256" || st.HashingFailed == "" {
		t.Errorf("hashing %q, failed %q", st.Hashing, st.HashingFailed)
	}
	if len(st.Errors) == 0 || st.Errors[0].Type != "share" {
		t.Errorf("the operator sees %v", st.Errors)
	}

	p.share(t)
	if got := pool.counters.shareErrors.Load(); got != 0 {
		t.Errorf("%d shares were refused", got)
	}
}
