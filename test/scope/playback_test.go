package scope

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// outcome is how a command ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// runToEnd runs a command of the program.
func runToEnd(t *testing.T, arguments ...string) (o outcome) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, arguments...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// recorded captures a session of ten lines and writes it into a file.
func recorded(t *testing.T, format string) (file string, session string) {
	t.Helper()
	p := newPool(t)
	r := start(t, p.address())
	miner, atPool := r.connect(p)
	handshake(miner, atPool)
	for _, line := range []struct {
		from, to *peer
		text     string
	}{
		{miner, atPool, submitLine},
		{atPool, miner, `{"id":3,"result":true,"error":null}`},
		{miner, atPool, strings.Replace(submitLine, "deadbeef", "00000002", 1)},
		{atPool, miner, `{"id":3,"result":null,"error":[22,"Duplicate share",null]}`},
	} {
		line.from.line(line.text)
		line.to.hears(line.text)
	}
	s := r.settled(10)
	return r.export(t, s.ID, format), s.ID
}

// export writes a session into a file.
func (r *rig) export(t *testing.T, session, format string) (file string) {
	t.Helper()
	status, data := r.ask(http.MethodGet, "/api/sessions/"+session+"/export?format="+format, "")
	if status != http.StatusOK {
		t.Fatalf("export: %d %s", status, data)
	}
	file = filepath.Join(t.TempDir(), "session."+format)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A captured session is played to another pool: it gets the miner's lines as
// they were, and what it answers differently is said.
func TestPlayToPool(t *testing.T) {
	for _, format := range []string{"jsonl", "pcapng"} {
		t.Run(format, func(t *testing.T) {
			file, _ := recorded(t, format)
			p := newPool(t)
			done := make(chan []string, 1)
			go func() {
				atPool := p.accept()
				var lines []string
				for _, answer := range []string{
					`{"id":1,"result":[[["mining.notify","1"]],"01020304",8],"error":null}`,
					`{"error":null,"id":2,"result":true}`,
					`{"id":3,"result":null,"error":[21,"Job not found",null]}`,
					`{"id":3,"result":null,"error":[22,"Duplicate",null]}`,
				} {
					line, err := atPool.read(limit)
					if err != nil {
						break
					}
					lines = append(lines, line)
					atPool.line(answer)
				}
				done <- lines
			}()
			o := runToEnd(t, "replay", file, "--to", "pool", "--pool", p.address(), "--speed", "0", "--linger", "0s", "--json")
			lines := <-done
			want := []string{subscribeLine, strings.Replace(authorizeLine, `"x"`, `"********"`, 1), submitLine, strings.Replace(submitLine, "deadbeef", "00000002", 1)}
			if got := strings.Join(lines, ""); got != strings.Join(want, "\n")+"\n" {
				t.Errorf("the pool was sent\n%s", got)
			}
			if o.code != 0 {
				t.Fatalf("code %d: %s", o.code, o.stderr)
			}
			var differences []string
			var end struct {
				Summary *struct{ Sent, Answers, Same, Different, Masked int }
			}
			for line := range strings.Lines(o.stdout) {
				var event struct{ Kind, Difference string }
				if err := json.Unmarshal([]byte(line), &event); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				if event.Kind == "answer" {
					differences = append(differences, event.Difference)
				}
				if err := json.Unmarshal([]byte(line), &end); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(differences, " "); got != "same same now_rejected values" {
				t.Errorf("differences: %s", got)
			}
			if s := end.Summary; s == nil || s.Sent != 4 || s.Answers != 4 || s.Same != 2 || s.Different != 2 || s.Masked != 1 {
				t.Errorf("summary: %+v in\n%s", s, o.stdout)
			}
		})
	}
}

// A captured session is played to a miner: he gets the recorded answers under
// his own ids, then the job.
func TestPlayToMiner(t *testing.T) {
	file, session := recorded(t, "jsonl")
	player := nodes.Start(t, "poolscope replay", binary, "replay", file, "--to", "miner", "--listen", "127.0.0.1:0", "--session", session[:8], "--linger", "1s")
	var address string
	nodes.WaitFor(t, limit, "the address to connect to", func() bool {
		if found := regexp.MustCompile(`Waiting for a miner on (\S+)\.`).FindStringSubmatch(player.Output()); found != nil {
			address = found[1]
		}
		return address != ""
	})
	miner := dial(t, address)
	miner.line(`{"id":"a","method":"mining.subscribe","params":["other/1"]}`)
	miner.hears(`{"id":"a","result":[[["mining.notify","1"]],"01020304",8],"error":null}`)
	miner.line(`{"id":"b","method":"mining.authorize","params":["me","x"]}`)
	miner.hears(`{"id":"b","result":true,"error":null}`)
	miner.hears(`{"id":null,"method":"mining.set_difficulty","params":[8192]}`)
	if job := miner.hear(); !strings.Contains(job, `"mining.notify"`) {
		t.Errorf("heard %s", job)
	}
	miner.line(`{"id":"c","method":"mining.submit","params":["me","job1"]}`)
	miner.hears(`{"id":"c","result":true,"error":null}`)
	miner.ended()
	if code := player.ExitCode(); code != 0 || !strings.Contains(player.Output(), "3 requests answered as recorded") {
		t.Errorf("code %d: %s", code, player.Output())
	}
}

func TestPlayNothing(t *testing.T) {
	p := newPool(t)
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	if err := os.WriteFile(empty, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, _ := recorded(t, "jsonl")
	gone := newPool(t)
	gone.listener.Close()
	for _, test := range []struct {
		name string
		code int
		args []string
	}{
		{"no pool", 2, []string{file, "--to", "pool"}},
		{"pool and listen", 2, []string{file, "--to", "pool", "--pool", p.address(), "--listen", "127.0.0.1:0"}},
		{"bad address", 2, []string{file, "--to", "pool", "--pool", "pool.example:99999"}},
		{"no file", 1, []string{file + "x", "--to", "pool", "--pool", p.address()}},
		{"empty file", 1, []string{empty, "--to", "pool", "--pool", p.address()}},
		{"no such session", 1, []string{file, "--to", "pool", "--pool", p.address(), "--session", "none"}},
		{"nobody there", 1, []string{file, "--to", "pool", "--pool", gone.address()}},
		{"no miner", 1, []string{file, "--to", "miner", "--listen", "127.0.0.1:0", "--wait", "10ms"}},
	} {
		if o := runToEnd(t, append([]string{"replay"}, test.args...)...); o.code != test.code || o.stderr == "" {
			t.Errorf("%s: code %d, not %d: %s", test.name, o.code, test.code, o.stderr)
		}
	}
}
