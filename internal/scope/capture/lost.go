package capture

// Lost notes bytes of a direction that nobody saw, such as a hole in a capture
// of packets. They come before the next bytes that are put on the tape.
func (t *Tape) Lost(d Direction, n uint64) { t.lost[d].Add(n) }
