package inspect

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// Bounds of what is kept of a file.
const (
	maxSessions     = 20_000
	maxMessages     = 500_000
	maxMessageBytes = 512 << 20
	maxRecords      = 50_000 // jobs of a session, its shares, its difficulties; alarms
	maxAuditBytes   = 512 << 20
)

// Options say how a file is read. The zero value is fine.
type Options struct {
	Ports   []uint16 // that pools are on, in files of packets; with none, sessions are found by what they say
	Payouts []string // addresses of which every coinbase must pay one
	// Network is that of the addresses that jobs pay; with "" it is that of the
	// payout address that a worker's name begins with, or main.
	Network bitcoin.Network
	// KeepPasswords leaves the passwords of mining.authorize in the messages:
	// for who plays them to a pool. They are masked otherwise.
	KeepPasswords bool
}

// Result is what a file holds.
type Result struct {
	File     File          `json:"file"`
	Sessions []Session     `json:"sessions"` // in the order in which they began
	Alarms   []audit.Alarm `json:"alarms"`   // in the order in which they came first
}

// File is what a file is, and how much of it could be read.
type File struct {
	Format   string         `json:"format"`            // pcap, pcapng, poolscope-capture, messages or recording; with .gz when compressed
	Packets  int            `json:"packets"`           // in files of packets
	Skipped  map[string]int `json:"skipped"`           // packets that hold no part of a TCP stream, by reason
	Streams  int            `json:"tcp_streams"`       // in files of packets
	Others   map[string]int `json:"other_streams"`     // of these, those that are no Stratum, by reason
	Holes    uint64         `json:"holes"`             // places in TCP streams where bytes were not captured
	Missing  uint64         `json:"missing_bytes"`     // in all of them
	Messages uint64         `json:"messages"`          // lines of Stratum sessions
	FirstAt  time.Time      `json:"first_at,omitzero"` // of what was read
	LastAt   time.Time      `json:"last_at,omitzero"`
	Chain    *Chain         `json:"hash_chain"`        // of a poolscope-capture; null otherwise
	Dropped  Dropped        `json:"dropped"`           // what was too much to be kept
	Problem  string         `json:"problem,omitempty"` // why the file could be read only so far
}

// Chain is what became of checking a file's hash chain.
type Chain struct {
	Intact bool   `json:"intact"`
	Head   string `json:"head"`             // SHA-256 of the last line, when intact
	Broken string `json:"broken,omitempty"` // where it is not, and why
}

// Dropped counts what a file has more of than is kept.
type Dropped struct {
	Messages uint64 `json:"messages"`
	Sessions uint64 `json:"sessions"`
	Records  uint64 `json:"records"` // jobs, shares and difficulties
}

// Session is a session with all that was found out about it.
type Session struct {
	Facts      audit.Facts        `json:"facts"`
	Jobs       []audit.Job        `json:"jobs"`         // oldest first
	Shares     []audit.Share      `json:"shares"`       // oldest first
	Difficulty []audit.Difficulty `json:"difficulties"` // oldest first
	Alarms     int                `json:"alarms"`       // kinds of them, in Result.Alarms
	Newest     *decode.Job        `json:"newest_job"`   // all of the last job; null without

	// Messages are those that were kept, oldest first.
	Messages []*capture.Message `json:"messages,omitempty"`
}

// ErrUnknownFormat means that a file is none of those that are known here.
var ErrUnknownFormat = errors.New("this is neither pcap nor pcapng nor JSON messages, one a line or in an array")

// Read reads a file to its end. With an error the result is what could be read
// until then, and File.Problem says the same.
func Read(r io.Reader, o Options) (*Result, error) {
	f := newFeed(&o)
	out := &Result{File: File{Skipped: map[string]int{}, Others: f.others}}
	in, suffix, err := uncompressed(bufio.NewReaderSize(r, 1<<16))
	if err == nil {
		err = out.read(in, f)
	}
	out.File.Format += suffix
	f.settle()
	out.collect(f, o.Network)
	if err != nil {
		out.File.Problem = err.Error()
	}
	return out, err
}

// uncompressed looks through gzip.
func uncompressed(in *bufio.Reader) (out *bufio.Reader, suffix string, err error) {
	if magic, err := in.Peek(2); err != nil || !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return in, "", nil //nolint:nilerr // whoever reads on sees the error
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, "", fmt.Errorf("uncompressing: %w", err)
	}
	return bufio.NewReaderSize(z, 1<<16), ".gz", nil
}

func (out *Result) read(in *bufio.Reader, f *feed) error {
	magic, err := in.Peek(4)
	switch {
	case len(magic) == 0 && errors.Is(err, io.EOF):
		return errors.New("the file is empty")
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case len(magic) == 4 && isPackets(magic):
		return out.packets(in, f)
	}
	return out.messages(in, f)
}

// packets reads a file of packets.
func (out *Result) packets(in *bufio.Reader, f *feed) error {
	reader, format, err := newPacketReader(in)
	out.File.Format = format
	if err != nil {
		return err
	}
	a := &assembler{live: make(map[pair]*connection), open: func(c *connection) events { return &candidate{f: f, c: c} }}
	at := time.Time{}
	for {
		var p packet
		if p, err = reader.next(); err != nil {
			break
		}
		out.File.Packets++
		if !p.at.IsZero() {
			at = p.at
			out.seen(at)
		}
		s, skip := parseSegment(p)
		if skip != "" {
			out.File.Skipped[skip]++
			continue
		}
		a.take(&s, at)
	}
	a.finish()
	out.File.Streams, out.File.Holes, out.File.Missing = a.count, a.holes, a.lost
	if a.dropped > 0 {
		out.File.Skipped[skipConns] = int(a.dropped) //nolint:gosec // no file has so many packets
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// seen notes a time.
func (out *Result) seen(at time.Time) {
	if out.File.FirstAt.IsZero() || at.Before(out.File.FirstAt) {
		out.File.FirstAt = at
	}
	if at.After(out.File.LastAt) {
		out.File.LastAt = at
	}
}

// collect takes over what recorder and auditor know.
func (out *Result) collect(f *feed, network bitcoin.Network) {
	store := f.recorder.Store()
	out.Sessions = []Session{}
	for _, s := range store.Sessions() {
		facts, ok := f.auditor.Facts(s.ID)
		if !ok {
			continue
		}
		session := Session{Facts: facts, Alarms: facts.Alarms, Jobs: []audit.Job{}, Shares: []audit.Share{}, Difficulty: []audit.Difficulty{}}
		session.Jobs = all(f.auditor.Jobs, s.ID, session.Jobs)
		session.Shares = all(f.auditor.Shares, s.ID, session.Shares)
		if timeline, ok := f.auditor.Difficulty(s.ID); ok {
			session.Difficulty = append(session.Difficulty, timeline.Changes...)
		}
		store.Latest(s.ID, func(m *capture.Message) bool {
			session.Messages = append(session.Messages, m)
			return true
		})
		session.Newest = newestJob(&facts, session.Messages, network)
		slices.Reverse(session.Messages)
		out.Sessions = append(out.Sessions, session)
		out.File.Messages += s.Messages
	}
	slices.SortStableFunc(out.Sessions, func(a, b Session) int { return a.Facts.BeganAt.Compare(b.Facts.BeganAt) })
	out.Alarms = []audit.Alarm{}
	for cursor := uint64(0); ; {
		page := f.auditor.Alarms(audit.AlarmFilter{Since: cursor, Limit: 1000})
		out.Alarms = append(out.Alarms, page.Alarms...)
		if cursor = page.Cursor; !page.More || len(page.Alarms) == 0 {
			break
		}
	}
	slices.SortStableFunc(out.Alarms, func(a, b audit.Alarm) int { return a.FirstAt.Compare(b.FirstAt) })
	status := f.auditor.Status()
	usage := store.Usage()
	out.File.Dropped = Dropped{Messages: usage.Evicted, Sessions: uint64(max(f.opened-len(out.Sessions), 0)), Records: status.Dropped}
}

// newestJob decodes the last job of messages, the newest of which comes first.
func newestJob(facts *audit.Facts, messages []*capture.Message, network bitcoin.Network) *decode.Job {
	for _, m := range messages {
		if m.Method != "mining.notify" || m.Fault != "" {
			continue
		}
		ctx := decode.Context{
			Network: cmp.Or(network, bitcoin.Network(facts.Network)), Received: m.Received,
			Extranonce2Size: facts.Extranonce2Size, Difficulty: facts.Difficulty,
		}
		if extra, err := hex.DecodeString(facts.Extranonce1); err == nil && facts.Extranonce1 != "" {
			ctx.Extranonce1 = extra
		}
		return decode.ParseJob(m.Fields().Params, ctx)
	}
	return nil
}

// Keep lets go of the sessions whose id does not begin so, of their alarms, and
// of messages unless they are wanted.
func (out *Result) Keep(session string, messages bool) {
	out.Sessions = slices.DeleteFunc(out.Sessions, func(s Session) bool { return !strings.HasPrefix(s.Facts.Session, session) })
	out.Alarms = slices.DeleteFunc(out.Alarms, func(a audit.Alarm) bool { return !strings.HasPrefix(a.Session, session) })
	if !messages {
		for i := range out.Sessions {
			out.Sessions[i].Messages = nil
		}
	}
}

// all reads a list of the auditor to its end, and turns it around.
func all[T any](page func(session string, before uint64, limit int) (audit.Page[T], bool), session string, into []T) []T {
	for before := uint64(0); ; {
		p, ok := page(session, before, 1000)
		into = append(into, p.Items...)
		if before = p.Next; !ok || before == 0 {
			slices.Reverse(into)
			return into
		}
	}
}
