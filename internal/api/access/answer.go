package access

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// SendJSON answers with a value that no cache keeps. One that cannot be encoded
// is a fault of ours: it is logged, and the answer is 500.
func SendJSON(w http.ResponseWriter, log *slog.Logger, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		log.Error("response not built", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that went away is no news.
	_, _ = w.Write(append(body, '\n'))
}

// Stamp makes a time fit for JSON: RFC 3339 in UTC with at most milliseconds. The
// zero time stays zero, which `omitzero` leaves out.
func Stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}
