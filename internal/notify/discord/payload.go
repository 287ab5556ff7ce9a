package discord

import (
	"encoding/json"

	"github.com/coder/websocket"
)

// Opcodes of the gateway
// (https://discord.com/developers/docs/topics/opcodes-and-status-codes).
const (
	opDispatch       = 0
	opHeartbeat      = 1
	opIdentify       = 2
	opResume         = 6
	opReconnect      = 7
	opInvalidSession = 9
	opHello          = 10
	opHeartbeatAck   = 11
)

// frame is one message of the gateway, in either direction.
type frame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d,omitempty"`
	Seq  *int64          `json:"s,omitempty"`
	Type string          `json:"t,omitempty"`
}

// hello is the data of opHello.
type hello struct {
	HeartbeatInterval float64 `json:"heartbeat_interval"` // milliseconds
}

// ready is what is of interest in the event READY.
type ready struct {
	SessionID   string `json:"session_id"`
	ResumeURL   string `json:"resume_gateway_url"`
	Application struct {
		ID string `json:"id"`
	} `json:"application"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
}

// identify is the data of opIdentify. Slash commands come without any intent.
type identify struct {
	Token      string            `json:"token"`
	Intents    int               `json:"intents"`
	Properties map[string]string `json:"properties"`
}

// resume is the data of opResume.
type resume struct {
	Token     string `json:"token"`
	SessionID string `json:"session_id"`
	Seq       int64  `json:"seq"`
}

// Close codes of the gateway.
const (
	closeAuthentication = websocket.StatusCode(4004)
	closeInvalidSeq     = websocket.StatusCode(4007)
	closeTimedOut       = websocket.StatusCode(4009)
	closeInvalidShard   = websocket.StatusCode(4010)
	closeDisallowed     = websocket.StatusCode(4014)
	// closeResumable is ours: one of 1000 or 1001 would end the session at once.
	closeResumable = websocket.StatusCode(4900)
)

// isRefusal reports whether a close code means that the next try will end in the
// same way, unless somebody changes something: a wrong token (4004), shards,
// version or intents that are not allowed (4010 to 4014).
func isRefusal(code websocket.StatusCode) bool {
	return code == closeAuthentication || code >= closeInvalidShard && code <= closeDisallowed
}

// endsSession reports whether the session cannot be resumed after a close code.
func endsSession(code websocket.StatusCode) bool {
	return code == websocket.StatusNormalClosure || code == websocket.StatusGoingAway ||
		code == closeInvalidSeq || code == closeTimedOut || isRefusal(code)
}
