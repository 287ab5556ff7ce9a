//go:build !unix

package pool

func openFiles() uint64 { return 0 }
