package capture

// ParseLine reads a line that belongs to no session of ours: an answer to look
// at, a line of a file. The message keeps the slice.
func ParseLine(line []byte) *Message {
	m := &Message{Raw: line, Size: len(line)}
	m.parse()
	return m
}
