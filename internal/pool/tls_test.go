package pool

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func rootsOf(t testing.TB, certFile string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate in the file")
	}
	return pool
}

func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := dir+"/tls/cert.pem", dir+"/tls/key.pem"
	now := time.Now()
	c, err := OwnCertificate(cert, key, now)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v, %v", info.Mode(), err)
	}
	first := c.current(now)
	leaf, err := x509.ParseCertificate(first.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if leaf.NotBefore.After(now) || leaf.NotAfter.Before(now.AddDate(9, 0, 0)) {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}

	// The next start uses the same.
	again, err := OwnCertificate(cert, key, now)
	if err != nil || !bytes.Equal(again.current(now).Certificate[0], first.Certificate[0]) {
		t.Errorf("another certificate after a restart: %v", err)
	}

	touch := func(after time.Duration) {
		t.Helper()
		for _, path := range []string{cert, key} {
			if err := os.Chtimes(path, now.Add(after), now.Add(after)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A new pair is used from the next look on.
	if err := makeSelfSigned(cert, key, now); err != nil {
		t.Fatal(err)
	}
	touch(time.Minute)
	if got := c.current(now.Add(5 * time.Second)); got != first {
		t.Error("the files are read at every handshake")
	}
	second := c.current(now.Add(11 * time.Second))
	if bytes.Equal(second.Certificate[0], first.Certificate[0]) {
		t.Error("a new certificate is not noticed")
	}

	// A broken pair leaves the old one in use, until it is whole again.
	good, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(2 * time.Minute)
	if got := c.current(now.Add(30 * time.Second)); got != second {
		t.Error("a broken certificate is used")
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if got := c.current(now.Add(50 * time.Second)); got != second {
		t.Error("a missing certificate is used")
	}
	if err := os.WriteFile(cert, good, 0o600); err != nil {
		t.Fatal(err)
	}
	touch(3 * time.Minute)
	if got := c.current(now.Add(70 * time.Second)); !bytes.Equal(got.Certificate[0], second.Certificate[0]) {
		t.Error("the repaired certificate is not used")
	}

	// A certificate without its key is a mistake, not a reason for a new one.
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := OwnCertificate(cert, key, now); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("a certificate without its key: %v", err)
	}
	if left, err := os.ReadFile(cert); err != nil || !bytes.Equal(left, good) {
		t.Error("the certificate was overwritten")
	}
}

// A crash while the pool makes its certificate must not keep it from starting.
func TestInterruptedCertificateIsMadeAnew(t *testing.T) {
	now := time.Now()
	for name, written := range map[string]struct{ key, cert string }{
		"key alone":                  {"key.pem", ""},
		"key and half a certificate": {"key.pem", "cert.pem.tmp"},
		"half a key":                 {"key.pem.tmp", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range []string{written.key, written.cert} {
				if file == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte("-----BEGIN"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			if _, err := OwnCertificate(cert, key, now); err != nil {
				t.Fatalf("the next start: %v", err)
			}
			if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the key's mode is %v, %v", info.Mode(), err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// Without its key a certificate is not written, and neither is written in part.
func TestCertificateNeedsItsKeyFirst(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.Mkdir(key+".tmp", 0o700); err != nil { // in the way of the key
		t.Fatal(err)
	}
	if _, err := OwnCertificate(cert, key, time.Now()); err == nil || !strings.Contains(err.Error(), "make TLS certificate") {
		t.Errorf("err = %v", err)
	}
	for _, file := range []string{cert, key} {
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("%s is there: %v", file, err)
		}
	}
}

// A pair that the operator names is never made, and the missing file is named.
func TestOperatorsCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := dir+"/cert.pem", dir+"/key.pem"
	if _, err := LoadCertificate(cert, key, time.Now()); err == nil || !strings.Contains(err.Error(), cert) {
		t.Errorf("without both files: %v", err)
	}
	if _, err := OwnCertificate(cert, key, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCertificate(cert, key, time.Now()); err != nil {
		t.Errorf("with both files: %v", err)
	}
	if err := os.WriteFile(key, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCertificate(cert, key, time.Now()); err == nil {
		t.Error("a broken key is taken")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCertificate(cert, key, time.Now()); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("without the key: %v", err)
	}
}
