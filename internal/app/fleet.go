package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/poolscope/poolscope/internal/api/scopeapi"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/files"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/hub"
	"github.com/poolscope/poolscope/internal/nostr"
)

// What the fleet keeps in the data folder.
const (
	fleetKeyFile = "fleet-key"
	fleetStore   = "fleet.db"
)

// openFleet makes the scope's side of the fleet; nil when no relays are
// configured. It needs the parts that open made before.
func (s *scopeParts) openFleet() error {
	c := &s.cfg.Fleet
	if len(c.Relays) == 0 {
		return nil
	}
	path := c.KeyFile
	if path == "" {
		path = filepath.Join(s.cfg.DataDir, fleetKeyFile)
	}
	key, err := loadOrMakeKey(path)
	if err != nil {
		return err
	}
	group, err := groupKeyOf(c)
	if err != nil {
		return err
	}
	authors, err := config.PublicKeys(c.Authors)
	if err != nil {
		return fmt.Errorf("fleet.authors: %w", err)
	}
	member, err := fleet.NewMember(s.run, fleetKinds(c), key, group)
	if err != nil {
		return err
	}
	store, err := hub.OpenStore(filepath.Join(s.cfg.DataDir, fleetStore), hub.StoreConfig{KeepFor: c.KeepFor, MaxBytes: int64(c.MaxMegabytes) * mebibyte}, s.log)
	if err != nil {
		return err
	}
	s.fleetStore = store
	s.fleet, err = hub.New(hub.Config{
		Member: member, Key: key, Relays: c.Relays, Authors: authors,
		HashScope: c.HashScope, Names: c.Names, Workers: c.Workers,
		Switches: s.replay, Session: s.live.Session, Store: store, ExpireAfter: c.ExpireAfter,
	}, s.log.With("part", "fleet"))
	return err
}

// fleetSource is the fleet for the API, nil without one.
func (s *scopeParts) fleetSource() scopeapi.Fleet {
	if s.fleet == nil {
		return nil // a nil pointer in an interface would not be one
	}
	return s.fleet
}

// printFleet tells what agents have to be given.
func (s *scopeParts) printFleet(out io.Writer) {
	if s.fleet == nil {
		return
	}
	status := s.fleet.Status()
	fmt.Fprintf(out, "  agents         --relay %s --run %s --author %s\n", status.Relays[0].URL, status.RunID, status.PublicKey)
}

func fleetKinds(c *config.Fleet) fleet.Kinds {
	return fleet.Kinds{Share: c.ShareKind, Telemetry: c.TelemetryKind, Order: c.OrderKind}
}

// groupKeyOf is the key that the fleet shares; zero without one.
func groupKeyOf(c *config.Fleet) (nostr.SecretKey, error) {
	if !c.GroupKey.IsSet() {
		return nostr.SecretKey{}, nil
	}
	key, err := nostr.ParseSecretKey(c.GroupKey.Reveal())
	if err != nil {
		return nostr.SecretKey{}, fmt.Errorf("fleet.group_key: %w", err)
	}
	return key, nil
}

// loadOrMakeKey reads a secret key from a file, as nsec or 64 hexadecimal
// digits, and makes one, readable by its owner alone, when there is no file.
func loadOrMakeKey(path string) (nostr.SecretKey, error) {
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		key, err := nostr.ParseSecretKey(strings.TrimSpace(string(text)))
		if err != nil {
			return key, fmt.Errorf("key in %s: %w; remove the file to have a new one made", path, err)
		}
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nostr.SecretKey{}, fmt.Errorf("read key: %w", err)
	}
	key, err := nostr.NewSecretKey()
	if err != nil {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return key, fmt.Errorf("write key: %w", err)
	}
	if err := files.WriteDurably(path, []byte(key.Nsec()+"\n"), 0o600); err != nil {
		return key, fmt.Errorf("write key: %w", err)
	}
	return key, nil
}

// readKey reads a secret key from a file; zero when path is empty.
func readKey(path string) (nostr.SecretKey, error) {
	if path == "" {
		return nostr.SecretKey{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nostr.SecretKey{}, fmt.Errorf("read key: %w", err)
	}
	key, err := nostr.ParseSecretKey(strings.TrimSpace(string(text)))
	if err != nil {
		return key, fmt.Errorf("key in %s: %w", path, err)
	}
	return key, nil
}

// closeFleet closes what openFleet opened.
func (s *scopeParts) closeFleet(log *slog.Logger) {
	if s.fleetStore == nil {
		return
	}
	if err := closeInTime(s.fleetStore.Close); err != nil {
		log.Error("telemetry not closed cleanly", "err", err)
	}
}
