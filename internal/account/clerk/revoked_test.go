package clerk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRevokedSessionsOutliveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked.json")
	now := time.Now()
	before := revoked{path: path}
	if err := before.load(); err != nil {
		t.Fatal("without a file: ", err)
	}
	if err := before.add("sess_1", now.Add(time.Hour), now); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "sess_1") {
		t.Errorf("the file names a session: %s %v", text, err)
	}
	after := revoked{path: path}
	if err := after.load(); err != nil || !after.has("sess_1", now) || after.has("sess_2", now) || after.has("sess_1", now.Add(2*time.Hour)) {
		t.Errorf("%+v %v", after.until, err)
	}

	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := revoked{path: path}
	if err := damaged.load(); err == nil {
		t.Error("a damaged file is not told")
	}
	if err := damaged.add("sess_3", now.Add(time.Hour), now); err != nil || !damaged.has("sess_3", now) {
		t.Errorf("after a damaged file: %v", err)
	}
	lost := revoked{path: filepath.Join(path, "not a folder")}
	if err := lost.add("sess_4", now.Add(time.Hour), now); err == nil || !lost.has("sess_4", now) {
		t.Errorf("what cannot be written must be refused and told: %v", err)
	}
}

func TestRevokedSessionsAreBounded(t *testing.T) {
	var r revoked
	now := time.Now()
	for i := range maxRevoked + 100 {
		if err := r.add(fmt.Sprint(i), now.Add(time.Hour+time.Duration(i)*time.Second), now); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.until) > maxRevoked || r.has("0", now) || !r.has(fmt.Sprint(maxRevoked+99), now) {
		t.Errorf("%d are remembered", len(r.until))
	}
}
