package pool

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/files"
)

// certificateLife is how long a certificate of our own making is valid. Miners
// pin it or do not look at all, so a long life spares them trouble.
const certificateLife = 10 * 365 * 24 * time.Hour

// Certificate is a TLS certificate that is read from its files again when they
// change, so that renewing it needs no restart.
type Certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	checked time.Time
	stamp   [2]time.Time
	cert    *tls.Certificate
}

// LoadCertificate reads a certificate and its key. An error says which file is
// missing.
func LoadCertificate(certFile, keyFile string, now time.Time) (*Certificate, error) {
	for _, f := range []struct{ what, name, setting string }{
		{"certificate", certFile, "stratum.cert_file"}, {"private key", keyFile, "stratum.key_file"},
	} {
		if missing(f.name) {
			return nil, fmt.Errorf("read TLS certificate: the %s %s does not exist; put it there or correct %s", f.what, f.name, f.setting)
		}
	}
	return loadCertificate(certFile, keyFile, now)
}

// OwnCertificate reads a certificate that the pool made itself, and makes one
// if there is none. A key alone is what an interrupted making leaves behind:
// nobody can have seen a certificate of it, so both are made anew.
func OwnCertificate(certFile, keyFile string, now time.Time) (*Certificate, error) {
	switch {
	case missing(certFile):
		if err := makeSelfSigned(certFile, keyFile, now); err != nil {
			return nil, fmt.Errorf("make TLS certificate: %w", err)
		}
	case missing(keyFile):
		// Somebody's hand: miners may have pinned the certificate.
		return nil, fmt.Errorf("read TLS certificate: the private key %s of %s does not exist; put it back, or remove the certificate to get a new one",
			keyFile, certFile)
	}
	return loadCertificate(certFile, keyFile, now)
}

func loadCertificate(certFile, keyFile string, now time.Time) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	if err := c.reload(now); err != nil {
		return nil, fmt.Errorf("read TLS certificate %s with key %s: %w", certFile, keyFile, err)
	}
	return c, nil
}

func missing(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

// Config is the server configuration that uses the certificate.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.GetCertificate}
}

// GetCertificate is for tls.Config.
func (c *Certificate) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current(time.Now()), nil
}

// current returns the certificate, looking for a change at most every ten
// seconds. A broken pair of files leaves the old one in use.
func (c *Certificate) current(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.checked) > 10*time.Second {
		_ = c.reloadLocked(now)
	}
	return c.cert
}

func (c *Certificate) reload(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reloadLocked(now)
}

func (c *Certificate) reloadLocked(now time.Time) error {
	c.checked = now
	var stamp [2]time.Time
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		stamp[i] = info.ModTime()
	}
	if c.cert != nil && stamp == c.stamp {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.cert, c.stamp = &cert, stamp
	return nil
}

// makeSelfSigned writes a new certificate and its key. Each file is there whole
// or not at all.
func makeSelfSigned(certFile, keyFile string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "poolscope self-signed"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if name, err := os.Hostname(); err == nil {
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	// The key first: a certificate is never there without its key.
	if err := writePEM(keyFile, "PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return writePEM(certFile, "CERTIFICATE", der, 0o644)
}

func writePEM(path, kind string, der []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return files.WriteDurably(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
