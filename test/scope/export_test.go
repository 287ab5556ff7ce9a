package scope

import (
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// What a real Wireshark reassembles of an export is what was said, byte for
// byte but for the password.
func TestWiresharkReadsAnExport(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("SKIPPED LOUDLY: there is no tshark; as root, apt-get install tshark")
	}
	file, _ := recorded(t, "pcapng")
	out, err := exec.CommandContext(t.Context(), tshark, "-n", "-r", file, "-q", "-z", "follow,tcp,raw,0").Output()
	if err != nil {
		t.Fatal(err)
	}
	var miner, pool strings.Builder
	for line := range strings.Lines(string(out)) {
		if b, err := hex.DecodeString(strings.TrimSpace(line)); err != nil {
			continue // a heading
		} else if line[0] == '\t' {
			pool.Write(b)
		} else {
			miner.Write(b)
		}
	}
	want := strings.Join([]string{subscribeLine, strings.Replace(authorizeLine, `"x"`, `"********"`, 1), submitLine, strings.Replace(submitLine, "deadbeef", "00000002", 1)}, "\n") + "\n"
	if miner.String() != want {
		t.Errorf("the miner said\n%s\nwant\n%s", miner.String(), want)
	}
	if got := strings.Count(pool.String(), "\n"); got != 6 || !strings.HasSuffix(pool.String(), `"Duplicate share",null]}`+"\n") {
		t.Errorf("the pool said\n%s", pool.String())
	}
}

// The program reads its own exports: the same session, from both formats.
func TestInspectReadsExports(t *testing.T) {
	for _, format := range []string{"jsonl", "pcapng"} {
		file, session := recorded(t, format)
		o := runToEnd(t, "inspect", file, "--json")
		var got struct {
			File struct {
				Format string
				Chain  *struct{ Intact bool } `json:"hash_chain"`
			}
			Sessions []struct {
				Facts struct {
					Session  string `json:"session_id"`
					Agent    string `json:"user_agent"`
					Messages int
				}
				Shares []struct{ Worker, Job, Pool string }
			}
		}
		if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || o.code != 0 || len(got.Sessions) != 1 {
			t.Fatalf("%s: code %d, %v: %s%s", format, o.code, err, o.stdout, o.stderr)
		}
		s := got.Sessions[0]
		if s.Facts.Agent != "cgminer/4.10" || s.Facts.Messages != 10 || len(s.Shares) != 2 || s.Shares[0].Pool != "accepted" || s.Shares[1].Pool != "rejected" {
			t.Errorf("%s: %+v", format, s)
		}
		if format == "jsonl" && (s.Facts.Session != session || got.File.Chain == nil || !got.File.Chain.Intact) {
			t.Errorf("session %s, chain %+v", s.Facts.Session, got.File.Chain)
		}
	}
}
