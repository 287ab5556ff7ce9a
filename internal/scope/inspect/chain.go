package inspect

import (
	"io"

	"github.com/poolscope/poolscope/internal/scope/export"
)

// chainCheck verifies a file's hash chain while somebody else reads the file.
type chainCheck struct {
	pipe *io.PipeWriter
	done chan Chain
}

func newChainCheck() *chainCheck {
	reader, writer := io.Pipe()
	c := &chainCheck{pipe: writer, done: make(chan Chain, 1)}
	go func() {
		report, err := export.Verify(reader)
		chain := Chain{Intact: err == nil, Head: report.Head}
		if err != nil {
			chain.Broken = err.Error()
		}
		_, _ = io.Copy(io.Discard, reader) // whoever writes must not wait
		c.done <- chain
	}()
	return c
}

// Write takes what was read. It never fails.
func (c *chainCheck) Write(b []byte) (int, error) { return c.pipe.Write(b) }

// finish reads the rest of the file, if the chain matters, and tells what came
// of it; nil when it does not.
func (c *chainCheck) finish(rest io.Reader, matters bool) *Chain {
	var err error
	if matters {
		_, err = io.Copy(c.pipe, rest)
	}
	_ = c.pipe.CloseWithError(err) // nil is the end of the file; it never fails
	chain := <-c.done
	if !matters {
		return nil
	}
	return &chain
}
