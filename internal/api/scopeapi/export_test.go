package scopeapi

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/export"
)

// TestExport reads each format with a reader that is not ours, or with the one
// that proves it.
func TestExport(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "s")
	server := httptest.NewServer(b.api)
	defer server.Close()
	fetch := func(format string) (body []byte, trailer http.Header) {
		t.Helper()
		response, err := http.Get(server.URL + "/api/sessions/s/export?format=" + format)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err = io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", format, response.Status, err)
		}
		if got := response.Header.Get("Content-Disposition"); got != `attachment; filename="s.`+format+`"` {
			t.Errorf("%s: %s", format, got)
		}
		return body, response.Trailer
	}

	body, trailer := fetch("jsonl")
	report, err := export.Verify(bytes.NewReader(body))
	if err != nil || report.Messages != 8 || report.Head == "" || trailer.Get("X-Capture-Head") != report.Head {
		t.Errorf("%+v, %v, trailer %v", report, err, trailer)
	}

	body, _ = fetch("pcapng")
	if !bytes.HasPrefix(body, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		t.Errorf("no section header block at the beginning: % x", body[:min(16, len(body))])
	}

	body, _ = fetch("csv")
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != "u.w" {
		t.Errorf("%v, %v", rows, err)
	}
}

// failing is a library whose messages cannot be read.
type failing struct{ Messages }

func (failing) SessionMessages(context.Context, string, uint64, int) ([]*capture.Message, error) {
	return nil, errors.New("the disk /secret/path is gone")
}

// TestExportFails lets the disk fail: nobody may take what came for all, and
// nobody is told our paths.
func TestExportFails(t *testing.T) {
	b := newBench(t, func(_ *Config, s *Sources) { s.Messages = failing{s.Messages} })
	scenarioA(b, "s")
	for _, format := range []string{"jsonl", "pcapng", "csv"} {
		func() {
			defer func() { _ = recover() }() // the connection is cut
			w := b.get("/api/sessions/s/export?format=" + format)
			if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Content-Disposition") != "" {
				t.Errorf("%s: %d %s %v", format, w.Code, w.Body, w.Header())
			}
		}()
	}
}

// TestDecoded explains a share by the job that it was found for, and by what was
// in force then.
func TestDecoded(t *testing.T) {
	b := newBench(t)
	scenarioA(b, "s")
	type decoded struct {
		MessageID string `json:"message_id"`
		Decoded   struct {
			Kind, Summary string
			Submit        struct {
				JobID string `json:"job_id"`
			}
			Accepted *bool
		}
	}
	for id, want := range map[string]string{"s-1": "subscribe", "s-2": "subscribe_result", "s-4": "authorize_result", "s-5": "set_difficulty", "s-6": "notify", "s-7": "submit", "s-8": "submit_result"} {
		got := read[decoded](t, b.get("/api/messages/"+id+"/decoded"))
		if got.MessageID != id || got.Decoded.Kind != want || got.Decoded.Summary == "" {
			t.Errorf("%s: %+v, want kind %s", id, got, want)
		}
	}
	if got := read[decoded](t, b.get("/api/messages/s-8/decoded")); got.Decoded.Accepted == nil || !*got.Decoded.Accepted {
		t.Errorf("the answer to a share: %+v", got)
	}
	wantDetail(t, b.get("/api/messages/s-9/decoded"), http.StatusNotFound, "Message not found")
}
