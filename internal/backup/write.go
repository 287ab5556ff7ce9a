package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Item is a file that goes into an archive.
type Item struct {
	Name string // in the archive
	Path string // on disk
	// Database says that it is a SQLite file, of which a consistent copy is made
	// while others write to it.
	Database bool
	// Secret says that it goes into encrypted archives only: keys and
	// settings.
	Secret bool
}

// Snapshot makes a consistent copy of a SQLite file at into, which does not
// exist yet. store.Snapshot is one.
type Snapshot func(ctx context.Context, path, into string) error

// writer makes archives.
type writer struct {
	snapshot Snapshot
	key      Key
	version  string
	free     func(dir string) (bytes int64, err error) // nil: not asked
}

// ErrRoom means that a backup could fill the disk, which the pool needs.
var ErrRoom = errors.New("not enough room")

// leftFree is what a backup leaves free on the disk that it is made on, in bytes.
const leftFree = 64 << 20

// room says whether there is room for a copy of everything and the archive of it,
// which may be no smaller.
func (w writer) room(dir string, items []Item) error {
	if w.free == nil {
		return nil
	}
	need := int64(leftFree)
	for _, item := range items {
		for _, suffix := range []string{"", "-wal"} {
			if info, err := os.Stat(item.Path + suffix); err == nil && (suffix == "" || item.Database) {
				need += 2 * info.Size()
			}
		}
	}
	free, err := w.free(dir)
	if err != nil {
		return fmt.Errorf("room for a backup: %w", err)
	}
	if free < need {
		return fmt.Errorf("%w on the disk of %s: a backup may take %d MiB, %d MiB are free", ErrRoom, dir, need>>20, free>>20)
	}
	return nil
}

// write makes an archive of the items that exist, in dir, and returns its path
// and the SHA-256 of the file. Everything else that it made in dir is gone
// afterwards. What it wrote was read again and compared before it was encrypted.
func (w writer) write(ctx context.Context, dir string, at time.Time, items []Item) (file string, sum [32]byte, err error) {
	if err := w.room(dir, items); err != nil {
		return "", sum, err
	}
	work, err := os.MkdirTemp(dir, ".making-")
	if err != nil {
		return "", sum, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	members, paths, err := w.gather(ctx, work, items)
	if err != nil {
		return "", sum, err
	}
	plain := filepath.Join(work, "archive"+plainEnd)
	m := &Manifest{Format: manifestFormat, MadeAt: at.UTC(), Version: w.version, Files: members}
	if err := pack(ctx, plain, m, paths); err != nil {
		return "", sum, err
	}
	if err := verify(ctx, plain); err != nil {
		return "", sum, fmt.Errorf("what was just written: %w", err)
	}
	file = filepath.Join(dir, nameOf(at, w.key.IsSet()))
	sum, err = w.finish(ctx, plain, file)
	if err != nil {
		return "", sum, errors.Join(err, removeIfThere(file))
	}
	return file, sum, nil
}

// gather copies databases, and measures all files. Paths are where each
// member's content is. Items that are not there are left out: not every pool
// has all of them.
func (w writer) gather(ctx context.Context, work string, items []Item) (members []Member, paths []string, err error) {
	for i, item := range items {
		if item.Secret && !w.key.IsSet() {
			continue
		}
		at, mode := item.Path, fs.FileMode(0o600)
		if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if item.Database {
			at = filepath.Join(work, fmt.Sprintf("%d.db", i))
			if err := w.snapshot(ctx, item.Path, at); err != nil {
				return nil, nil, fmt.Errorf("copy %s: %w", item.Name, err)
			}
		}
		size, sum, err := sumFile(ctx, at)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a block that was answered meanwhile
		}
		if err != nil {
			return nil, nil, err
		}
		members = append(members, Member{Name: item.Name, Bytes: size, SHA256: hex.EncodeToString(sum[:]), Mode: mode})
		paths = append(paths, at)
	}
	if len(members) == 0 {
		return nil, nil, errors.New("there is nothing to back up")
	}
	return members, paths, nil
}

// pack writes a compressed tar file.
func pack(ctx context.Context, file string, m *Manifest, paths []string) (err error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	// One thread: the others are for mining.
	z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	header := func(name string, size int64, mode fs.FileMode) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: int64(mode), ModTime: m.MadeAt.Truncate(time.Second), Format: tar.FormatPAX}
	}
	if err := t.WriteHeader(header(manifestName, int64(len(manifest)), 0o600)); err != nil {
		return err
	}
	if _, err := t.Write(manifest); err != nil {
		return err
	}
	for i, member := range m.Files {
		if err := t.WriteHeader(header(member.Name, member.Bytes, member.Mode)); err != nil {
			return err
		}
		if err := copyFile(ctx, t, paths[i]); err != nil {
			return fmt.Errorf("pack %s: %w", member.Name, err)
		}
	}
	return errors.Join(t.Close(), z.Close())
}

// finish encrypts, or copies, the packed file to its place.
func (w writer) finish(ctx context.Context, plain, file string) (sum [32]byte, err error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	hash := sha256.New()
	to := io.MultiWriter(out, hash)
	if w.key.IsSet() {
		secret, err := w.key.encrypt(to)
		if err != nil {
			return sum, err
		}
		if err := errors.Join(copyFile(ctx, secret, plain), secret.Close()); err != nil {
			return sum, err
		}
	} else if err := copyFile(ctx, to, plain); err != nil {
		return sum, err
	}
	hash.Sum(sum[:0])
	return sum, out.Sync()
}

// copyFile writes a file's content to w, until ctx ends.
func copyFile(ctx context.Context, w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, reader{ctx, f})
	return errors.Join(err, f.Close())
}

// sumFile is the size of a file and the SHA-256 of its content.
func sumFile(ctx context.Context, path string) (size int64, sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, sum, err
	}
	hash := sha256.New()
	size, err = io.Copy(hash, reader{ctx, f})
	hash.Sum(sum[:0])
	return size, sum, errors.Join(err, f.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements [io.Reader].
func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
