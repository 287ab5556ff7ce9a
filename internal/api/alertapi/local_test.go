package alertapi

import (
	"net/http"
	"testing"
)

// TestViewerAtThisMachine: who signs in as a viewer on the pool's own machine gets
// no channel that would be refused, or would be dangerous, when it is sent.
func TestViewerAtThisMachine(t *testing.T) {
	r := newRig(t)
	r.gate.SetTokens("", "") // this machine counts as the operator
	const (
		raw      = `{"kind":"shoutrrr","name":"x","settings":{"url":"generic://127.0.0.1:1"}}`
		internal = `{"kind":"webhook","name":"x","settings":{"webhook":"http://127.0.0.1:1/x"}}`
	)
	r.want("here ann", http.MethodPost, "/api/alerts/channels", raw, http.StatusBadRequest, "for operators only")
	r.want("here ann", http.MethodPost, "/api/alerts/channels", internal, http.StatusBadRequest, "")
	r.want("here op", http.MethodPost, "/api/alerts/channels", raw, http.StatusCreated, `"id"`)
	// Without an account it would be all operators': that takes a proof.
	r.want("here ", http.MethodPost, "/api/alerts/channels", raw, http.StatusUnauthorized, "unauthorized")
}
