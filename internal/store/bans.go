package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"

	"github.com/poolscope/poolscope/internal/abuse"
)

var _ abuse.Store = (*SQLite)(nil)

// LoadBans implements [abuse.Store]. A row that no version of this program
// wrote is left out: one unreadable ban must not keep a pool from starting.
func (s *SQLite) LoadBans(ctx context.Context) ([]abuse.Ban, error) {
	var bans []abuse.Ban
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := query(ctx, tx, func(rows *sql.Rows) (b abuse.Ban, err error) {
			var block string
			var since, until int64
			err = rows.Scan(&block, &since, &until, &b.Level, &b.Reason, &b.Manual)
			b.Since, b.Until = fromMillis(since), fromMillis(until)
			if p, bad := netip.ParsePrefix(block); bad == nil {
				b.Block = p
			}
			return b, err
		}, `SELECT block, since, until, level, reason, manual FROM bans`)
		for _, b := range rows {
			if again, bad := abuse.ParseBlock(b.Block.String()); bad != nil || again != b.Block {
				s.log.Warn("ban not read", "block", b.Block.String(), "reason", b.Reason)
				continue
			}
			bans = append(bans, b)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load bans: %w", err)
	}
	return bans, nil
}

// SaveBans implements [abuse.Store].
func (s *SQLite) SaveBans(ctx context.Context, bans []abuse.Ban, remove []netip.Prefix) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		for _, b := range bans {
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO bans (block, since, until, level, reason, manual) VALUES (?, ?, ?, ?, ?, ?)`,
				b.Block.String(), toMillis(b.Since), toMillis(b.Until), b.Level, b.Reason, b.Manual); err != nil {
				return err
			}
		}
		for _, block := range remove {
			if _, err := tx.ExecContext(ctx, `DELETE FROM bans WHERE block = ?`, block.String()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save bans: %w", err)
	}
	return nil
}
