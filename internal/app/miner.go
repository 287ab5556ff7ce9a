package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/format"
	"github.com/poolscope/poolscope/internal/miner"
)

// minerReport is the time between two lines of a miner's progress.
const minerReport = 10 * time.Second

// RunMiner mines until ctx ends and tells out how it goes.
func RunMiner(ctx context.Context, cfg miner.Config, log *slog.Logger, out io.Writer) error {
	m, err := miner.New(cfg, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Mining at %s as %s.\n", cfg.Pool, cfg.User)
	report := func(ctx context.Context) error {
		return sayEvery(ctx, out, minerReport, func() string { return minerLine(m.Stats()) })
	}
	err = runStages(ctx, log, stage{{"miner", m.Run}, {"report", report}})
	fmt.Fprintln(out, minerLine(m.Stats()))
	return err
}

// sayEvery tells out a line again and again until ctx ends.
func sayEvery(ctx context.Context, out io.Writer, every time.Duration, line func() string) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			fmt.Fprintln(out, line())
		}
	}
}

// minerLine says how a miner does in one line.
func minerLine(s miner.Stats) string {
	if !s.Connected {
		return "not connected: " + s.LastError
	}
	line := fmt.Sprintf("%s  difficulty %s  accepted %d  rejected %d  best %.4g  blocks %d",
		format.Hashrate(s.Hashrate), bitcoin.FormatDifficulty(s.Difficulty), s.Accepted, s.Rejected, s.BestShare, s.Blocks)
	var reasons []string
	for _, text := range slices.Sorted(maps.Keys(s.RejectedBy)) {
		reasons = append(reasons, fmt.Sprintf("%s: %d", text, s.RejectedBy[text]))
	}
	if len(reasons) > 0 {
		line += "  (" + strings.Join(reasons, ", ") + ")"
	}
	return line
}
