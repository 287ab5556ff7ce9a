package api

import (
	"math"
	"strings"
	"time"
)

// apiVersion is the version of the public contract.
const apiVersion = "1"

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
