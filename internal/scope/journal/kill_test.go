//go:build unix

package journal

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// childDir is the environment variable that makes the test binary the process
// that is killed: it journals in this folder until then.
const childDir = "POOLSCOPE_JOURNAL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// killedMessage is the message with a Seq, the same in every process. Each has
// an answer behind it.
func killedMessage(seq uint64, run string) *capture.Message {
	raw := fmt.Appendf(nil, `{"id":%d,"method":"mining.submit","params":[]}`+"\n", seq)
	return &capture.Message{
		Seq: seq, Session: run, N: seq, Received: time.Unix(0, int64(seq)).UTC(), Raw: raw, Size: len(raw),
		Method: "mining.submit", IsRequest: true, ID: strconv.FormatUint(seq, 10),
	}
}

// writeUntilKilled journals messages, and tells on its output the highest Seq
// that a batch was committed with.
func writeUntilKilled(dir string) error {
	j, err := Open(Config{Dir: dir, MaxSize: 64 << 20}, testLogger())
	if err != nil {
		return err
	}
	go func() { _ = j.Run(context.Background()) }() // it is killed
	seq := j.LastSeq()
	run := "run" + strconv.FormatUint(seq, 10)
	j.SessionChanged(capture.Session{Opening: capture.Opening{ID: run, At: time.Unix(int64(seq), 0)}, Messages: seq, Connected: true})
	for {
		for range 50 {
			seq++
			m := killedMessage(seq, run)
			j.Captured(m)
			if seq%2 == 0 {
				update := *m
				update.Pair = seq + 1
				update.Response = &capture.Message{Session: run, N: seq + 1, Raw: []byte("{}\n"), OK: true}
				j.Updated(&update)
			}
		}
		fmt.Println(j.lastWritten())
		time.Sleep(time.Millisecond)
	}
}

// Whatever the moment at which the process is killed: what was committed is
// there, in order and without holes, and the file is sound.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for i := range 8 {
		// Some are killed when they may not even have opened the journal.
		committed := killOne(t, dir, time.Duration(random.IntN(400))*time.Millisecond, i%4 == 0)
		j, err := Open(Config{Dir: dir}, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		last := j.LastSeq()
		t.Logf("committed and told %d, found %d", committed, last)
		if last < committed {
			t.Fatalf("%d was committed, only %d is there", committed, last)
		}
		checkKilled(t, j, last)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

// killOne starts a process that journals, kills it some time after its start or
// after it has committed something new, and returns what it said to have
// committed.
func killOne(t *testing.T, dir string, after time.Duration, early bool) (committed uint64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		time.AfterFunc(after, func() { _ = cmd.Process.Signal(syscall.SIGKILL) }) // Wait tells
	})
	if early {
		kill()
	}
	before := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if before != "" && before != lines.Text() {
			kill()
		}
		before = lines.Text()
		if committed, err = strconv.ParseUint(before, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return committed
}

// checkKilled checks all that a journal has after its writer was killed.
func checkKilled(t *testing.T, j *Journal, last uint64) {
	t.Helper()
	checkSound(t, j)
	sessions, more, err := j.sessionsBelow(t.Context(), 1000, sessionCursor{}, false)
	if err != nil || more {
		t.Fatal(more, err)
	}
	seq := uint64(0)
	for i := len(sessions) - 1; i >= 0; i-- {
		s := sessions[i]
		messages, err := j.SessionMessages(t.Context(), s.ID, 1, 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if seq++; m.Seq != seq {
				t.Fatalf("%d stands where %d should", m.Seq, seq)
			}
			want := killedMessage(seq, s.ID)
			if m.Response != nil {
				if seq%2 != 0 || !m.Response.OK || m.Pair != seq+1 {
					t.Fatalf("message %+v", m)
				}
				want.Pair, want.Response = m.Pair, m.Response
			}
			same(t, m, want)
		}
		if s.Live() || s.Reason != ReasonKilled || len(messages) > 0 && (s.Messages != messages[len(messages)-1].N || !s.EndedAt.Equal(s.LastSeen)) {
			t.Fatalf("session %+v with %d messages", s, len(messages))
		}
	}
	if seq != last {
		t.Fatalf("%d messages, the last is %d", seq, last)
	}
}
