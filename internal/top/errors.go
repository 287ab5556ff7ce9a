package top

import (
	"errors"
	"strings"
)

// Errors of a server, each with what to do about it in its text.
var (
	// ErrUnreachable is a server that does not answer at all.
	ErrUnreachable = errors.New("nothing answers")
	// ErrNotPoolscope is an answer that no poolscope gives.
	ErrNotPoolscope = errors.New("this is not a poolscope")
	// ErrToken is a refused or missing access token: status 401 or 403.
	ErrToken = errors.New("the server wants its access token")
	// errSilent is a server that is there no more without having said so.
	errSilent = errors.New("the server has gone silent")
	// ErrBadURL is an address that is none.
	ErrBadURL = errors.New("not the address of a web page")
)

// refused is an answer with a status that is no success.
type refused struct {
	status int
	words  string // the server's, clean
}

func (e *refused) Error() string { return e.words }

// isMissing reports whether the server has no such thing.
func isMissing(err error) bool {
	var r *refused
	return errors.As(err, &r) && r.status == 404
}

// oneLine is an error's text in one line, fit for a terminal.
func oneLine(err error) string {
	return clean(strings.Join(strings.Fields(err.Error()), " "))
}
