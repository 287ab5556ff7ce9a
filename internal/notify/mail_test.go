package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// postOffice is a mail server that speaks SMTP (RFC 5321) with STARTTLS (RFC 3207)
// and AUTH PLAIN (RFC 4954) on loopback.
type postOffice struct {
	t        *testing.T
	listener net.Listener
	secure   *tls.Config
	roots    *x509.CertPool
	implicit bool // TLS from the first byte
	plain    bool // no STARTTLS
	rcpt     string

	mu    sync.Mutex
	mails []string // as they were sent, after DATA
	froms []string
	auths []string
}

func openPostOffice(t *testing.T, change func(p *postOffice)) *postOffice {
	t.Helper()
	// The certificate of net/http/httptest is for 127.0.0.1.
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	p := &postOffice{t: t, secure: &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}, roots: x509.NewCertPool(), rcpt: "250 ok"}
	p.roots.AddCert(web.Certificate())
	web.Close()
	change(p)
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = p.listener.Close(); wg.Wait() })
	return p
}

func (p *postOffice) server(mode string) MailServer {
	return MailServer{Host: "127.0.0.1", Port: p.listener.Addr().(*net.TCPAddr).Port, User: "pool", Password: "geheim", From: "Pool <pool@pool.example>", TLS: mode}
}

func (p *postOffice) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	secured := p.implicit
	if p.implicit {
		conn = tls.Server(conn, p.secure)
	}
	r := bufio.NewReader(conn)
	say := func(lines ...string) { _, _ = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n") }
	say("220 post.example ESMTP")
	from, signedIn := "", false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch verb := strings.ToUpper(strings.SplitN(line, " ", 2)[0]); verb {
		case "EHLO":
			lines := []string{"250-post.example"}
			if !secured && !p.plain {
				lines = append(lines, "250-STARTTLS")
			}
			if secured || p.plain {
				lines = append(lines, "250-AUTH PLAIN")
			}
			say(append(lines, "250 8BITMIME")...)
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, p.secure)
			r, secured = bufio.NewReader(conn), true
		case "AUTH":
			given, _ := base64.StdEncoding.DecodeString(line[strings.LastIndex(line, " ")+1:])
			p.mu.Lock()
			p.auths = append(p.auths, string(given))
			p.mu.Unlock()
			if signedIn = string(given) == "\x00pool\x00geheim"; signedIn {
				say("235 welcome")
			} else {
				say("535 no")
			}
		case "MAIL":
			if !signedIn {
				say("530 sign in first")
				continue
			}
			from = line
			say("250 ok")
		case "RCPT":
			say(p.rcpt)
		case "DATA":
			say("354 go on")
			var body strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				if !strings.HasSuffix(line, "\r\n") {
					p.t.Errorf("a line ends in a bare line feed: %q", line)
				}
				body.WriteString(strings.TrimPrefix(line, "."))
			}
			p.mu.Lock()
			p.mails, p.froms = append(p.mails, body.String()), append(p.froms, from)
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 " + verb)
		}
	}
}

// channel is one to this post office.
func (p *postOffice) channel(t *testing.T, mode string, change func(s *MailServer)) Channel {
	t.Helper()
	server := p.server(mode)
	if change != nil {
		change(&server)
	}
	c := &catalog{cfg: CatalogConfig{Mail: server, TLS: &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12}}}
	ch, err := c.mail(Opening{Settings: map[string]string{"address": "miner@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// A message arrives as mail: readable by the standard library's reader, encrypted
// on the way, the same Message-ID when it comes again.
func TestMail(t *testing.T) {
	for _, mode := range []string{"starttls", "tls"} {
		t.Run(mode, func(t *testing.T) {
			p := openPostOffice(t, func(p *postOffice) { p.implicit = mode == "tls" })
			m := testMessage()
			m.Title, m.Lines = "poolscope: Zürich ⛏\r\nBcc: evil@example.org", []string{"first", ".", "dritte Zeile: ⛏ " + strings.Repeat("x", 200)}
			for range 2 {
				if err := p.channel(t, mode, nil).Send(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
			if len(p.mails) != 2 || p.froms[0] != "MAIL FROM:<pool@pool.example> BODY=8BITMIME" {
				t.Fatalf("%d mails, %q", len(p.mails), p.froms)
			}
			for _, text := range p.mails {
				got, err := mail.ReadMessage(strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
				if err != nil || subject != "poolscope: Zürich ⛏  Bcc: evil@example.org" {
					t.Errorf("subject %q, %v", subject, err)
				}
				body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
				if want := strings.Join(m.Lines, "\r\n") + "\r\n"; err != nil || string(body) != want {
					t.Errorf("body %q, %v", body, err)
				}
				if got.Header.Get("Message-ID") != "<0123456789abcdef0123@pool.example>" || got.Header.Get("To") != "<miner@example.org>" || got.Header.Get("Bcc") != "" {
					t.Errorf("header %v", got.Header)
				}
				if at, err := got.Header.Date(); err != nil || !at.Equal(m.At) {
					t.Errorf("date %v, %v", at, err)
				}
			}
		})
	}
}

// What a mail server does not like, and whether that is for good.
func TestMailRefused(t *testing.T) {
	for name, c := range map[string]struct {
		office    func(p *postOffice)
		server    func(s *MailServer)
		permanent bool
		text      string
	}{
		"no such mailbox":     {office: func(p *postOffice) { p.rcpt = "550 no such user" }, permanent: true, text: "answered RCPT with 550 no such user"},
		"try later":           {office: func(p *postOffice) { p.rcpt = "451 greylisted" }, text: "answered RCPT with 451 greylisted"},
		"wrong password":      {server: func(s *MailServer) { s.Password = "falsch-123" }, text: "answered AUTH with 535 no"},
		"no STARTTLS":         {office: func(p *postOffice) { p.plain = true }, text: "does not offer STARTTLS"},
		"unknown certificate": {office: func(p *postOffice) { p.roots = x509.NewCertPool() }, text: "not trusted"},
		"nobody there":        {server: func(s *MailServer) { s.Port = 1 }, text: "refused the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPostOffice(t, func(p *postOffice) {
				if c.office != nil {
					c.office(p)
				}
			})
			err := p.channel(t, "starttls", c.server).Send(t.Context(), testMessage())
			if err == nil || IsPermanent(err) != c.permanent || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, permanent %t", err, IsPermanent(err))
			}
			if err != nil && (strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "falsch")) {
				t.Errorf("the error tells too much: %v", err)
			}
			if c.text == "does not offer STARTTLS" && len(p.auths) > 0 {
				t.Error("the password went in clear")
			}
		})
	}
}

// A mailbox is used after its code was given back, not before, and codes cannot be
// guessed.
func TestMailboxIsConfirmed(t *testing.T) {
	p := openPostOffice(t, func(*postOffice) {})
	st := newStore(t)
	cfg := newStage().config(st, Catalog(CatalogConfig{Mail: p.server("starttls"), TLS: &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12}})...)
	c := New(cfg, quietLog)
	ctx, me := t.Context(), Owner{UserID: "u1"}
	ch, err := c.AddChannel(ctx, me, ChannelChange{Kind: "email", Settings: map[string]string{"address": "miner@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	code := codeIn(t, p, 0)
	if _, err := c.Test(ctx, me, ch.ID); err == nil {
		t.Error("an unconfirmed mailbox got a message")
	}
	for i := range codeTries {
		if _, err := c.Confirm(ctx, me, ch.ID, fmt.Sprintf("%08d", i)); err != ErrCode { //nolint:errorlint // exactly this
			t.Fatal(err)
		}
	}
	if _, err := c.Confirm(ctx, me, ch.ID, code); err != ErrCode { //nolint:errorlint // exactly this
		t.Errorf("the right code after too many wrong ones: %v", err)
	}
	if _, err := c.SendCode(ctx, me, ch.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Confirm(ctx, Owner{UserID: "u2"}, ch.ID, codeIn(t, p, 1)); err == nil {
		t.Error("somebody else confirmed it")
	}
	late, err := c.Channel(ctx, me, ch.ID)
	if err != nil {
		t.Fatal(err)
	}
	until := late.CodeUntil
	expire := func(at time.Time) {
		t.Helper()
		late.CodeUntil = at
		if err := st.SaveChannel(ctx, late); err != nil {
			t.Fatal(err)
		}
		c.changed()
	}
	expire(time.Now())
	if _, err := c.Confirm(ctx, me, ch.ID, codeIn(t, p, 1)); err != ErrCode { //nolint:errorlint // exactly this
		t.Errorf("the right code when its time is over: %v", err)
	}
	expire(until)
	if got, err := c.Confirm(ctx, me, ch.ID, " "+codeIn(t, p, 1)+"\n"); err != nil || !got.Confirmed {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := c.Test(ctx, me, ch.ID); err != nil || len(p.mails) != 3 {
		t.Errorf("%v, %d mails", err, len(p.mails))
	}
	// Another address has to be confirmed again.
	other, err := c.ChangeChannel(ctx, me, ch.ID, ChannelChange{Settings: map[string]string{"address": "else@example.org"}})
	if err != nil || other.Confirmed {
		t.Errorf("%+v, %v", other, err)
	}
	// And nobody's mailbox is flooded: three codes an hour, whoever asks.
	for i := range 3 {
		o := Owner{UserID: fmt.Sprint("flood", i)}
		_, err = c.AddChannel(ctx, o, ChannelChange{Kind: "email", Settings: map[string]string{"address": "MINER@example.org"}})
	}
	if err != ErrTooMany { //nolint:errorlint // exactly this
		t.Errorf("flood: %v", err)
	}
}

var digits = regexp.MustCompile(`\b[0-9]{8}\b`)

// codeIn finds the code in a mail.
func codeIn(t *testing.T, p *postOffice, n int) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) <= n {
		t.Fatalf("%d mails", len(p.mails))
	}
	got, err := mail.ReadMessage(strings.NewReader(p.mails[n]))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(quotedprintable.NewReader(got.Body))
	return digits.FindString(string(body))
}

// A mail server that says nothing holds a message up no longer than it may.
func TestSilentMailServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c := &catalog{cfg: CatalogConfig{Mail: MailServer{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "a@b.example", TLS: "none"}, TLS: &tls.Config{MinVersion: tls.VersionTLS12}}}
	ch, err := c.mail(Opening{Settings: map[string]string{"address": "miner@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := ch.Send(ctx, testMessage()); err == nil || !strings.Contains(err.Error(), "in time") || IsPermanent(err) {
		t.Errorf("%v", err)
	}
}

// FuzzMail: whatever a message says, the mail has its headers and its text, and no
// others.
func FuzzMail(f *testing.F) {
	f.Add("title", "text")
	f.Add("Subject\r\nBcc: x@y", ".\r\n\r\n.\r\nMAIL FROM:<x>")
	f.Add("\xff\x00", "\xff\n\r\x00=")
	f.Fuzz(func(t *testing.T, title, text string) {
		e := alert.Event{Kind: alert.BackupFailed, At: time.Unix(1_700_000_000, 0), Text: Plain(text, 1000)}
		m := compose("0123456789abcdef0123", []alert.Event{e}, false)
		m.Title = title
		from, to := &mail.Address{Address: "pool@pool.example"}, &mail.Address{Address: "miner@example.org"}
		got, err := mail.ReadMessage(strings.NewReader(string(mailChannel{from: from, to: to}.compose(m))))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Header) != 9 {
			t.Errorf("%d headers: %v", len(got.Header), got.Header)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
		if err != nil || string(body) != e.Text+"\r\n" {
			t.Errorf("body %q, want %q: %v", body, e.Text, err)
		}
	})
}
