package stratum

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"
)

func testCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"pool"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// The same promises hold over TLS, where every write goes through the writer.
func TestTLS(t *testing.T) {
	server, client := tcpPair(t)
	certificate := testCertificate(t)
	root, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	miner := tls.Client(client, &tls.Config{RootCAs: roots, ServerName: "pool"})
	c := NewStream(tls.Server(server, &tls.Config{Certificates: []tls.Certificate{certificate}}), "a")
	if c.raw != nil {
		t.Fatal("a TLS connection has a raw socket")
	}
	defer c.Release()

	long := strings.Repeat("x", 10_000)
	go func() { _, _ = io.WriteString(miner, "one\ntwo\n"+long+"\n") }()
	for _, want := range []string{"one", "two", long} {
		wantLine(t, c, want)
	}

	c.Queue([]byte("reply\n"))
	c.Flush()
	c.SendWork([]byte("difficulty\n"), []byte(long), CleanTail)
	c.Send([]byte("last\n"))
	c.CloseAfterFlush(CloseShutdown)
	got, err := io.ReadAll(miner)
	if err != nil {
		t.Fatal(err)
	}
	// Work may overtake no reply, but a reply may overtake work that waits.
	text := string(got)
	if !strings.HasPrefix(text, "reply\n") || !strings.Contains(text, "last\n") || len(text) > len("reply\nlast\ndifficulty\n")+len(long)+len(CleanTail) {
		t.Errorf("got %.80q", text)
	}
}
