package pool

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/node"
)

func TestGetTransactions(t *testing.T) {
	r := newRig(t, false)
	template := r.newTip(withTransactions(3))
	m := r.connect(t)
	ask := func(params ...any) (ids []string) {
		t.Helper()
		if err := json.Unmarshal(m.call("mining.get_transactions", params...).Result, &ids); err != nil {
			t.Fatal(err)
		}
		return ids
	}
	if got := ask(); len(got) != 0 {
		t.Errorf("a stranger is told %q", got)
	}
	m.start(alice, "x")
	if got := ask("77777777"); len(got) != 0 {
		t.Errorf("of an unknown job: %q", got)
	}
	got := ask(m.job.id)
	for i := range template.Transactions {
		if len(got) != 3 || got[i] != template.Transactions[i].TxID.String() {
			t.Fatalf("transaction ids %q", got)
		}
	}
	// The answer is long, so it cannot be had over and over.
	if again := ask(); len(again) != 0 {
		t.Errorf("at once again: %q", again)
	}
}

func TestVersionIsTold(t *testing.T) {
	r := newRig(t, false, func(c *Config) { c.Version = "1.2.3" })
	m := r.connect(t)
	if got := m.call("client.get_version"); string(got.Result) != `"poolscope/1.2.3"` {
		t.Errorf("version %s", got.Result)
	}
}

// Version bits that the node requires stay as they are, and are not offered to
// be rolled; who was told otherwise before is told anew, if it understands.
func TestRequiredVersionBits(t *testing.T) {
	const required = 0x00006000
	requires := func(t *node.Template) { t.Version, t.VBRequired = 0x20000000|required, required }
	r := newRig(t, false)
	r.newTip()
	before := r.connect(t)
	before.call("mining.configure", []string{"version-rolling"}, map[string]any{"version-rolling.mask": "ffffffff"})
	before.call("mining.subscribe", "cgminer/4.11.1")
	before.user = alice
	before.call("mining.authorize", alice, "x")
	before.nextJob()

	r.newTip(requires)
	if got := before.line(); got != `{"id":null,"method":"mining.set_version_mask","params":["1fff8000"]}` {
		t.Errorf("who rolled them before is told %s", got)
	}
	job := before.nextJob()
	if job.version != 0x20000000|required {
		t.Errorf("job version %08x", job.version)
	}
	before.wantVerdict(before.solve(job, job.ofShare(), "00008000", 0x1fff8000), "")
	before.wantVerdict(before.solve(job, job.ofShare(), "00002000", 0x1fffe000), "Invalid version mask")

	m := r.connect(t)
	got := m.call("mining.configure", []string{"version-rolling"}, map[string]any{"version-rolling.mask": "ffffffff"})
	if want := `{"version-rolling":true,"version-rolling.mask":"1fff8000"}`; string(got.Result) != want {
		t.Errorf("offered %s", got.Result)
	}
}

// On the test networks the bits depend on the time of the block (BIP94, and the
// rule of testnet3 before it): ntime must not be rolled to the other side.
func TestTimeKeepsTheBits(t *testing.T) {
	const tip, now = 1_700_000_000, 1_700_000_600
	normal, easiest := uint32(0x1b0404cb), uint32(easiestBits)
	for name, c := range map[string]struct {
		network           bitcoin.Network
		bits, tip, start  uint32
		allowed, disabled []uint32
	}{
		"in time":            {bitcoin.Testnet4, normal, tip, now, []uint32{now, tip + 1200}, []uint32{tip + 1201}},
		"late":               {bitcoin.Testnet4, easiest, tip, tip + 1500, []uint32{tip + 1500, tip + 1201, tip + 7200}, []uint32{tip + 1200}},
		"late, tip unknown":  {bitcoin.Testnet3, easiest, 0, tip + 1500, []uint32{tip + 1500, tip + 2000}, []uint32{tip + 1499}},
		"another network":    {bitcoin.Mainnet, normal, tip, now, []uint32{now, tip + 1201}, nil},
		"nothing to compare": {bitcoin.Testnet4, normal, 0, now, []uint32{now, tip + 1201}, nil},
	} {
		j := &job{network: c.network, template: &node.Template{Bits: c.bits, CurTime: c.start}}
		j.tipTime.Store(c.tip)
		for _, ntime := range c.allowed {
			if !j.sameBits(ntime) {
				t.Errorf("%s: %d is refused", name, int64(ntime)-tip)
			}
		}
		for _, ntime := range c.disabled {
			if j.sameBits(ntime) {
				t.Errorf("%s: %d is allowed", name, int64(ntime)-tip)
			}
		}
	}
}

// The pool learns the tip's time, and refuses a share beyond the boundary.
func TestTimeBoundaryOnTestnet(t *testing.T) {
	r := newRig(t, false)
	tip := time.Now().Add(-19 * time.Minute)
	r.pool.SetTip(node.Tip{Hash: prevHash(r.height + 1), Height: r.height, Time: tip})
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	j := r.pool.current()
	if got := j.tipTime.Load(); got != uint32(tip.Unix()) {
		t.Fatalf("the job knows of a tip at %d", got)
	}
	j.network = bitcoin.Testnet4 // regtest has no such rule; nothing else of the job depends on it here
	job := m.job
	job.time = uint32(tip.Unix()) + lateBlock + 1
	m.wantVerdict(m.solve(job, job.ofShare(), "", 0), "Ntime out of range")
	job.time--
	m.wantVerdict(m.solve(job, job.ofShare(), "", 0), "")
}

// A wish that comes with mining.configure while the miner is at work counts
// from its next work on.
func TestConfigureWhileWorking(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(alice, "x")
	reply := m.call("mining.configure", "MINIMUM_DIFFICULTY", map[string]any{"minimum-difficulty.value": 4 * easy})
	if got := fmt.Sprint(string(reply.Result)); got != `{"MINIMUM_DIFFICULTY":true}` {
		t.Errorf("reply %s", got)
	}
	if job := m.nextJob(); job.difficulty != 4*easy {
		t.Errorf("difficulty %v", job.difficulty)
	}
}

// Without ZMQ the pool hears of a template before it knows its tip's time: the
// job that is out already must keep the boundary from then on.
func TestTimeBoundaryLearnedLate(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	j := r.pool.current()
	if got := j.tipTime.Load(); got != 0 {
		t.Fatalf("the job knows of a tip at %d", got)
	}
	tip := time.Now().Add(-19 * time.Minute)
	r.pool.SetTip(node.Tip{Hash: j.template.PrevHash, Height: j.template.Height - 1, Time: tip})
	if got := j.tipTime.Load(); got != uint32(tip.Unix()) {
		t.Errorf("the job knows of a tip at %d, want %d", got, tip.Unix())
	}
	r.pool.SetTip(node.Tip{Hash: prevHash(99), Height: 99, Time: time.Now()})
	if got := j.tipTime.Load(); got != uint32(tip.Unix()) {
		t.Errorf("the time of another block counts for the job: %d", got)
	}
	r.stop()
}
