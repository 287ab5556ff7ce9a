package abuse

import (
	"net/netip"
	"time"
)

// banLocked bans a block for what it did, longer than the last time.
func (w *Watch) banLocked(block netip.Prefix, cfg *Config, why string, now time.Time) {
	b := Ban{Block: block, Since: onDisk(now), Level: 1, Reason: why}
	if last := w.bans.m[block]; last != nil {
		if last.InForce(now) {
			return
		}
		b.Level = last.level(now) + 1
	}
	b.Until = onDisk(now.Add(duration(cfg.BanTime, cfg.MaxBanTime, b.Level)))
	if !w.makeRoomLocked(block) {
		w.unsaved.Add(1)
		return
	}
	w.keepLocked(b)
	w.made.Add(1)
	w.log.Info("address banned", "block", block, "until", b.Until, "level", b.Level, "reason", why)
}

// Ban bans a block for a time, or until it is lifted when that is 0, whatever
// it did and whoever is there.
func (w *Watch) Ban(block netip.Prefix, d time.Duration, reason string, now time.Time) (Ban, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := Ban{Block: block, Since: onDisk(now), Reason: reason, Manual: true}
	if d > 0 {
		b.Until = onDisk(now.Add(d))
	}
	if last := w.bans.m[block]; last != nil {
		b.Level = last.level(now)
	}
	if !w.makeRoomLocked(block) {
		return Ban{}, ErrTooManyBans
	}
	w.keepLocked(b)
	w.made.Add(1)
	w.log.Info("address banned by hand", "block", block, "until", b.Until, "reason", reason)
	return b, nil
}

// Lift ends a block's ban and forgets what the block did. It returns
// ErrNotBanned when the block, exactly as it was banned, has no ban in force.
func (w *Watch) Lift(block netip.Prefix, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.bans.m[block]
	if b == nil || !b.InForce(now) {
		return ErrNotBanned
	}
	w.forgetLocked(block)
	if p := w.peers[block]; p != nil {
		p.drops = 0
	}
	w.log.Info("ban lifted", "block", block)
	return nil
}

// makeRoomLocked makes room for a block's ban, if need be by giving up the
// least of the others.
func (w *Watch) makeRoomLocked(block netip.Prefix) bool {
	if w.bans.m[block] != nil || len(w.bans.m) < maxBans {
		return true
	}
	least := w.bans.weakest()
	if least == nil {
		return false
	}
	w.forgetLocked(least.Block)
	return true
}

func (w *Watch) keepLocked(b Ban) {
	w.bans.put(b)
	w.markLocked(b.Block)
}

func (w *Watch) forgetLocked(block netip.Prefix) {
	if w.bans.remove(block) {
		w.markLocked(block)
	}
}

// onDisk is a time as it is kept.
func onDisk(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
