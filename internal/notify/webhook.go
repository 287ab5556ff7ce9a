package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/poolscope/poolscope/internal/alert"
)

// webhookBody is what our webhook sends, as JSON. docs/alerts.md describes it.
type webhookBody struct {
	ID       string        `json:"id"` // the same when a message is sent again
	At       time.Time     `json:"at"`
	Title    string        `json:"title"`
	Text     string        `json:"text"`
	Severity string        `json:"severity"`
	Digest   bool          `json:"digest"`
	Events   []alert.Event `json:"events"`
}

// webhook sends JSON to any program. With a secret, the header
// X-Poolscope-Signature has "sha256=" and the HMAC-SHA256 (RFC 2104) of the
// header X-Poolscope-Timestamp, a dot and the body, in hex.
func (c *catalog) webhook(o Opening) (Channel, error) {
	to, err := baseURL("the URL", o.Settings["webhook"], o.Operator)
	if err != nil {
		return nil, err
	}
	secret := o.Settings["secret"]
	return httpChannel{c.client(o), func(ctx context.Context, m Message) (*http.Request, error) {
		body := webhookBody{m.ID, m.At.UTC(), m.Title, m.Text(), m.Severity(), m.Digest, m.Events}
		req, err := jsonRequest(ctx, http.MethodPost, to, body)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Idempotency-Key", m.ID)
		req.Header.Set("X-Poolscope-Message", m.ID)
		if secret != "" {
			if err := sign(req, secret, time.Now()); err != nil {
				return nil, err
			}
		}
		return req, nil
	}}, nil
}

// sign adds the signature of a request.
func sign(req *http.Request, secret string, now time.Time) error {
	body, err := req.GetBody()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if _, err := io.Copy(&text, body); err != nil {
		return err
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(text.Bytes())
	req.Header.Set("X-Poolscope-Timestamp", stamp)
	req.Header.Set("X-Poolscope-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return nil
}
