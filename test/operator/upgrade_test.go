package operator

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// difficulty of every share in the upgrade test: some ten shares a second.
const difficulty = 1e-5

// TestUpgradeDropsNoMiner replaces the program twice while miners mine, others
// connect all the time, and somebody reads the page.
func TestUpgradeDropsNoMiner(t *testing.T) {
	t.Parallel()
	installed := filepath.Join(t.TempDir(), "poolscope")
	install(t, installed)
	r := startPool(t, installed, fmt.Sprintf("[difficulty]\nstart = %[1]v\nmin = %[1]v\nmax = %[1]v\nvardiff = false\n", difficulty))
	r.page("/api/overview")

	var miners []*nodes.Process
	for i := range 3 {
		miners = append(miners, nodes.Start(t, "miner", binary, "miner", "--pool", "stratum+tcp://"+r.Stratum,
			"--user", fmt.Sprintf("%s.m%d", miner, i), "--threads", "1", "--max-hashrate", "150000", "--suggest-difficulty", "0"))
	}
	knocks := knock(r.Stratum, 4)
	session, _ := subscribe(t, r.Stratum, "")

	books := r.metric("poolscope_work_accepted_total")
	for range 2 {
		work := books
		nodes.WaitFor(t, patience, "shares are in the books", func() bool {
			books = r.metric("poolscope_work_accepted_total")
			return books > work
		})
		began := r.metric("poolscope_start_time_seconds")
		// Another file in its place, as a package manager does it.
		install(t, installed)
		r.Signal(syscall.SIGUSR2)
		nodes.WaitFor(t, patience, "the new program answers", func() bool {
			r.Signal(syscall.SIGHUP) // somebody else reloads at the wrong moment
			if !r.Running() {
				t.Fatalf("it ended with code %d", r.ExitCode())
			}
			return r.ready() && r.metric("poolscope_start_time_seconds") > began
		})
		if again, _ := subscribe(t, r.Stratum, session); again != session {
			t.Errorf("a miner that had extranonce1 %s resumes with %s", session, again)
		}
		if now := r.metric("poolscope_work_accepted_total"); now < books {
			t.Errorf("the books have lost work: %v after %v", now, books)
		}
	}
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", r.PID())); err != nil || exe != installed {
		t.Errorf("process %d runs %s, %v", r.PID(), exe, err)
	}
	nodes.WaitFor(t, patience, "all miners are back", func() bool { return r.metric("poolscope_workers") >= 3 })
	nodes.WaitFor(t, patience, "they mine", func() bool { return r.metric("poolscope_work_accepted_total") > books })
	good, longest, refused := knocks()
	t.Logf("%d connections were served during two upgrades; the slowest had work after %s", good, longest.Round(time.Millisecond))
	if refused != nil || good < 20 {
		t.Errorf("%d connections were served; the first that was not: %v", good, refused)
	}

	// What miners were told stands in the books. A miner that is stopped may not
	// have read the answer to its last share.
	var accepted float64
	for _, m := range miners {
		m.Stop(t, patience)
		n, rejected := tally(t, m.Output())
		if n < 2 || rejected > 3 { // a share on its way while a job changes
			t.Errorf("a miner has %v accepted and %v rejected shares", n, rejected)
		}
		accepted += n
	}
	want := accepted * difficulty
	nodes.WaitFor(t, patience, "the books have every share", func() bool {
		return r.metric("poolscope_work_accepted_total") > want-difficulty/2
	})
	if got := r.metric("poolscope_work_accepted_total"); got < want-difficulty/2 || got > want+float64(len(miners))*difficulty {
		t.Errorf("the books have %v shares, miners %v", got/difficulty, accepted)
	}
	if took := r.Stop(t, 10*time.Second); took > 2*time.Second || r.ExitCode() != 0 {
		t.Errorf("it ended after %s with code %d", took, r.ExitCode())
	}
}

// TestUpgradeToWhatCannotStart: the new program does not like its
// configuration, so the old one goes on and says why.
func TestUpgradeToWhatCannotStart(t *testing.T) {
	t.Parallel()
	r := startPool(t, binary, "")
	began := r.metric("poolscope_start_time_seconds")
	r.configure("[stratum]\nlissten = []\n")
	r.Signal(syscall.SIGUSR2)
	nodes.WaitFor(t, patience, "the operator is told", func() bool {
		return strings.Contains(r.page("/api/pool-page"), "no upgrade, this program goes on")
	})
	if page := r.page("/api/pool-page"); !strings.Contains(page, "stratum.lissten") {
		t.Errorf("the page does not say what is wrong: %s", page)
	}
	if r.metric("poolscope_start_time_seconds") != began {
		t.Error("the program has changed")
	}
	if _, err := firstWork(r.Stratum); err != nil {
		t.Error(err)
	}
}

// install puts the program at a path, as a new file.
func install(t *testing.T, path string) {
	t.Helper()
	in, err := os.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(path+".new", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// knock connects again and again from n goroutines until the returned function
// is called, which says how many were served, how long the slowest of them
// waited for its work, and the first refusal. A
// connection that was open when the pool made room for the next program may be
// closed; it comes again, as a miner does.
func knock(address string, n int) (end func() (served int64, longest time.Duration, refused error)) {
	var served, longest atomic.Int64
	var first atomic.Pointer[error]
	var refused error
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range n {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
				began := time.Now()
				switch _, err := firstWork(address); {
				case err == nil:
					served.Add(1)
					for took, had := int64(time.Since(began)), longest.Load(); took > had && !longest.CompareAndSwap(had, took); had = longest.Load() {
					}
				case strings.HasPrefix(err.Error(), "refused"):
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	return func() (int64, time.Duration, error) {
		close(stop)
		wg.Wait()
		if err := first.Load(); err != nil {
			refused = *err
		}
		return served.Load(), time.Duration(longest.Load()), refused
	}
}

// tally reads the last line of a miner.
func tally(t *testing.T, output string) (accepted, rejected float64) {
	t.Helper()
	all := regexp.MustCompile(`accepted (\d+)  rejected (\d+)`).FindAllStringSubmatch(output, -1)
	if len(all) == 0 {
		t.Fatalf("a miner says nothing of shares:\n%s", output)
	}
	last := all[len(all)-1]
	for i, into := range []*float64{&accepted, &rejected} {
		n, err := strconv.Atoi(last[i+1])
		if err != nil {
			t.Fatal(err)
		}
		*into = float64(n)
	}
	return accepted, rejected
}
