package app

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/poolscope/poolscope/internal/node"
)

// pickyPool panics on templates and tips of odd heights.
type pickyPool struct{ heights []int64 }

func (p *pickyPool) SetTemplate(t *node.Template) { p.take(t.Height) }
func (p *pickyPool) SetTip(t node.Tip)            { p.take(-t.Height) }

func (p *pickyPool) take(height int64) {
	if height%2 != 0 {
		panic("odd height")
	}
	p.heights = append(p.heights, height)
}

// One bad template or tip is counted and logged, and the next ones are taken.
func TestFeedSurvivesBadTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		templates, tips := make(chan *node.Template), make(chan node.Tip)
		var taker pickyPool
		var logged bytes.Buffer
		f := &feed{templates: templates, tips: tips, pool: &taker, log: slog.New(slog.NewTextHandler(&logged, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.run(ctx) }()
		templates <- &node.Template{Height: 101}
		templates <- &node.Template{Height: 102}
		tips <- node.Tip{Height: 103}
		tips <- node.Tip{Height: 104}
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if len(taker.heights) != 2 || taker.heights[0] != 102 || taker.heights[1] != -104 {
			t.Errorf("took %v, want template 102 and tip 104", taker.heights)
		}
		if n := f.panics.Load(); n != 2 {
			t.Errorf("%d panics counted, want 2", n)
		}
		text := logged.String()
		for _, want := range []string{"of=template height=101", "of=tip height=103", "odd height", "feed_test.go"} {
			if !strings.Contains(text, want) {
				t.Errorf("the log lacks %q: %s", want, text)
			}
		}
	})
}
