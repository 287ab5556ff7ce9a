package relay

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/poolscope/poolscope/internal/nostr"
)

// document is what the relay says of itself (NIP-11).
type document struct {
	Name          string     `json:"name"`
	Description   string     `json:"description"`
	SupportedNIPs []int      `json:"supported_nips"`
	Software      string     `json:"software"`
	Version       string     `json:"version,omitempty"`
	Limitation    limitation `json:"limitation"`
}

type limitation struct {
	MaxMessageLength    int   `json:"max_message_length"` // bytes
	MaxSubscriptions    int   `json:"max_subscriptions"`
	MaxFilters          int   `json:"max_filters"`
	MaxLimit            int   `json:"max_limit"`
	DefaultLimit        int   `json:"default_limit"`
	MaxSubIDLength      int   `json:"max_subid_length"`
	MaxEventTags        int   `json:"max_event_tags"`
	MaxContentLength    int   `json:"max_content_length"` // characters
	AuthRequired        bool  `json:"auth_required"`
	PaymentRequired     bool  `json:"payment_required"`
	RestrictedWrites    bool  `json:"restricted_writes"`
	CreatedAtUpperLimit int64 `json:"created_at_upper_limit"` // seconds ahead
}

// serveDocument answers a request that is not for a WebSocket: with the
// document when that is asked for, with a hint otherwise.
func (r *Relay) serveDocument(w http.ResponseWriter, request *http.Request) {
	// NIP-11 asks for these three.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "*")
	w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	switch request.Method {
	case http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet, http.MethodHead:
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "this is a Nostr relay", http.StatusMethodNotAllowed)
		return
	}
	if !strings.Contains(request.Header.Get("Accept"), "application/nostr+json") {
		http.Error(w, "This is a Nostr relay: connect to it with a Nostr client, or ask for application/nostr+json.", http.StatusUpgradeRequired)
		return
	}
	c := &r.config
	nips := []int{1, 11, 40}
	if c.Address != "" {
		nips = append(nips, 42)
	}
	text, err := json.Marshal(document{
		Name: c.Name, Description: c.Description, Version: c.Version, Software: "poolscope", SupportedNIPs: nips,
		Limitation: limitation{
			MaxMessageLength: nostr.MaxMessageBytes, MaxSubscriptions: c.MaxSubscriptions, MaxFilters: nostr.MaxFilters,
			MaxLimit: c.MaxResults, DefaultLimit: c.MaxResults, MaxSubIDLength: nostr.MaxSubscriptionID,
			MaxEventTags: nostr.MaxTags, MaxContentLength: c.MaxEventBytes,
			AuthRequired: c.RequireAuth, RestrictedWrites: c.RequireAuth || len(c.Authors) > 0,
			CreatedAtUpperLimit: int64(c.FutureLimit.Seconds()),
		},
	})
	if err != nil {
		http.Error(w, "the document cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/nostr+json")
	_, _ = w.Write(text) // who went away does not read it
}

// isWebSocket says whether the request wants to become a WebSocket.
func isWebSocket(request *http.Request) bool {
	return strings.EqualFold(request.Header.Get("Upgrade"), "websocket")
}

// originAllowed says whether the page that wants to connect may; see
// Config.Origins.
func (r *Relay) originAllowed(request *http.Request) bool {
	origin := request.Header.Get("Origin")
	if origin == "" || slices.Contains(r.config.Origins, "*") || slices.Contains(r.config.Origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(u.Host, request.Host) {
		return false
	}
	name := u.Hostname()
	return name == "localhost" || net.ParseIP(name) != nil
}

// sameRelay says whether an address that a client named in its answer to the
// challenge is the relay's own. Case, a default port and a final slash do not
// count (NIP-42 leaves that to the relay).
func (r *Relay) sameRelay(address string) bool {
	got, err1 := normalAddress(address)
	want, err2 := normalAddress(r.config.Address)
	return err1 == nil && err2 == nil && got == want
}

func normalAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "ws":
		host = strings.TrimSuffix(host, ":80")
	case "wss":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host + strings.TrimRight(u.Path, "/"), nil
}
