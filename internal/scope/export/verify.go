package export

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line that Verify reads, in bytes: a message of the
// largest size that is captured takes several times as much as JSON.
const maxLine = 64 << 20

// Report is what Verify found out about a whole file.
type Report struct {
	Session  string `json:"session_id"`
	Tool     string `json:"tool"`
	Created  string `json:"created"`
	Messages uint64 `json:"messages"`
	Gaps     uint64 `json:"gap_bytes"` // that were not captured, as the footer says
	Missing  uint64 `json:"missing"`   // messages that were gone already when the file was made, as the footer says
	Head     string `json:"head"`      // SHA-256 of the footer line: compare it with the one that was noted
}

// BrokenError says where a file is not what JSONL wrote.
type BrokenError struct {
	Line   int    // from 1
	Reason string // "the chain is broken: …"
}

func (e *BrokenError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Verify checks a hash-chained text file from its header to its footer. It
// fails with a *BrokenError when the file was changed or cut off, and then the
// report says what was read until there.
func Verify(r io.Reader) (Report, error) {
	v := verifier{hash: sha256.New()}
	lines := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0 && v.ended:
			v.report.Head = v.head
			return v.report, nil
		case errors.Is(err, io.EOF) && len(line) == 0:
			return v.report, v.broken("the file ends without a footer: it was cut off", 1)
		case errors.Is(err, io.EOF):
			return v.report, v.broken("the line does not end: the file was cut off", 1)
		case errors.Is(err, errLong):
			return v.report, v.broken(err.Error(), 1)
		case err != nil:
			return v.report, fmt.Errorf("line %d: %w", v.line+1, err)
		}
		if err := v.check(line); err != nil {
			return v.report, err
		}
	}
}

var errLong = errors.New("is longer than any line of a capture")

// readLine reads up to a line feed, which is taken off. With io.EOF it returns
// what stands after the last one.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		case len(line) > maxLine:
			return nil, errLong
		}
	}
}

// verifier goes through a file line by line.
type verifier struct {
	hash interface {
		io.Writer
		Reset()
		Sum([]byte) []byte
	}
	line   int    // that was checked last
	head   string // hash of it
	ended  bool   // it was the footer
	report Report
}

func (v *verifier) broken(reason string, ahead int) error {
	return &BrokenError{v.line + ahead, reason}
}

// link is what the chain needs of a line.
type link struct {
	Type     string  `json:"type"`
	Format   string  `json:"format"`
	Version  int     `json:"version"`
	Tool     string  `json:"tool"`
	Created  string  `json:"created"`
	Messages uint64  `json:"messages"`
	Gaps     uint64  `json:"gap_bytes"`
	Missing  uint64  `json:"missing"`
	Prev     *string `json:"prev"`
	Session  struct {
		ID string `json:"session_id"`
	} `json:"session"`
}

// check takes the next line.
func (v *verifier) check(line []byte) error {
	v.line++
	var l link
	err := json.Unmarshal(line, &l)
	first := v.line == 1
	switch {
	case first && err != nil:
		return v.broken("is not JSON: "+err.Error(), 0)
	case first && (l.Type != "header" || l.Format != Format):
		return v.broken("is not the header of a "+Format+" file", 0)
	case first && l.Version != Version:
		return v.broken(fmt.Sprintf("the format has version %d, this program knows %d", l.Version, Version), 0)
	case first && l.Prev != nil:
		return v.broken("the header has a line before it", 0)
	case v.ended:
		return v.broken("the file goes on after its footer", 0)
	case !first && (err != nil || l.Prev == nil):
		return v.broken("does not say which line is before it", 0)
	case !first && *l.Prev != v.head:
		return v.broken("the chain is broken: the line before it is not the one that was written", 0)
	}
	if !first && !endsWithPrev(line, *l.Prev) {
		return v.broken("does not end with the hash of the line before it", 0)
	}
	switch {
	case first:
		v.report.Session, v.report.Tool, v.report.Created = l.Session.ID, l.Tool, l.Created
	case l.Type == "footer":
		v.ended = true
		if l.Messages != v.report.Messages {
			return v.broken(fmt.Sprintf("the footer counts %d messages, the file has %d", l.Messages, v.report.Messages), 0)
		}
		v.report.Gaps, v.report.Missing = l.Gaps, l.Missing
	default:
		v.report.Messages++
	}
	v.hash.Reset()
	_, _ = v.hash.Write(line) // a hash never fails
	v.head = hex.EncodeToString(v.hash.Sum(nil))
	return nil
}

// endsWithPrev says whether a line ends with its link, so that no other member
// of that name decides.
func endsWithPrev(line []byte, prev string) bool {
	return bytes.HasSuffix(line, []byte(`"prev":"`+prev+`"}`))
}
