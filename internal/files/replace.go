package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ReplaceDurably gives an existing file other contents, so that after a crash or a
// power failure the old ones or the new ones are there, never a part. The file
// keeps its mode and, where this process may set it, its owner. path is the file
// itself, not a link to it: see filepath.EvalSymlinks.
func ReplaceDurably(path string, data []byte) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "replace", Path: path, Err: fs.ErrInvalid}
	}
	temporary, err := writeAs(filepath.Dir(path), data, info)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		if temporary != "" {
			_ = os.Remove(temporary) // what is left of the attempt is of no use
		}
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// writeAs writes a temporary file into a folder, with mode and owner of another
// file. Nobody else may read meanwhile what that one keeps to itself.
func writeAs(dir string, data []byte, like fs.FileInfo) (path string, err error) {
	f, err := os.CreateTemp(dir, "."+like.Name()+".*.tmp")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = keepOwner(f, like)
	}
	if err == nil {
		err = f.Chmod(like.Mode().Perm())
	}
	if err == nil {
		err = f.Sync()
	}
	return f.Name(), errors.Join(err, f.Close())
}

// RemoveLeftovers deletes what ReplaceDurably of a file left in its folder when it
// was killed. Nobody may be replacing the file meanwhile.
func RemoveLeftovers(path string) error {
	dir, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		middle, ours := strings.CutPrefix(e.Name(), "."+name+".")
		middle, temporary := strings.CutSuffix(middle, ".tmp")
		if !ours || !temporary || middle == "" || strings.Trim(middle, "0123456789") != "" {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
