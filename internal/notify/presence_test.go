package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/poolscope/poolscope/internal/alert"
)

// The two-sided threshold against its definition: of the times that a worker was
// there or away without a break, each that reached the threshold after one that
// reached it is told, once, when it reaches it. Restarts in between change
// nothing.
func TestPresenceIsAsItIsDefined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		after := rapid.IntRange(1, 8).Draw(t, "threshold")
		runs := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 30).Draw(t, "lengths of presence and absence")
		online := rapid.Bool().Draw(t, "there at first")
		restart := rapid.IntRange(1, 10).Draw(t, "looks between restarts")

		var want []string
		at := 0
		for i, length := range runs {
			there := online != (i%2 == 1)
			if i > 0 && runs[i-1] >= after && length > after {
				kind := alert.WorkerOffline
				if there {
					kind = alert.WorkerOnline
				}
				want = append(want, fmt.Sprint(kind, " ", at+after))
			}
			at += length
		}

		var got []string
		p := presence{Online: online}
		now := 0
		for i, length := range runs {
			for range length {
				clock, threshold := time.Duration(now)*time.Second, time.Duration(after)*time.Second
				p.see(online != (i%2 == 1), clock, threshold)
				if kind := p.due(clock, threshold); kind != "" {
					got = append(got, fmt.Sprint(kind, " ", now))
					p.Armed = "" // as when it is told
				}
				if now++; now%restart == 0 {
					text, err := json.Marshal(p)
					if err != nil {
						t.Fatal(err)
					}
					p = presence{}
					if err := json.Unmarshal(text, &p); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("told %v, want %v", got, want)
		}
	})
}
