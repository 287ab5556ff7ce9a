package api

import (
	"math"
	"strings"
	"time"
)

// apiVersion is the version of the public contract.
const apiVersion = "1"

// stamp makes a time fit for JSON: RFC 3339 in UTC with at most milliseconds.
// The zero time stays zero, which `omitzero` leaves out.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// finite replaces what JSON cannot express by 0.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// brief cuts s to at most limit bytes of valid UTF-8.
func brief(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "")
}

// seconds converts a duration to the contract's unit of RPC times.
func seconds(d time.Duration) float64 { return d.Seconds() }
