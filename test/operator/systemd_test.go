package operator

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
)

// TestUnderSystemd plays systemd: it passes a listening socket, on which a
// miner already waits, and listens to what the program says of its state.
func TestUnderSystemd(t *testing.T) {
	t.Parallel()
	network := startPool(t, binary, "") // only its network is of use
	dir := t.TempDir()
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = notify.Close() }() // the test is over
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	early := make(chan error, 1)
	go func() {
		_, err := firstWork(address)
		early <- err
	}()
	_ = l.Close() // the other handle keeps it open

	// As in a unit: the process learns its own number, the socket is number 3.
	config := filepath.Join(dir, "poolscope.toml")
	if err := os.WriteFile(config, []byte(network.base), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("/bin/sh", "-c", fmt.Sprintf(
		"LISTEN_PID=$$ exec %s pool --config %s --data-dir %s --http 127.0.0.1:0 --stratum-tls 127.0.0.1:0 --stratum %s", binary, config, dir, address))
	run.ExtraFiles = []*os.File{socket}
	run.Env = append(os.Environ(), "LISTEN_FDS=1", "LISTEN_FDNAMES=stratum", "NOTIFY_SOCKET="+notify.LocalAddr().String())
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var output strings.Builder
	run.Stdout, run.Stderr = &output, &output
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	_ = socket.Close()
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	defer func() { _ = run.Process.Kill() }()

	says := func(want string) {
		t.Helper()
		buf := make([]byte, 256)
		if err := notify.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, err := notify.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Fatalf("systemd was told %q, %v; want %q", buf[:n], err, want)
		}
	}
	says("READY=1")
	if err := <-early; err != nil {
		t.Errorf("the miner that came before the program: %v", err)
	}
	if err := run.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	says("RELOADING=1")
	says("READY=1")
	if err := run.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	says("RELOADING=1")
	says("READY=1") // the next program, in the same process
	nodes.WaitFor(t, patience, "the next program serves the socket", func() bool {
		_, err := firstWork(address)
		return err == nil
	})
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	says("STOPPING=1")
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v:\n%s", err, output.String())
	}
}
