package playback

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

const (
	// maxFile bounds what is read of a file, in bytes, and maxMessages how many
	// messages of it are kept.
	maxFile     = 1 << 30
	maxMessages = 1_000_000
)

// Errors of Read.
var (
	ErrNoMessages = errors.New("there are no Stratum messages in it")
	ErrTooLarge   = errors.New("it is too large: at most a million messages or a gigabyte can be played")
)

// apiMessage is a message as the API gives it, and as the export writes it: the
// members that are needed.
type apiMessage struct {
	ID          string  `json:"id"`
	At          string  `json:"ts_recv"`
	Direction   string  `json:"direction"`
	Session     string  `json:"session_id"`
	Raw         *string `json:"raw"`
	Encoding    string  `json:"raw_encoding"`
	Seq         uint64  `json:"seq"`
	Truncated   bool    `json:"truncated"`
	Masked      bool    `json:"masked"`
	Pair        *string `json:"paired_message_id"`
	ResponseAt  *string `json:"response_ts_recv"`
	ResponseRaw *string `json:"response_raw"`
}

// entry is a message on its way into a recording.
type entry struct {
	line Line
	id   string
	seq  uint64
	n    uint64 // its number within the session
}

// Read reads messages as the API gives them: an array, or one object after the
// other, as a JSONL file has them. Other objects between them are left out. The
// order in the file does not matter. Recordings come in the order in which they
// began.
func Read(r io.Reader) ([]*Recording, error) {
	in := bufio.NewReaderSize(io.LimitReader(r, maxFile), 1<<16)
	first, err := firstByte(in)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(in)
	if first == '[' {
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	}
	sessions := make(map[string][]entry)
	for count := 0; d.More(); count++ {
		if count > maxMessages || d.InputOffset() >= maxFile-1 {
			return nil, ErrTooLarge
		}
		var m apiMessage
		if err := d.Decode(&m); err != nil {
			return nil, fmt.Errorf("message %d: %w", count+1, err)
		}
		if m.Raw == nil || m.Direction == "" {
			continue
		}
		entries, err := m.entries()
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", count+1, err)
		}
		sessions[m.Session] = append(sessions[m.Session], entries...)
	}
	return recordings(sessions)
}

// firstByte looks at the first byte that is no blank.
func firstByte(in *bufio.Reader) (byte, error) {
	for {
		c, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			return 0, ErrNoMessages
		}
		if err != nil {
			return 0, err
		}
		if !strings.ContainsRune(" \t\r\n", rune(c)) {
			return c, in.UnreadByte()
		}
	}
}

// entries are the message, and its answer where that stands in it alone: the
// original keeps no message of its own for it.
func (m *apiMessage) entries() ([]entry, error) {
	direction, ok := capture.ParseDirection(m.Direction)
	if !ok {
		return nil, fmt.Errorf("direction %q is unknown", m.Direction)
	}
	at, err := parseTime(m.At)
	if err != nil {
		return nil, err
	}
	raw := []byte(*m.Raw)
	if m.Encoding == "base64" {
		if raw, err = base64.StdEncoding.DecodeString(*m.Raw); err != nil {
			return nil, fmt.Errorf("raw: %w", err)
		}
	}
	out := []entry{{Line{direction, at, raw, m.Truncated, m.Masked}, m.ID, m.Seq, number(m.ID)}}
	if m.Pair != nil && m.ResponseRaw != nil && m.ResponseAt != nil && direction != capture.ScopeToPool {
		at, err := parseTime(*m.ResponseAt)
		if err != nil {
			return nil, err
		}
		out = append(out, entry{Line{opposite(direction), at, []byte(*m.ResponseRaw), false, false}, *m.Pair, 0, number(*m.Pair)})
	}
	return out, nil
}

// number is the number within its session that a message's id ends with.
func number(id string) uint64 {
	n, _ := strconv.ParseUint(id[strings.LastIndexByte(id, '-')+1:], 10, 64)
	return n
}

// parseTime reads times with a zone, and those of the original, which have none
// and are in UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}

// recordings makes recordings of the sessions that were read.
func recordings(sessions map[string][]entry) ([]*Recording, error) {
	var out []*Recording
	for id, entries := range sessions {
		own := make(map[string]bool, len(entries)) // messages that are there themselves
		for _, e := range entries {
			own[e.id] = own[e.id] || e.seq > 0
		}
		slices.SortStableFunc(entries, func(a, b entry) int {
			return cmp.Or(a.line.At.Compare(b.line.At), cmp.Compare(a.n, b.n))
		})
		var lines []Line
		seen := make(map[string]bool, len(entries))
		for _, e := range entries {
			if e.id != "" && (seen[e.id] || e.seq == 0 && own[e.id]) {
				continue // an answer that also stands in its request
			}
			seen[e.id] = true
			lines = append(lines, e.line)
		}
		if recording := New(id, lines); len(recording.Lines) > 0 {
			out = append(out, recording)
		}
	}
	if len(out) == 0 {
		return nil, ErrNoMessages
	}
	slices.SortFunc(out, func(a, b *Recording) int {
		return cmp.Or(a.Lines[0].At.Compare(b.Lines[0].At), strings.Compare(a.Session, b.Session))
	})
	return out, nil
}
