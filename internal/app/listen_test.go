package app

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBusyPortSaysWhichAndWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	_, err = listen("HTTP", "--http", address)
	if err == nil {
		t.Fatal("bound a busy port")
	}
	for _, want := range []string{"HTTP", address, "in use", "--http"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestUnusableAddressesAreExplained(t *testing.T) {
	for _, address := range []string{"203.0.113.7:0", "nonsense", "127.0.0.1:99999"} {
		_, err := listen("Stratum", "--stratum", address)
		if err == nil {
			t.Fatalf("bound %q", address)
		}
		if !strings.Contains(err.Error(), "Stratum") || !strings.Contains(err.Error(), address) {
			t.Errorf("%q names neither part nor address %q", err, address)
		}
	}
}

func TestDataDirBelongsToOneProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	release, err := openDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openDataDir(dir); err == nil || !strings.Contains(err.Error(), "another poolscope") {
		t.Fatalf("second opening: %v", err)
	}
	if err := (&Ports{HTTP: "127.0.0.1:1"}).write(dir); err != nil {
		t.Fatal(err)
	}
	release()
	if _, err := os.Stat(filepath.Join(dir, portsName)); !os.IsNotExist(err) {
		t.Fatalf("%s is there after the end: %v", portsName, err)
	}
	again, err := openDataDir(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	again()
}

func TestPortsLeavesOutWhatDoesNotRun(t *testing.T) {
	dir := t.TempDir()
	if err := (&Ports{HTTP: "127.0.0.1:8000", NodeCookie: "x/.cookie"}).write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, portsName))
	if err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"http\": \"127.0.0.1:8000\",\n  \"node_cookie\": \"x/.cookie\"\n}\n"
	if string(got) != want {
		t.Fatalf("got %s want %s", got, want)
	}
}
