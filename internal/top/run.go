package top

import (
	"context"
	"errors"
	"fmt"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// Run shows the server on the terminal of standard input and output until the
// user quits or ctx ends. The terminal is as before then.
func Run(ctx context.Context, c *Client, o Options) error {
	ctx, stop := context.WithCancel(ctx)
	feed := make(chan liveEvent, liveQueue)
	var feeding sync.WaitGroup
	feeding.Go(func() { c.live(ctx, feed) })
	defer feeding.Wait()
	defer stop()

	m := newModel(ctx, c.Host(), o.screen(), c.fetchList, feed)
	m.screen.width = 0 // until the terminal tells
	_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithoutSignalHandler()).Run()
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		return nil // the signal that ended us was the user's wish
	}
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	return nil
}
