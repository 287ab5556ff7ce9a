package export

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Format and Version are in the header of JSONL files.
const (
	Format  = "poolscope-capture"
	Version = 1
)

// About is what a file says about itself.
type About struct {
	Session capture.Session
	Tool    string    // "poolscope v1.2.3"
	Created time.Time // of the file
}

// Summary is what was written.
type Summary struct {
	Messages uint64
	Head     string // SHA-256 of the footer line, 64 hex digits
}

// Session is the header's record of the session.
type Session struct {
	ID         string   `json:"session_id"`
	Origin     string   `json:"origin"`     // proxy, tap or file
	Miner      string   `json:"peer"`       // ip:port
	Listener   string   `json:"listener"`   // "" when unknown
	Pool       string   `json:"pool"`       // host:port as configured; "" for a tap
	PoolPeer   string   `json:"pool_peer"`  // ip:port; "" when it was never connected
	FirstSeen  string   `json:"first_seen"` // RFC 3339, microseconds
	LastSeen   string   `json:"last_seen"`
	EndedAt    *string  `json:"ended_at"` // null while it lives
	Reason     string   `json:"close_reason"`
	Messages   uint64   `json:"message_count"` // captured ever
	LostBytes  uint64   `json:"lost_bytes"`
	UserAgent  string   `json:"user_agent"`
	ResumeID   string   `json:"mining_session_id"`
	Workers    []string `json:"workers"`
	Difficulty float64  `json:"difficulty"` // the latest; 0 before the first
	Known      *Known   `json:"known"`      // of a connection that was captured from later than its beginning; null otherwise
}

// Known is what a connection had said before it was captured.
type Known struct {
	UserAgent       string   `json:"user_agent"`
	Workers         []string `json:"workers"`
	Extranonce1     string   `json:"extranonce1"`      // hex
	Extranonce2Size int      `json:"extranonce2_size"` // bytes
	Difficulty      float64  `json:"difficulty"`
	VersionMask     uint32   `json:"version_mask"`
}

func sessionRecord(s *capture.Session) Session {
	out := Session{
		ID: s.ID, Origin: string(s.Origin), Miner: s.Miner, Listener: s.Listener, Pool: s.Pool, PoolPeer: s.PoolPeer,
		FirstSeen: capture.FormatTime(s.At), LastSeen: capture.FormatTime(s.LastSeen),
		Reason: s.Reason, Messages: s.Messages, LostBytes: s.LostBytes,
		UserAgent: s.UserAgent, ResumeID: s.ResumeID, Workers: s.Workers, Difficulty: s.Difficulty,
	}
	if out.Workers == nil {
		out.Workers = []string{}
	}
	if s.Known != nil {
		known := Known(*s.Known)
		out.Known = &known
	}
	if !s.Live() {
		ended := capture.FormatTime(s.EndedAt)
		out.EndedAt = &ended
	}
	return out
}

// header is the first line.
type header struct {
	Type    string  `json:"type"`
	Format  string  `json:"format"`
	Version int     `json:"version"`
	Tool    string  `json:"tool"`
	Created string  `json:"created"`
	Session Session `json:"session"`
	Prev    *string `json:"prev"`
}

// footer is the last line.
type footer struct {
	Type     string `json:"type"`
	Messages uint64 `json:"messages"`
	Gaps     uint64 `json:"gap_bytes"`
	Missing  uint64 `json:"missing"`
	Prev     string `json:"prev"`
}

// JSONL writes a session's messages as a hash-chained text file. It ends at
// the first error of the messages or of w.
func JSONL(w io.Writer, about About, messages iter.Seq2[*capture.Message, error]) (Summary, error) {
	c := chain{w: bufio.NewWriterSize(w, 1<<16), hash: sha256.New()}
	text, err := json.Marshal(header{
		Type: "header", Format: Format, Version: Version, Tool: about.Tool,
		Created: capture.FormatTime(about.Created), Session: sessionRecord(&about.Session),
	})
	if err != nil {
		return Summary{}, err
	}
	c.line(text)
	end := footer{Type: "footer"}
	next := uint64(1)
	var buffer []byte
	for m, err := range messages {
		if err != nil {
			return Summary{}, fmt.Errorf("reading messages: %w", err)
		}
		if m.N > next {
			end.Missing += m.N - next
		}
		next = m.N + 1
		end.Messages++
		end.Gaps += m.Gap
		buffer = m.AppendJSON(buffer[:0])
		buffer = append(buffer[:len(buffer)-1], `,"prev":"`...)
		buffer = append(buffer, c.head...)
		buffer = append(buffer, `"}`...)
		c.line(buffer)
		if c.err != nil {
			return Summary{}, c.err
		}
	}
	// What the session had after the last one is not kept any more.
	if all := about.Session.Messages; all >= next {
		end.Missing += all - next + 1
	}
	end.Prev = c.head
	if text, err = json.Marshal(end); err != nil {
		return Summary{}, err
	}
	c.line(text)
	if c.err == nil {
		c.err = c.w.Flush()
	}
	return Summary{Messages: end.Messages, Head: c.head}, c.err
}

// chain writes lines and keeps the hash of the last one.
type chain struct {
	w    *bufio.Writer
	hash hash.Hash
	head string
	err  error
}

func (c *chain) line(text []byte) {
	if c.err != nil {
		return
	}
	c.hash.Reset()
	c.hash.Write(text)
	c.head = hex.EncodeToString(c.hash.Sum(nil))
	if _, c.err = c.w.Write(text); c.err == nil {
		c.err = c.w.WriteByte('\n')
	}
}
