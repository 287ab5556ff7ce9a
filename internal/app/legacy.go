package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/poolscope/poolscope/internal/files"
	"github.com/poolscope/poolscope/internal/pool"
)

// legacyName is the file in the data folder in which a pool that is upgraded
// leaves what its miners may resume.
const legacyName = "handover.json"

// leave writes down what miners may resume at the next program. Without it they
// start anew, which costs them little.
func (p *poolParts) leave() {
	text, err := json.Marshal(p.pool.Legacy())
	if err == nil {
		err = files.WriteDurably(filepath.Join(p.cfg.DataDir, legacyName), text, 0o600)
	}
	if err != nil {
		p.log.Warn("miners cannot resume their sessions after the upgrade", "err", err)
	}
}

// inherit lets miners resume what an upgraded pool left, once.
func (p *poolParts) inherit() {
	path := filepath.Join(p.cfg.DataDir, legacyName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var legacy pool.Legacy
	if err == nil {
		err = errors.Join(json.Unmarshal(text, &legacy), os.Remove(path))
	}
	if err != nil {
		p.log.Warn("miners cannot resume their sessions", "err", fmt.Errorf("read %s: %w", legacyName, err))
		return
	}
	p.pool.Inherit(legacy)
}
