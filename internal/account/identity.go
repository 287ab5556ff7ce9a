package account

import "time"

// Identity is a person as a provider tells it.
type Identity struct {
	Provider      string
	Subject       string
	Name          string
	Email         string
	EmailVerified bool
	Proven        time.Time
}
