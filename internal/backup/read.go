package backup

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that unpacking takes, in bytes.
const maxWindow = 128 << 20

// read goes through a compressed tar file and checks that it holds exactly what
// its manifest tells. Each member's content goes to the writer that take
// returns, which is closed; nil leaves it out.
func read(ctx context.Context, r io.Reader, take func(Member) (io.WriteCloser, error)) (*Manifest, error) {
	z, err := zstd.NewReader(reader{ctx, r}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	t := tar.NewReader(z)
	head, err := t.Next()
	if err != nil {
		return nil, damaged(ctx, err)
	}
	if head.Name != manifestName || head.Size > maxManifest {
		return nil, fmt.Errorf("%w: it does not begin with a manifest", ErrArchive)
	}
	data, err := io.ReadAll(t)
	if err != nil {
		return nil, damaged(ctx, err)
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, err
	}
	for _, member := range m.Files {
		if err := readMember(ctx, t, member, take); err != nil {
			return nil, err
		}
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, damaged(ctx, err)
		}
		return nil, fmt.Errorf("%w: it holds more than its manifest tells", ErrArchive)
	}
	// What follows the end of the tar file belongs to the checksum of zstd, and
	// to the authentication of age.
	if _, err := io.Copy(io.Discard, z); err != nil {
		return nil, damaged(ctx, err)
	}
	return m, nil
}

func readMember(ctx context.Context, t *tar.Reader, want Member, take func(Member) (io.WriteCloser, error)) (err error) {
	head, err := t.Next()
	if err != nil {
		return damaged(ctx, err)
	}
	if head.Name != want.Name || head.Size != want.Bytes || head.Typeflag != tar.TypeReg {
		return fmt.Errorf("%w: %s stands where its manifest has %s", ErrArchive, head.Name, want.Name)
	}
	w, err := take(want)
	if err != nil {
		return err
	}
	hash := sha256.New()
	to := io.Writer(hash)
	if w != nil {
		to = io.MultiWriter(hash, w)
		defer func() { err = errors.Join(err, w.Close()) }()
	}
	if _, err := io.Copy(to, t); err != nil {
		return damaged(ctx, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != want.SHA256 {
		return fmt.Errorf("%w: the content of %s is not what it was", ErrArchive, want.Name)
	}
	return nil
}

// damaged says that an archive could not be read, unless the reader was told to
// end, or could not write what it read.
func damaged(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var path *os.PathError
	if errors.As(err, &path) || errors.Is(err, ErrKey) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrArchive, err)
}

// verify reads a compressed tar file and checks all of it.
func verify(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	_, err = read(ctx, f, func(Member) (io.WriteCloser, error) { return nil, nil })
	return errors.Join(err, f.Close())
}

// ageMagic is how an encrypted archive begins.
const ageMagic = "age-encryption.org/"

// Unpack checks an archive and writes its members below dir, which must be
// empty or missing. An archive that is encrypted, which its first bytes tell, is
// decrypted with key. After an error what is in dir is of no use.
func Unpack(ctx context.Context, r io.Reader, key Key, dir string) (*Manifest, error) {
	start := bufio.NewReader(r)
	r = start
	if head, _ := start.Peek(len(ageMagic)); string(head) == ageMagic {
		plain, err := key.decrypt(start)
		if err != nil {
			return nil, err
		}
		r = plain
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return read(ctx, r, func(m Member) (io.WriteCloser, error) {
		file := filepath.Join(dir, filepath.FromSlash(m.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, m.Mode)
		if err != nil {
			return nil, err
		}
		return durable{f}, nil
	})
}

// durable is a file that is on the medium when it is closed.
type durable struct{ *os.File }

// Close syncs and closes.
func (d durable) Close() error { return errors.Join(d.Sync(), d.File.Close()) }
