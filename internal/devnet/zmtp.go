package devnet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// ZMTP 3.0 (https://rfc.zeromq.org/spec/23/), the publishing side, as much of
// it as a PUB socket without security needs:
//
//	greeting  = FF 8 octets 7F · 3 0 · "NULL" padded to 20 · as-server · 31 zeros
//	handshake = both sides send the command READY with their Socket-Type
//	frame     = flags (1 more, 2 long, 4 command) · size (1, or 8 BE) · body
//	subscribe = message 01 topic; cancel = message 00 topic
//
// go-zeromq's own PUB socket is not used: its queue has no limit, one stalled
// subscriber stops all others, and one silent connection stops its accepts.

const (
	zmtpMore    = 1
	zmtpLong    = 2
	zmtpCommand = 4

	zmtpGreetingSize = 64
	// zmtpMaxFrame bounds what a subscriber may send in one frame: its
	// commands and topics are short.
	zmtpMaxFrame = 1024
	// zmtpHandshakeTime is how long a new connection may take to greet.
	zmtpHandshakeTime = 10 * time.Second
)

var errZMTP = errors.New("devnet: not a ZMTP 3 subscriber")

// zmtpGreeting returns our greeting.
func zmtpGreeting() []byte {
	g := make([]byte, zmtpGreetingSize)
	g[0], g[8], g[9] = 0xff, 1, 0x7f
	g[10] = 3
	copy(g[12:], "NULL")
	return g
}

// zmtpHandshake greets a peer and makes sure that it is a subscriber.
func zmtpHandshake(conn net.Conn, in *bufio.Reader) error {
	if err := conn.SetDeadline(time.Now().Add(zmtpHandshakeTime)); err != nil {
		return fmt.Errorf("devnet: zmtp deadline: %w", err)
	}
	if _, err := conn.Write(zmtpGreeting()); err != nil {
		return fmt.Errorf("devnet: zmtp greet: %w", err)
	}
	var peer [zmtpGreetingSize]byte
	if _, err := io.ReadFull(in, peer[:]); err != nil {
		return fmt.Errorf("devnet: zmtp greeting: %w", err)
	}
	if peer[0] != 0xff || peer[9]&1 == 0 || peer[10] < 3 || string(peer[12:17]) != "NULL\x00" {
		return errZMTP
	}

	ready := zmtpReady("PUB")
	frame := append([]byte{zmtpCommand, byte(len(ready))}, ready...)
	if _, err := conn.Write(frame); err != nil {
		return fmt.Errorf("devnet: zmtp ready: %w", err)
	}
	flags, body, err := zmtpReadFrame(in)
	if err != nil {
		return err
	}
	if flags&zmtpCommand == 0 || !zmtpIsSubscriber(body) {
		return errZMTP
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("devnet: zmtp deadline: %w", err)
	}
	return nil
}

// zmtpReady returns the body of the READY command of a socket type.
func zmtpReady(socketType string) []byte {
	b := append([]byte{5}, "READY"...)
	b = append(append(b, 11), "Socket-Type"...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(socketType)))
	return append(b, socketType...)
}

// zmtpIsSubscriber tells whether a READY command comes from a SUB or XSUB
// socket.
func zmtpIsSubscriber(ready []byte) bool {
	name, props, ok := zmtpCommandName(ready)
	if !ok || name != "READY" {
		return false
	}
	for len(props) > 0 {
		n := int(props[0])
		if len(props) < 1+n+4 {
			return false
		}
		key := string(props[1 : 1+n])
		size := binary.BigEndian.Uint32(props[1+n:])
		props = props[1+n+4:]
		if uint64(size) > uint64(len(props)) {
			return false
		}
		value := string(props[:size])
		props = props[size:]
		if key == "Socket-Type" {
			return value == "SUB" || value == "XSUB"
		}
	}
	return false
}

// zmtpCommandName splits a command into its name and its data.
func zmtpCommandName(body []byte) (name string, data []byte, ok bool) {
	if len(body) == 0 || len(body) < 1+int(body[0]) {
		return "", nil, false
	}
	n := 1 + int(body[0])
	return string(body[1:n]), body[n:], true
}

// zmtpReadFrame reads one short frame.
func zmtpReadFrame(in *bufio.Reader) (flags byte, body []byte, err error) {
	if flags, err = in.ReadByte(); err != nil {
		return 0, nil, fmt.Errorf("devnet: zmtp read: %w", err)
	}
	size := uint64(0)
	if flags&zmtpLong != 0 {
		var long [8]byte
		if _, err = io.ReadFull(in, long[:]); err == nil {
			size = binary.BigEndian.Uint64(long[:])
		}
	} else {
		var short byte
		short, err = in.ReadByte()
		size = uint64(short)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("devnet: zmtp read: %w", err)
	}
	if size > zmtpMaxFrame {
		return 0, nil, errZMTP
	}
	body = make([]byte, size)
	if _, err = io.ReadFull(in, body); err != nil {
		return 0, nil, fmt.Errorf("devnet: zmtp read: %w", err)
	}
	return flags, body, nil
}

// zmtpMessage encodes a message of several frames.
func zmtpMessage(frames ...[]byte) []byte {
	size := 0
	for _, f := range frames {
		size += 9 + len(f)
	}
	b := make([]byte, 0, size)
	for i, f := range frames {
		flags := byte(0)
		if i < len(frames)-1 {
			flags |= zmtpMore
		}
		if len(f) > 255 {
			b = append(b, flags|zmtpLong)
			b = binary.BigEndian.AppendUint64(b, uint64(len(f)))
		} else {
			b = append(b, flags, byte(len(f)))
		}
		b = append(b, f...)
	}
	return b
}
