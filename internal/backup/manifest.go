package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// ErrArchive means that an archive is damaged, cut or not one of ours.
var ErrArchive = errors.New("archive is damaged")

const (
	manifestName   = "manifest.json"
	manifestFormat = 1
	maxManifest    = 8 << 20 // bytes
	maxMembers     = 100_000
)

// Manifest is what an archive says of itself.
type Manifest struct {
	Format  int       `json:"format"` // 1
	MadeAt  time.Time `json:"made_at"`
	Version string    `json:"version"` // of the program that made it
	Files   []Member  `json:"files"`   // in the order of the archive
}

// Member is one file of an archive.
type Member struct {
	Name   string      `json:"name"` // relative, with slashes
	Bytes  int64       `json:"bytes"`
	SHA256 string      `json:"sha256"` // 64 lower-case hex digits
	Mode   fs.FileMode `json:"mode"`   // permissions only
}

// parseManifest reads and checks a manifest.
func parseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%w: its manifest cannot be read: %w", ErrArchive, err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("%w: it has format %d, this program knows %d", ErrArchive, m.Format, manifestFormat)
	}
	if len(m.Files) > maxMembers {
		return nil, fmt.Errorf("%w: its manifest names %d files", ErrArchive, len(m.Files))
	}
	seen := make(map[string]bool, len(m.Files))
	for _, f := range m.Files {
		switch {
		case !isMemberName(f.Name):
			return nil, fmt.Errorf("%w: a file in it has the name %q", ErrArchive, f.Name)
		case seen[f.Name]:
			return nil, fmt.Errorf("%w: %s is in it twice", ErrArchive, f.Name)
		case f.Bytes < 0, len(f.SHA256) != 64, f.Mode&^fs.ModePerm != 0:
			return nil, fmt.Errorf("%w: its manifest is wrong about %s", ErrArchive, f.Name)
		}
		seen[f.Name] = true
	}
	return &m, nil
}

// isMemberName reports whether a name stays below the folder that an archive is
// unpacked in, and is not the manifest's.
func isMemberName(name string) bool {
	return name != manifestName && name != "." && fs.ValidPath(name) && path.Clean(name) == name && len(name) < 512
}
