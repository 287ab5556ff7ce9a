// Package backup proves backups with the real binary: made of a pool that
// mines, stored in a folder and in a real S3 server, restored into an empty and
// into a used data folder.
package backup

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // reads the books

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// binary is the path of the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(program.Main(m, &binary))
}

// patience is how long something may take on a busy machine.
const patience = 60 * time.Second

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

const passphrase = "correct horse battery staple"

// rig is a pool with a miner, and what it takes to start it again.
type rig struct {
	*program.Server
	t      *testing.T
	config string
	data   string
}

// newRig runs a pool, with further configuration, and a miner at it.
func newRig(t *testing.T, text string) *rig {
	t.Helper()
	network := program.Start(t, binary, t.TempDir(), "devnet", "--rpc", "127.0.0.1:0", "--zmq", "127.0.0.1:0")
	r := &rig{t: t, config: filepath.Join(t.TempDir(), "poolscope.toml"), data: t.TempDir()}
	text += fmt.Sprintf("\n[difficulty]\nstart = 0.00001\nmin = 0.00001\n[[node]]\nurl = \"http://%s\"\ncookie_file = %q\nzmq_hashblock = \"tcp://%s\"\n", network.NodeRPC, network.NodeCookie, network.NodeZMQ)
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	nodes.Start(t, "miner", binary, "miner", "--pool", "stratum+tcp://"+r.Stratum, "--user", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080.backup", "--threads", "1")
	return r
}

// start runs the pool on its data folder.
func (r *rig) start() {
	r.t.Helper()
	arguments := append([]string{"pool", "--config", r.config}, program.AnyPorts()...)
	r.Server = program.Start(r.t, binary, r.data, arguments...)
}

// booked is the number of shares in the books of a data folder, whether a pool
// is using them or not.
func booked(t *testing.T, data string) (n uint64) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "poolscope.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// The worker with the empty name is the pool.
	if err := db.QueryRow("SELECT accepted FROM workers WHERE name = ''").Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	return n
}

// backup runs the command line and returns what it printed.
func (r *rig) backup(data string, arguments ...string) (string, error) {
	r.t.Helper()
	arguments = append([]string{"backup"}, arguments...)
	arguments = append(arguments, "--config", r.config, "--data-dir", data)
	out, err := exec.Command(binary, arguments...).CombinedOutput()
	return string(out), err
}

// startsOn runs the pool on another data folder until its books are open.
func (r *rig) startsOn(data string) {
	r.t.Helper()
	r.data = data
	r.start()
	r.Kill()
}

// TestBackupAndRestore is an operator's whole story: backups of a pool that
// mines, in a folder and in a bucket, encrypted; the machine is lost; the pool
// comes back from the bucket on another one.
func TestBackupAndRestore(t *testing.T) {
	s3 := startStorage(t)
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(passphrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, fmt.Sprintf(`[backup]
key_file = %q
s3_endpoint = %q
s3_region = "us-east-1"
s3_bucket = %q
s3_prefix = "pool one/"
s3_access_key = %q
s3_secret_key = %q
s3_path_style = true
`, keyFile, s3.endpoint, bucket, accessKey, secretKey))
	nodes.WaitFor(t, patience, "shares", func() bool { return booked(t, r.data) >= 5 })
	out, err := r.backup(r.data, "run")
	if err != nil || strings.Count(out, "stored and verified") != 2 {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err = r.backup(r.data, "list")
	if err != nil || strings.Count(out, "last, daily, weekly, monthly") != 2 || !strings.Contains(out, "s3") {
		t.Errorf("%v\n%s", err, out)
	}
	objects, _ := filepath.Glob(filepath.Join(s3.dir, "pool one", "poolscope-*.tar.zst.age"))
	if len(objects) != 1 {
		t.Fatalf("%d archives in the bucket", len(objects))
	}

	// Into a folder that is in use: refused, and nothing happens to the pool.
	if out, err := r.backup(r.data, "restore", "--yes"); err == nil || !strings.Contains(out, "in use") {
		t.Errorf("restored under a running pool: %v\n%s", err, out)
	}
	before := booked(t, r.data)
	r.Kill()

	// Another machine: an empty folder, and only the bucket. Without a yes nothing
	// happens.
	other := t.TempDir()
	if out, err := r.backup(other, "restore", "--target", "s3"); err == nil || !strings.Contains(out, "nothing was changed") {
		t.Errorf("restored without a yes: %v\n%s", err, out)
	}
	out, err = r.backup(other, "restore", "--target", "s3", "--yes")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"poolscope.db", "scope-token", "tls_key.pem", "restored-config.toml"} {
		if !strings.Contains(out, filepath.Join(other, name)) {
			t.Errorf("%s was not restored:\n%s", name, out)
		}
	}
	if n := booked(t, other); n < 5 || n > before {
		t.Errorf("%d shares are in the restored books; %d were when the pool was killed", n, before)
	}

	used := r.data
	r.startsOn(other)
	r.data = used

	// The archive is damaged where it lies: nobody restores from it, and what is
	// there stays.
	data, err := os.ReadFile(objects[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(objects[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	books, err := os.ReadFile(filepath.Join(other, "poolscope.db"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := r.backup(other, "restore", "--target", "s3", "--yes"); err == nil || !strings.Contains(out, "damaged") {
		t.Errorf("restored from a damaged archive: %v\n%s", err, out)
	}
	if now, err := os.ReadFile(filepath.Join(other, "poolscope.db")); err != nil || string(now) != string(books) {
		t.Error("the books were touched")
	}

	// Into a used folder, from the local copy: what was there is moved aside.
	out, err = r.backup(r.data, "restore", "--target", "local", "--yes")
	if err != nil || !strings.Contains(out, "what was there before is in") {
		t.Fatalf("%v\n%s", err, out)
	}
	aside, _ := filepath.Glob(filepath.Join(r.data, "before-restore-*", "poolscope.db"))
	if len(aside) != 1 {
		t.Errorf("the old books are not aside: %v", aside)
	}
	if n := booked(t, r.data); n < 5 || n > before {
		t.Errorf("%d shares in the books", n)
	}
	r.startsOn(r.data)

	// Without its key an archive is of no use.
	wrong := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(wrong, []byte("another passphrase"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := r.backup(r.data, "restore", "--target", "local", "--check", "--key-file", wrong); err == nil || strings.Contains(out, passphrase) {
		t.Errorf("opened with another key: %v\n%s", err, out)
	}
}

// TestStorageAway takes the storage away: the local backup is made all the same,
// the command says what is missing, and the next one catches up.
func TestStorageAway(t *testing.T) {
	s3 := startStorage(t)
	r := newRig(t, fmt.Sprintf("[backup]\ns3_endpoint = %q\ns3_region = \"us-east-1\"\ns3_bucket = %q\ns3_access_key = %q\ns3_secret_key = %q\ns3_path_style = true\n", s3.endpoint, bucket, accessKey, "not the secret"))
	out, err := r.backup(r.data, "run")
	if err == nil || !strings.Contains(out, "SignatureDoesNotMatch") || strings.Count(out, "stored and verified") != 1 {
		t.Errorf("with the wrong secret: %v\n%s", err, out)
	}
	s3.Kill()
	out, err = r.backup(r.data, "run")
	if err == nil || !strings.Contains(out, "does not answer") || strings.Count(out, "stored and verified") != 1 {
		t.Errorf("with nobody there: %v\n%s", err, out)
	}
	if strings.Contains(out, "not the secret") {
		t.Errorf("the secret is shown:\n%s", out)
	}
	out, _ = r.backup(r.data, "list")
	if !strings.Contains(out, "local") {
		t.Errorf("the local backup is not listed:\n%s", out)
	}
}
