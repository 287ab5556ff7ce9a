package relay

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/nostr"
)

// BenchmarkPublish is what one event costs a relay: verifying, keeping, and
// giving it to one of 50 subscriptions.
func BenchmarkPublish(b *testing.B) {
	for _, kind := range []string{"memory", "disk"} {
		b.Run(kind, func(b *testing.B) {
			config := Config{Now: func() time.Time { return noon }}
			if kind == "disk" {
				config.Store = openDisk(b, filepath.Join(b.TempDir(), "relay.db"), 0, 0)
			}
			r := New(config)
			for i := range 50 {
				c := newClient(r, "192.0.2.1")
				if why := r.enter(c); why != "" {
					b.Fatal(why)
				}
				if why := r.subscribe(c, "s", []nostr.Filter{{Kinds: []int{1}, Tags: map[string][]string{"r": {fmt.Sprint(i)}}}}); why != "" {
					b.Fatal(why)
				}
			}
			events := make([]*nostr.Event, b.N)
			for i := range events {
				events[i] = event(b, secret(b, 1), 1, begin, fmt.Sprint(i), nostr.Tag{"r", "7"}, nostr.Tag{"t", "hashscope"})
			}
			b.ResetTimer()
			for _, e := range events {
				if ok, text := r.publish(e); !ok {
					b.Fatal(text)
				}
			}
		})
	}
}
