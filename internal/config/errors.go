package config

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinel errors, for errors.Is.
var (
	// ErrInvalid is wrapped by every complaint about a value or a key.
	ErrInvalid = errors.New("invalid configuration")
	// ErrUnknownKey is returned for a key that does not exist, by Set.
	ErrUnknownKey = errors.New("unknown configuration key")
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// Source is where the value came from: a file's path, the name of an
	// environment variable, a flag, or "" for a default.
	Source string
	// Line and Column are where in the file, counted from 1; 0 where there is
	// no such place. The column is that of the key.
	Line, Column int
	// Key is the key as in "http.listen" or "node.2.url" (nodes count from 1).
	Key string
	// Message says what is wrong and what would be right.
	Message string
}

// String is "file:line:column: key: message".
func (p Problem) String() string {
	var b strings.Builder
	if p.Source != "" {
		b.WriteString(p.Source)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		if p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// InvalidError carries every problem that was found, in the order of the file.
// It wraps ErrInvalid.
type InvalidError struct {
	Problems []Problem
}

// Error lists the problems, one a line.
func (e *InvalidError) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	switch n := len(e.Problems); n {
	case 1:
		lines = append(lines, "the configuration has 1 problem:")
	default:
		lines = append(lines, fmt.Sprintf("the configuration has %d problems:", n))
	}
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is(err, ErrInvalid) true.
func (e *InvalidError) Unwrap() error { return ErrInvalid }
