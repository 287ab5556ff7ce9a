// Package socket reads Nostr's messages from a WebSocket within bounds, for
// the relay and the client.
package socket

import (
	"context"
	"fmt"
	"io"

	"github.com/coder/websocket"

	"github.com/poolscope/poolscope/internal/nostr"
)

// hardLimit is the longest message, in bytes, that is read to its end and
// thrown away; a longer one ends the connection.
const hardLimit = 8 << 20

// Message is one WebSocket message.
type Message struct {
	Data    []byte // "" when TooLong
	Binary  bool
	TooLong bool // longer than nostr.MaxMessageBytes; the connection goes on
}

// Limit sets the bound that Read needs. It is called once, before it.
func Limit(c *websocket.Conn) { c.SetReadLimit(hardLimit) }

// Read reads the next message. One that is too long is thrown away instead of
// ending the connection: a peer that reconnects and asks again would get the
// same message again, for ever.
func Read(ctx context.Context, c *websocket.Conn) (Message, error) {
	kind, r, err := c.Reader(ctx)
	if err != nil {
		return Message{}, err
	}
	m := Message{Binary: kind == websocket.MessageBinary}
	m.Data, err = io.ReadAll(io.LimitReader(r, nostr.MaxMessageBytes+1))
	if err == nil && len(m.Data) > nostr.MaxMessageBytes {
		m.Data, m.TooLong = nil, true
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		return Message{}, fmt.Errorf("read message: %w", err)
	}
	return m, nil
}
