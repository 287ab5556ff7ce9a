package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// MailServer is the operator's server that mail goes out through.
type MailServer struct {
	Host     string
	Port     int
	User     string // "" for no authentication
	Password string
	From     string // address, or "Name <address>"
	TLS      string // "starttls" (must be offered), "tls" (from the first byte) or "none"
}

// mailChannel sends to one address.
type mailChannel struct {
	server MailServer
	roots  *tls.Config
	from   *mail.Address
	to     *mail.Address
}

var _ Channel = mailChannel{}

// mail sends to a mailbox, through the operator's server.
func (c *catalog) mail(o Opening) (Channel, error) {
	to, err := mailAddress(o.Settings["address"])
	if err != nil {
		return nil, err
	}
	from, err := mail.ParseAddress(c.cfg.Mail.From)
	if err != nil {
		return nil, badSetting("alerts.smtp_from is not an address")
	}
	return mailChannel{c.cfg.Mail, c.cfg.TLS, from, to}, nil
}

// mailAddress reads one address without a name.
func mailAddress(text string) (*mail.Address, error) {
	text = strings.TrimSpace(text)
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || len(text) > 254 || strings.ContainsAny(text, "\r\n\x00\" ") {
		return nil, badSetting("the address must be like name@example.org")
	}
	return a, nil
}

// Send implements [Channel]. The Message-ID is that of the message, by which
// mail servers and programs recognize one that comes again.
func (c mailChannel) Send(ctx context.Context, m Message) error {
	client, err := c.connect(ctx)
	if err != nil {
		return explain(err)
	}
	defer func() { _ = client.Close() }()
	// What ends ctx ends a conversation that hangs.
	if err := c.deliver(client, m); err != nil {
		if ctx.Err() != nil {
			return errors.New("the mail server did not answer in time")
		}
		return err
	}
	return nil
}

// connect reaches the server and signs in.
func (c mailChannel) connect(ctx context.Context) (*smtp.Client, error) {
	address := net.JoinHostPort(c.server.Host, strconv.Itoa(c.server.Port))
	secure := c.roots.Clone()
	secure.ServerName = c.server.Host
	conn, err := (&net.Dialer{Timeout: connectTime}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(sendTime)
	}
	_ = conn.SetDeadline(deadline) // a connection takes any
	raw := conn
	if c.server.TLS == "tls" {
		conn = tls.Client(conn, secure)
	}
	client, err := smtp.NewClient(conn, c.server.Host)
	if err != nil {
		_ = raw.Close()
		return nil, mailError("greeting", err, false)
	}
	if err := c.signIn(client, secure); err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

func (c mailChannel) signIn(client *smtp.Client, secure *tls.Config) error {
	_, host, _ := strings.Cut(c.from.Address, "@")
	if err := client.Hello(host); err != nil {
		return mailError("EHLO", err, false)
	}
	if c.server.TLS == "starttls" {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return errors.New("the mail server does not offer STARTTLS")
		}
		if err := client.StartTLS(secure); err != nil {
			return mailError("STARTTLS", err, false)
		}
	}
	if c.server.User == "" {
		return nil
	}
	if err := client.Auth(smtp.PlainAuth("", c.server.User, c.server.Password, c.server.Host)); err != nil {
		return mailError("AUTH", err, false)
	}
	return nil
}

// deliver hands a message over.
func (c mailChannel) deliver(client *smtp.Client, m Message) error {
	if err := client.Mail(c.from.Address); err != nil {
		return mailError("MAIL", err, false)
	}
	if err := client.Rcpt(c.to.Address); err != nil {
		return mailError("RCPT", err, true)
	}
	w, err := client.Data()
	if err != nil {
		return mailError("DATA", err, true)
	}
	if _, err := w.Write(c.compose(m)); err != nil {
		return mailError("DATA", err, false)
	}
	if err := w.Close(); err != nil {
		return mailError("DATA", err, true)
	}
	_ = client.Quit() // it has the message
	return nil
}

// compose is the message as RFC 5322 has it.
func (c mailChannel) compose(m Message) []byte {
	_, host, _ := strings.Cut(c.from.Address, "@")
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", c.from.String())
	header("To", c.to.String())
	header("Subject", mime.QEncoding.Encode("utf-8", Plain(m.Title, 200)))
	header("Date", m.At.UTC().Format(time.RFC1123Z))
	header("Message-ID", "<"+m.ID+"@"+host+">")
	header("Auto-Submitted", "auto-generated") // RFC 3834: no answers from holidays
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	_, _ = body.Write([]byte(strings.Join(m.Lines, "\r\n") + "\r\n")) // a buffer takes all
	_ = body.Close()
	return b.Bytes()
}

// mailError says what a mail server did not like. A definite no to the recipient
// or the message is one for good; the rest is the operator's to mend.
func mailError(step string, err error, definite bool) error {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return explain(err)
	}
	out := fmt.Errorf("the mail server answered %s with %d %s", step, answer.Code, Plain(answer.Msg, 200))
	if definite && answer.Code >= 500 {
		return Permanent(out)
	}
	return out
}
