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
	sc := scratches.Get().(*scratch)
	p.next++
	stratum.AppendHex32(p.nonce, p.next)
	if err := stratum.ScanRequest(p.line, &p.request); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if why, _ := p.session.judge(&p.request, sc, now); why != stratum.NotRejected {
		t.Fatal(why)
	}
	pool := p.session.pool
	if pool.hasher.Names() == "crypto/sha256" {
		t.Skip("this CPU has no kernel that could be wrong")
	}

	right := sc.share.Hash
	sc.share.target = bitcoin.TargetFromDifficulty(1) // which the wrong hash does not meet
	for i := range sc.share.Hash {
		sc.share.Hash[i] ^= 0xa5
	}
	sc.hashing.check(pool, &sc.share)
	if sc.share.Hash != right {
		t.Errorf("the hash is %s, want %s", sc.share.Hash, right)
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
