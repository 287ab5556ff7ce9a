package notify

import (
	"fmt"
	"slices"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/format"
	"github.com/poolscope/poolscope/internal/ledger"
)

// blockSeen is the state of a found block that was noticed last.
type blockSeen ledger.BlockState

// seeBlocks follows found blocks. Those that were found before anybody was
// interested are not told.
func (l *look) seeBlocks() {
	if l.w.Ledger == nil {
		return
	}
	interested := slices.ContainsFunc(l.rules, func(r *ruleInForce) bool {
		return r.wants(alert.BlockFound) || r.wants(alert.BlockConfirmed) || r.wants(alert.BlockStale)
	})
	if !interested {
		if l.m.following {
			l.d.forget(aboutBlocks)
		}
		return
	}
	listed := make(map[string]bool)
	for i := range l.w.Ledger.Blocks {
		b := &l.w.Ledger.Blocks[i]
		key := aboutBlock + b.Hash.String()
		listed[key] = true
		before, known := l.m.blocks[key]
		if known && before == blockSeen(b.State) {
			continue
		}
		l.d.set(key, blockSeen(b.State))
		if !l.m.following {
			continue
		}
		if !known {
			l.tellBlock(b, alert.BlockFound)
		}
		switch b.State {
		case ledger.BlockConfirmed:
			l.tellBlock(b, alert.BlockConfirmed)
		case ledger.BlockStale, ledger.BlockRejected:
			l.tellBlock(b, alert.BlockStale)
		case ledger.BlockPending, ledger.BlockAccepted:
		}
	}
	if !l.m.following {
		l.d.set(aboutBlocks, true)
	}
	for key := range l.m.blocks {
		if !listed[key] && len(listed) > 0 {
			l.d.forget(key)
		}
	}
}

// tellBlock tells of a block to all that are interested in it. A block of the
// whole pool goes to everybody that wants to know, with a shortened name to those
// who did not save the worker.
func (l *look) tellBlock(b *ledger.Block, kind alert.Kind) {
	for _, r := range l.rules {
		if !r.wants(kind) {
			continue
		}
		own := slices.Contains(l.saved[r.UserID], b.Worker)
		if r.Scope != alert.ScopePool && !own || len(r.Workers) > 0 && !slices.Contains(r.Workers, hashOf(b.Worker)) {
			continue
		}
		name := Plain(b.Worker, maxName)
		if !own && !r.person.Operator {
			name = shortName(b.Worker)
		}
		hash := b.Hash.String()
		e := alert.Event{
			Kind: kind, Key: fmt.Sprintf("%s:%s", kind, hash), At: l.d.now, Worker: name,
			Values: map[string]any{"height": float64(b.Height), "hash": hash, "state": string(b.State), "value_sats": float64(b.Value), "found_at": b.FoundAt},
		}
		switch {
		case kind == alert.BlockFound:
			e.At, e.Severity = b.FoundAt, alert.Good
			e.Text = fmt.Sprintf("Block found: height %d by %s, %s (hash %s)", b.Height, name, format.BTC(b.Value), hash)
		case kind == alert.BlockConfirmed:
			e.Severity = alert.Good
			e.Text = fmt.Sprintf("Block confirmed: height %d by %s, %d deep (hash %s)", b.Height, name, b.Confirmations, hash)
		case b.State == ledger.BlockRejected:
			e.Severity = alert.Critical
			e.Text = fmt.Sprintf("Block rejected by every node: height %d by %s: %s (hash %s)", b.Height, name, Plain(b.Reason, 200), hash)
		default:
			e.Severity = alert.Warning
			e.Text = fmt.Sprintf("Block is stale: another one took the place of height %d by %s (hash %s)", b.Height, name, hash)
		}
		l.d.tell(r, e)
	}
}
