//go:build !unix

package load

import "time"

// checkFileLimit knows no limit here.
func checkFileLimit(int) error { return nil }

// explain has nothing to add here.
func explain(err error) string { return err.Error() }

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }
