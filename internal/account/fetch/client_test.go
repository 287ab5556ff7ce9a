package fetch

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestClientTakesSoMuchAndNoMore(t *testing.T) {
	size := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	}))
	defer server.Close()
	for _, size = range []int{0, 1, MaxBytes - 1, MaxBytes, MaxBytes + 1, 4 * MaxBytes} {
		answer, err := NewClient().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if size <= MaxBytes && (err != nil || len(body) != size) || size > MaxBytes && (!errors.Is(err, ErrTooLarge) || len(body) > MaxBytes) {
			t.Errorf("%d bytes: %d of them, %v", size, len(body), err)
		}
	}
}

func TestClientGoesNowhereElse(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer elsewhere.Close()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, elsewhere.URL+"/keys", http.StatusFound)
		case "/moved":
			http.Redirect(w, r, server.URL+"/here", http.StatusMovedPermanently)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		}
	}))
	defer server.Close()
	for path, ok := range map[string]bool{"/elsewhere": false, "/moved": true, "/round": false} {
		answer, err := NewClient().Get(server.URL + path)
		if err == nil {
			_ = answer.Body.Close()
		}
		if (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
	if asked != 0 {
		t.Error("another host was asked")
	}
}
