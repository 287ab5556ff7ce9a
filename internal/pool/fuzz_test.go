package pool

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzSession feeds a session anything at all. It must not fail, must answer
// with whole JSON lines only, and must be gone when its miner is.
func FuzzSession(f *testing.F) {
	paths, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var sent strings.Builder
		for line := range strings.Lines(string(text)) {
			if line, ok := strings.CutPrefix(line, "> "); ok {
				sent.WriteString(strings.NewReplacer("{{alice}}", alice, "{{bob}}", bob, "{{", "", "}}", "").Replace(line))
			}
		}
		f.Add([]byte(sent.String()))
	}
	f.Add(bytes.Repeat([]byte(`{"id":1,"method":"mining.configure","params":[["a","b"]]}`+"\n"), 50))
	f.Add(bytes.Repeat([]byte("x"), 20_000))
	f.Fuzz(func(t *testing.T, sent []byte) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, true)
			r.newTip(withTransactions(2))
			server, client := net.Pipe()
			r.pool.Accept(server, ListenerOptions{})
			var writer sync.WaitGroup
			writer.Go(func() {
				_, _ = client.Write(sent)
				time.Sleep(10 * time.Second)
				client.Close()
			})
			answers, _ := io.ReadAll(client)
			writer.Wait()
			for line := range bytes.Lines(answers) {
				var m message
				if line[len(line)-1] != '\n' || json.Unmarshal(line, &m) != nil {
					t.Errorf("after %q the pool says %q", sent, line)
				}
			}
			synctest.Wait()
			if n := r.pool.counters.panics.Load(); n != 0 {
				t.Errorf("%q makes %d panics: %v", sent, n, r.pool.events.newestFirst())
			}
			r.stop()
			if n := len(r.pool.sessions); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		})
	})
}
