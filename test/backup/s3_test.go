package backup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// Credentials of the storage that tests start.
const (
	accessKey = "poolscope-test"
	secretKey = "a secret of no worth"
	bucket    = "backups"
)

// buildStorage compiles versitygw, an S3 server that its authors wrote for real
// storage, once per version, and returns the program's path.
var buildStorage = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(nodes.Root(), "tools", "versitygw")
	list := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/versity/versitygw")
	list.Dir = dir
	version, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("ask for the version of versitygw: %w", err)
	}
	program := filepath.Join(nodes.Cache(), "bin", "versitygw-"+strings.TrimSpace(string(version)))
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(program + ".lock")
	if err != nil {
		return "", err
	}
	defer lock.Close() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, "github.com/versity/versitygw/cmd/versitygw")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build versitygw: %w\n%s", err, out)
	}
	return program, nil
})

// storage is an S3 server with one bucket.
type storage struct {
	*nodes.Process
	endpoint string
	dir      string // where the bucket's objects lie as files
}

// startStorage runs one until the test ends.
func startStorage(t *testing.T) *storage {
	t.Helper()
	program, err := buildStorage()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	s := &storage{dir: filepath.Join(root, bucket)}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(nodes.FreePort(t))
	s.endpoint = "http://" + address
	side := t.TempDir() // metadata, where the file system has no attributes
	s.Process = nodes.Start(t, "versitygw", program, "--access", accessKey, "--secret", secretKey, "--port", address, "--quiet",
		"posix", "--sidecar", side, root)
	nodes.WaitFor(t, patience, "the storage answers", func() bool {
		if !s.Running() {
			t.Fatalf("it ended:\n%s", s.Output())
		}
		resp, err := client.Get(s.endpoint)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return true
	})
	return s
}
