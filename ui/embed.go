// Package ui holds the built web page inside the binary.
//
// The page's sources are in ui/src; `make ui` builds them into ui/dist, which
// is not kept in the repository. A program compiled without it serves the page
// in ui/unbuilt, which says so.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

//go:embed unbuilt
var unbuilt embed.FS

// FS returns the built page, index.html at its root, or the one that says that
// there is none. Built files besides index.html carry a hash of their content
// in their names.
func FS() fs.FS {
	if Built() {
		return sub(dist, "dist")
	}
	return sub(unbuilt, "unbuilt")
}

// Built says whether the page was there when the program was compiled.
func Built() bool {
	_, err := fs.Stat(dist, "dist/index.html")
	return err == nil
}

func sub(files embed.FS, dir string) fs.FS {
	inner, err := fs.Sub(files, dir)
	if err != nil {
		// Only an invalid path gives an error here, and dir is a constant.
		panic(err)
	}
	return inner
}
