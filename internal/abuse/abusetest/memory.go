// Package abusetest has a store of bans in memory, for tests of what is built
// on one.
package abusetest

import (
	"cmp"
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
)

// Memory is an [abuse.Store] that keeps everything in memory. Fail makes it a
// store with a broken disk.
type Memory struct {
	mu    sync.Mutex
	err   error
	bans  map[netip.Prefix]abuse.Ban
	calls int
}

var _ abuse.Store = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{bans: make(map[netip.Prefix]abuse.Ban)} }

// Fail makes all methods fail with err, until it is called with nil.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Calls is the number of calls of SaveBans so far.
func (m *Memory) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// LoadBans implements [abuse.Store].
func (m *Memory) LoadBans(ctx context.Context) ([]abuse.Ban, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := cmp.Or(ctx.Err(), m.err); err != nil {
		return nil, err
	}
	var all []abuse.Ban
	for _, b := range m.bans {
		all = append(all, b)
	}
	return all, nil
}

// SaveBans implements [abuse.Store].
func (m *Memory) SaveBans(ctx context.Context, bans []abuse.Ban, remove []netip.Prefix) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if err := cmp.Or(ctx.Err(), m.err); err != nil {
		return err
	}
	for _, b := range bans {
		b.Since, b.Until = millis(b.Since), millis(b.Until)
		m.bans[b.Block] = b
	}
	for _, block := range remove {
		delete(m.bans, block)
	}
	return nil
}

// millis is a time as a store keeps it.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
