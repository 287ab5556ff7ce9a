package clerk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/poolscope/poolscope/internal/files"
)

// maxRevoked bounds the memory of revoked sessions. When there are more, those
// that would have been forgotten first are.
const maxRevoked = 10_000

// revoked are sessions that were ended here and whose tokens may still verify,
// by a digest of their keys.
type revoked struct {
	path string // file that they outlive the process in; "" for none

	mu    sync.Mutex
	until map[string]time.Time // guarded by mu
}

// load reads the file. One that is not there is empty.
func (r *revoked) load() error {
	if r.path == "" {
		return nil
	}
	text, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var until map[string]time.Time
	if err == nil {
		err = json.Unmarshal(text, &until)
	}
	if err != nil {
		return fmt.Errorf("revoked sessions: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = until
	return nil
}

// add refuses a session until then. It does so, too, when that cannot be
// written down.
func (r *revoked) add(key string, until, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = make(map[string]time.Time)
	}
	id := digestOf(key)
	if _, known := r.until[id]; !known && len(r.until) >= maxRevoked {
		r.makeRoom(now)
	}
	if until.After(r.until[id]) {
		r.until[id] = until
	}
	if r.path == "" {
		return nil
	}
	text, err := json.Marshal(r.until)
	if err == nil {
		err = files.WriteDurably(r.path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("revoked sessions: %w", err)
	}
	return nil
}

// makeRoom forgets what is over, or else what will be first.
func (r *revoked) makeRoom(now time.Time) {
	first, soonest := "", time.Time{}
	for id, until := range r.until {
		if !until.After(now) {
			delete(r.until, id)
		} else if first == "" || until.Before(soonest) {
			first, soonest = id, until
		}
	}
	if len(r.until) >= maxRevoked {
		delete(r.until, first)
	}
}

func (r *revoked) has(key string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.until[digestOf(key)]
	return ok && until.After(now)
}

// digestOf names a session without telling its name.
func digestOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
