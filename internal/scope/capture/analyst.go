package capture

// Analyst looks at sessions and messages before they are published, in their
// order, on the recorder's goroutine. It must not wait for anything. Its panics
// are survived and counted; the message is kept all the same.
type Analyst interface {
	// Opened is called when a session begins.
	Opened(s Session)
	// Message gives a new message that nobody else has seen. Its Share may be set.
	Message(m *Message)
	// Answered gives the new version of a request whose response came. Its Share
	// may be replaced, not changed: the old version shares it.
	Answered(request, response *Message)
	// Closed is called when a session ended.
	Closed(s Session)
}

// analyse calls the analyst, if there is one, and survives it.
func (r *Recorder) analyse(session string, do func(Analyst)) {
	if r.cfg.Analyst == nil {
		return
	}
	defer r.survive("analysis failed", session)
	do(r.cfg.Analyst)
}
