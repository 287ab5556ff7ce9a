package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/agent"
)

// agentReport is the time between two lines of an agent's progress.
const agentReport = 10 * time.Second

// AgentOptions say how an agent runs.
type AgentOptions struct {
	Agent        agent.Config // without Member, Key and Authors
	Run          string
	Kinds        fleet.Kinds
	Authors      []string // npub or hexadecimal, or "any"
	KeyFile      string   // made when missing
	GroupKeyFile string   // "": nothing is encrypted
}

// ErrAuthors says that anybody could give the agent orders.
var ErrAuthors = errors.New("say whose orders are followed: --author with the scope's npub, or --group-key-file; --author any for everybody's")

// RunAgent runs an agent of a fleet until ctx ends and tells out how it goes.
func RunAgent(ctx context.Context, o AgentOptions, log *slog.Logger, out io.Writer) error {
	if !config.AuthorsAreKnown(o.Agent.Relays, o.Authors, o.GroupKeyFile != "") {
		return ErrAuthors
	}
	authors, err := config.PublicKeys(o.Authors)
	if err != nil {
		return fmt.Errorf("--author: %w", err)
	}
	key, err := loadOrMakeKey(o.KeyFile)
	if err != nil {
		return err
	}
	group, err := readKey(o.GroupKeyFile)
	if err != nil {
		return err
	}
	cfg := o.Agent
	if cfg.Member, err = fleet.NewMember(o.Run, o.Kinds, key, group); err != nil {
		return err
	}
	cfg.Key, cfg.Authors = key, authors
	a, err := agent.New(cfg, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Agent %s at %s, mode %s, key %s.\n", cfg.ID, cfg.Pool, cfg.Mode, key.Public().Npub())
	report := func(ctx context.Context) error {
		return sayEvery(ctx, out, agentReport, func() string {
			t := a.Telemetry()
			return agentLine(&t)
		})
	}
	return runStages(ctx, log, stage{{"agent", a.Run}, {"report", report}})
}

// agentLine says how an agent does in one line.
func agentLine(t *fleet.Telemetry) string {
	r := t.Report
	line := fmt.Sprintf("%s  relays %d  received %d  submitted %d  accepted %d  rejected %d  unanswered %d",
		t.ConnState, r.Relays, t.Stats.Received, t.Stats.Attempted, t.Stats.Accepted, t.Stats.Rejected, r.Unanswered)
	if q := r.SubmitMS; q != nil {
		line += fmt.Sprintf("  p50 %.1f ms  p99 %.1f ms", q.P50, q.P99)
	}
	var reasons []string
	for _, why := range slices.Sorted(maps.Keys(r.Rejects)) {
		reasons = append(reasons, fmt.Sprintf("%s: %d", why, r.Rejects[why]))
	}
	if len(reasons) > 0 {
		line += "  (" + strings.Join(reasons, ", ") + ")"
	}
	return line
}
