package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// Bounds of recordings.
const (
	queueLines = 4096 // waiting for the file
	keepFiles  = 50   // recordings kept in a folder
)

// Reasons for the end of a recording.
const (
	EndTime    = "time"    // it was to last so long
	EndSize    = "size"    // the file is as large as it may be
	EndStopped = "stopped" // somebody stopped it, or the pool ended
	EndFailed  = "failed"  // the file could not be written
)

// Status is how far a recording is.
type Status struct {
	File    string
	Started time.Time
	Until   time.Time // when it ends at the latest
	Lines   uint64
	Bytes   int64
	Dropped uint64 // lines that came faster than the file took them
	End     string // why it ended; empty while it runs
}

// Recording is a file that lines are recorded into. Make one with Start.
type Recording struct {
	file     *os.File
	maxBytes int64
	started  time.Time
	until    time.Time

	queue   chan entry
	stop    chan struct{}
	done    chan struct{}
	stopped atomic.Bool

	lines   atomic.Uint64
	bytes   atomic.Int64
	dropped atomic.Uint64
	end     atomic.Pointer[string]
}

// entry is a line on its way to the file.
type entry struct {
	at   time.Time
	who  string
	dir  stratum.Direction
	line []byte
}

// Start makes a file in dir, whose name has the time in it, and records what
// Take is given until d is over, the file has maxBytes, or Stop is called.
// Then it calls ended, if that is not nil, from another goroutine.
func Start(dir string, now time.Time, d time.Duration, maxBytes int64, ended func()) (*Recording, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("capture folder: %w", err)
	}
	if err := forgetOld(dir); err != nil {
		return nil, fmt.Errorf("capture folder: %w", err)
	}
	path := filepath.Join(dir, now.UTC().Format("20060102T150405.000000")+".jsonl")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("capture file: %w", err)
	}
	r := &Recording{
		file: file, maxBytes: maxBytes, started: now, until: now.Add(d),
		queue: make(chan entry, queueLines), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go r.run(d, ended)
	return r, nil
}

// forgetOld deletes the oldest recordings of a folder, so that there is room
// for another one.
func forgetOld(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return err
	}
	slices.Sort(files) // by time
	for len(files) >= keepFiles {
		if err := os.Remove(files[0]); err != nil {
			return err
		}
		files = files[1:]
	}
	return nil
}

// Take records a line. It is a stratum.Tap: it copies the line and never waits.
func (r *Recording) Take(who string, dir stratum.Direction, line []byte, at time.Time) {
	if r.stopped.Load() {
		return
	}
	select {
	case r.queue <- entry{at, who, dir, bytes.Clone(bytes.TrimRight(line, "\r\n"))}:
	default:
		r.dropped.Add(1)
	}
}

var _ stratum.Tap = (*Recording)(nil).Take

// Stop ends the recording and waits until the file is closed.
func (r *Recording) Stop() {
	if !r.stopped.Swap(true) {
		close(r.stop)
	}
	<-r.done
}

// Status is how far the recording is.
func (r *Recording) Status() Status {
	s := Status{
		File: r.file.Name(), Started: r.started, Until: r.until,
		Lines: r.lines.Load(), Bytes: r.bytes.Load(), Dropped: r.dropped.Load(),
	}
	if end := r.end.Load(); end != nil {
		s.End = *end
	}
	return s
}

// run writes lines until the recording ends.
func (r *Recording) run(d time.Duration, ended func()) {
	over := time.NewTimer(d)
	defer over.Stop()
	end := ""
	for end == "" {
		select {
		case e := <-r.queue:
			end = r.write(e)
		case <-over.C:
			end = EndTime
		case <-r.stop:
			end = EndStopped
		}
	}
	// What waited belongs to the time that was asked for.
	for more := end != EndSize && end != EndFailed; more; {
		select {
		case e := <-r.queue:
			more = r.write(e) == ""
		default:
			more = false
		}
	}
	r.stopped.Store(true)
	if err := r.file.Close(); err != nil {
		end = EndFailed
	}
	r.end.Store(&end)
	close(r.done)
	if ended != nil {
		ended()
	}
}

// record is a line of the file.
type record struct {
	Time    time.Time `json:"time"`
	Session string    `json:"session"`
	From    string    `json:"from"` // "miner" or "pool"
	Line    string    `json:"line"`
}

// write records a line, and says why the recording has to end with it.
func (r *Recording) write(e entry) (end string) {
	from := "miner"
	line := e.line
	if e.dir == stratum.ToMiner {
		from = "pool"
	} else {
		line = withoutPassword(line)
	}
	text, err := json.Marshal(record{e.at.UTC(), e.who, from, string(line)})
	if err != nil {
		return EndFailed
	}
	text = append(text, '\n')
	if r.bytes.Load()+int64(len(text)) > r.maxBytes {
		return EndSize
	}
	if _, err := r.file.Write(text); err != nil {
		return EndFailed
	}
	r.bytes.Add(int64(len(text)))
	r.lines.Add(1)
	return ""
}

// hidden stands for a password.
const hidden = "[redacted]"

// errNoPassword says that a line has no place for a password.
var errNoPassword = errors.New("no password")

// withoutPassword replaces the password of mining.authorize. A line that may be
// one and cannot be read is not recorded but for its length.
func withoutPassword(line []byte) []byte {
	masked, err := maskPassword(line)
	switch {
	case err == nil:
		return masked
	case errors.Is(err, errNoPassword):
		return line
	}
	return fmt.Appendf(nil, "[%d bytes that are no JSON and may hold a password]", len(line))
}

func maskPassword(line []byte) ([]byte, error) {
	var request map[string]json.RawMessage
	if err := json.Unmarshal(line, &request); err != nil {
		if mayAuthorize(line) {
			return nil, err
		}
		return nil, errNoPassword
	}
	for name, value := range request {
		var method string
		if strings.EqualFold(name, "method") && json.Unmarshal(value, &method) == nil && strings.Contains(strings.ToLower(method), "auth") {
			return maskParams(request)
		}
	}
	// Keys that are there twice hide one another here, but not from everybody.
	if mayAuthorize(line) && countKeys(line) != len(request) {
		return maskParams(request)
	}
	return nil, errNoPassword
}

// countKeys counts the keys of a JSON object, those that are there twice, too.
func countKeys(line []byte) (keys int) {
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		return 0
	}
	for d.More() {
		var value json.RawMessage
		if _, err := d.Token(); err != nil || d.Decode(&value) != nil {
			return 0
		}
		keys++
	}
	return keys
}

// maskParams leaves the first parameter, the worker's name, and hides the rest.
func maskParams(request map[string]json.RawMessage) ([]byte, error) {
	for name, value := range request {
		if !strings.EqualFold(name, "params") {
			continue
		}
		var params []json.RawMessage
		if json.Unmarshal(value, &params) != nil {
			request[name] = json.RawMessage(`"` + hidden + `"`)
			continue
		}
		for i := range params {
			if i > 0 && string(params[i]) != `""` && string(params[i]) != "null" {
				params[i] = json.RawMessage(`"` + hidden + `"`)
			}
		}
		text, err := json.Marshal(params)
		if err != nil {
			return nil, err
		}
		request[name] = text
	}
	return json.Marshal(request)
}

// mayAuthorize says whether the word, or a letter of it as an escape, is in a
// line.
func mayAuthorize(line []byte) bool {
	return bytes.Contains(bytes.ToLower(line), []byte("auth")) || bytes.Contains(line, []byte(`\u`))
}
