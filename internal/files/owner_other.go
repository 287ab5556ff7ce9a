//go:build !unix

package files

import (
	"io/fs"
	"os"
)

// keepOwner does nothing: files take their folder's permissions.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

// CanReplace says whether this process may replace files in a folder; here an
// attempt has to show it.
func CanReplace(string) bool { return true }

// ForRootOnly is for systems with a root.
func ForRootOnly(string) (owner string, ok bool) { return "", false }
