package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/fleet"
	"github.com/poolscope/poolscope/internal/fleet/agent"
)

// TestKeysAreMadeOnceAndForTheirOwnerAlone reads the same key at the next start.
func TestKeysAreMadeOnceAndForTheirOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "key")
	first, err := loadOrMakeKey(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	again, err := loadOrMakeKey(path)
	if err != nil || again.Public().String() != first.Public().String() {
		t.Errorf("another key at the next start: %v", err)
	}
	if err := os.WriteFile(path, []byte("nsec1secretbutbroken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadOrMakeKey(path); err == nil || strings.Contains(err.Error(), "secretbutbroken") {
		t.Errorf("a broken key: %v", err)
	}
}

// TestAgentsFollowNobodyByAccident refuses to start where anybody could give
// orders, before a key is made.
func TestAgentsFollowNobodyByAccident(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	o := AgentOptions{
		Agent: agent.Config{Pool: "127.0.0.1:1", User: "u", ID: "a", Mode: fleet.ModeReplay, Relays: []string{"wss://relay.example"}},
		Run:   "r", Kinds: fleet.DefaultKinds(), KeyFile: key,
	}
	if err := RunAgent(context.Background(), o, slog.New(slog.DiscardHandler), io.Discard); !errors.Is(err, ErrAuthors) {
		t.Errorf("got %v", err)
	}
	for _, author := range []string{"", "npub1mistyped", "ANY", strings.Repeat("0", 63)} {
		o.Authors = []string{author}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second) // one that starts ends here
		if err := RunAgent(ctx, o, slog.New(slog.DiscardHandler), io.Discard); !errors.Is(err, config.ErrAuthor) {
			t.Errorf("author %q: got %v", author, err)
		}
		cancel()
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a key was made in vain")
	}
}
