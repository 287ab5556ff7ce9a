package scopeapi

import (
	"encoding/json"
	"net/http"
)

// failure is an answer other than success. Detail is the text of it, or the
// list of what is wrong with a request.
type failure struct {
	status int
	detail any
}

// Error is the text for logs.
func (f *failure) Error() string {
	if text, ok := f.detail.(string); ok {
		return text
	}
	return http.StatusText(f.status)
}

// fail makes a failure with a text.
func fail(status int, detail string) error { return &failure{status, detail} }

// Answers of the contract and of the original, word for word.
var (
	errNotFound        = fail(http.StatusNotFound, "Not Found")
	errMethod          = fail(http.StatusMethodNotAllowed, "Method Not Allowed")
	errInternal        = fail(http.StatusInternalServerError, "Internal Server Error")
	errSessionNotFound = fail(http.StatusNotFound, "Session not found")
	errMessageNotFound = fail(http.StatusNotFound, "Message not found")
	errAgentNotFound   = fail(http.StatusNotFound, "Agent not found")
	errSessionEnded    = fail(http.StatusNotFound, "Session not active or already disconnected")
	errMediaType       = fail(http.StatusUnsupportedMediaType, "The body must be application/json")
)

// notRunning says that a part of the program is missing.
func notRunning(part string) error {
	return fail(http.StatusServiceUnavailable, part+" is not running")
}

// problem is one thing that is wrong with a request, as FastAPI tells it.
type problem struct {
	Type  string         `json:"type" doc:"Kind of the problem" example:"less_than_equal"`
	Loc   []any          `json:"loc" doc:"Where it is: query or body, then the member's name"`
	Msg   string         `json:"msg" doc:"What is wrong, for people"`
	Input any            `json:"input" doc:"What was given"`
	Ctx   map[string]any `json:"ctx,omitempty" doc:"The bound that was missed"`
}

// errorBody is every error.
type errorBody struct {
	Detail any `json:"detail"`
}

// sendError answers with a failure.
func sendError(w http.ResponseWriter, f *failure) {
	body, err := json.Marshal(errorBody{f.detail})
	if err != nil {
		body = []byte(`{"detail":"Internal Server Error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(f.status)
	// A client that went away is no news.
	_, _ = w.Write(body)
}
