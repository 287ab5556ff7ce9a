package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Limits of one answer. Key sets and discovery documents have a few kilobytes.
const (
	Timeout  = 10 * time.Second
	MaxBytes = 256 << 10
)

// ErrTooLarge says that an answer has more than MaxBytes.
var ErrTooLarge = errors.New("the answer is too large")

// maxRedirects is for providers that moved a document within their host.
const maxRedirects = 3

// NewClient returns a client whose requests take at most Timeout and whose
// answers have at most MaxBytes: reading on fails with ErrTooLarge. Redirects
// are followed within one host and scheme only, since requests to providers
// carry secrets. It keeps no cookies.
func NewClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.MaxConnsPerHost = 8
	transport.ResponseHeaderTimeout = Timeout
	return &http.Client{
		Timeout:   Timeout,
		Transport: limited{transport},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			first := via[0].URL
			if len(via) > maxRedirects || r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
				return fmt.Errorf("%s redirects to %s, which is not followed", first.Redacted(), r.URL.Redacted())
			}
			return nil
		},
	}
}

// limited bounds the bodies of answers.
type limited struct{ next http.RoundTripper }

// RoundTrip sends a request.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &body{ReadCloser: answer.Body, left: MaxBytes}
	return answer, nil
}

// body fails where io.LimitReader would pretend that the answer ends.
type body struct {
	io.ReadCloser
	left int
}

// Read reads a part of the answer.
func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
