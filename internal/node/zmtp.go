package node

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Flags of a ZMTP frame (ZMTP 3.0, section "Framing").
const (
	frameMore    = 0x01
	frameLong    = 0x02
	frameCommand = 0x04
)

// Limits of what a publisher may send. Bitcoin Core sends three frames: topic,
// body, sequence number; the largest body is a block.
const (
	maxFrames    = 8
	maxFrameSize = 64 << 20
	keptOfFrame  = rawBlockPrefix
)

var errFrame = errors.New("malformed zmtp frame")

// frame is the beginning of a frame; the rest of a long one is not kept, since
// all that is of use in a block of megabytes stands in its first bytes.
type frame struct {
	start []byte // at most keptOfFrame bytes
	size  int
}

// frameReader reads messages from a ZMTP connection after its handshake. The
// library does the handshake; it would read a frame of any announced size into
// memory.
type frameReader struct {
	r *bufio.Reader
}

// message reads the frames of the next message. Commands, which a publisher
// has little reason to send, are handed to command one by one.
func (f frameReader) message(command func(body []byte) error) ([]frame, error) {
	var frames []frame
	for {
		flags, size, err := f.header()
		if err != nil {
			return nil, err
		}
		body := make([]byte, min(size, keptOfFrame))
		if _, err := io.ReadFull(f.r, body); err != nil {
			return nil, err
		}
		if _, err := f.r.Discard(size - len(body)); err != nil {
			return nil, err
		}

		if flags&frameCommand != 0 {
			if len(frames) > 0 || flags&frameMore != 0 {
				return nil, fmt.Errorf("%w: a command inside of a message", errFrame)
			}
			if err := command(body); err != nil {
				return nil, err
			}
			continue
		}
		frames = append(frames, frame{start: body, size: size})
		if flags&frameMore == 0 {
			return frames, nil
		}
		if len(frames) == maxFrames {
			return nil, fmt.Errorf("%w: too many frames", errFrame)
		}
	}
}

func (f frameReader) header() (flags byte, size int, err error) {
	if flags, err = f.r.ReadByte(); err != nil {
		return 0, 0, err
	}
	if flags&^(frameMore|frameLong|frameCommand) != 0 {
		return 0, 0, fmt.Errorf("%w: flags %02x", errFrame, flags)
	}
	length := make([]byte, 1, 8)
	if flags&frameLong != 0 {
		length = length[:8]
	}
	if _, err = io.ReadFull(f.r, length); err != nil {
		return 0, 0, err
	}
	n := uint64(length[0])
	if flags&frameLong != 0 {
		n = binary.BigEndian.Uint64(length)
	}
	if n > maxFrameSize {
		return 0, 0, fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	return flags, int(n), nil
}

// pingContext returns the context that the answer to a PING has to repeat
// (ZMTP 3.1), and whether body is one.
func pingContext(body []byte) ([]byte, bool) {
	const name = "\x04PING"
	if len(body) < len(name)+2 || string(body[:len(name)]) != name {
		return nil, false
	}
	return body[len(name)+2:], true // after the time to live
}
