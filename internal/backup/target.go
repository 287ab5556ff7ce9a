package backup

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// Target is a place that archives are kept in. Its methods may be called by one
// goroutine at a time, but for List and Get.
type Target interface {
	// Name tells the targets of one configuration apart: "local", "s3".
	Name() string
	// Location is where it is, for people; without secrets.
	Location() string
	// List lists the files there whose names begin as those of archives do, and
	// maybe others, in no order.
	List(ctx context.Context) ([]File, error)
	// Put stores a local file under its name.
	Put(ctx context.Context, name, path string) error
	// PutSmall stores a few bytes under a name.
	PutSmall(ctx context.Context, name string, data []byte) error
	// Get reads a file from its beginning. Its error is ErrNotFound when there is
	// none of that name.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// Delete removes a file. One that is not there is none of an error.
	Delete(ctx context.Context, name string) error
	// Sweep removes what attempts to store an archive left that were cut before a
	// time. Archives stay, and files of others.
	Sweep(ctx context.Context, before time.Time) error
}

// File is a file at a target.
type File struct {
	Name  string
	Bytes int64
}

// Backup is an archive at a target.
type Backup struct {
	Name      string
	Target    string
	At        time.Time // when it was made
	Bytes     int64
	Encrypted bool
	// Verified says that it was read back from the target and was the same.
	Verified bool
	// Kept are the generations that it is; none for one that may go.
	Kept []Generation
}

// list lists the archives at a target, the newest first, with what keep says of
// them at a time.
func list(ctx context.Context, t Target, keep Keep, now time.Time) ([]Backup, error) {
	files, err := t.List(ctx)
	if err != nil {
		return nil, err
	}
	sums := make(map[string]bool)
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name, sumEnd); ok {
			sums[name] = true
		}
	}
	var found []Backup
	var times []time.Time
	for _, f := range files {
		at, encrypted, ok := ParseName(f.Name)
		if !ok {
			continue
		}
		found = append(found, Backup{Name: f.Name, Target: t.Name(), At: at, Bytes: f.Bytes, Encrypted: encrypted, Verified: sums[f.Name]})
		if sums[f.Name] {
			times = append(times, at)
		}
	}
	kept := keep.generations(times, now)
	for i := range found {
		if found[i].Verified {
			found[i].Kept = kept[found[i].At]
		}
	}
	newestFirst(found)
	return found, nil
}

// sumLine is the content of the file that says that an archive was verified.
func sumLine(name string, sum [32]byte) []byte {
	return []byte(hex.EncodeToString(sum[:]) + "  " + name + "\n")
}

// readSum reads such a file.
func readSum(ctx context.Context, t Target, name string) (sum [32]byte, err error) {
	r, err := t.Get(ctx, name+sumEnd)
	if err != nil {
		return sum, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxSum))
	_ = r.Close() // it was read
	if err != nil {
		return sum, err
	}
	digits, _, _ := strings.Cut(string(data), " ")
	if n, err := hex.Decode(sum[:], []byte(digits)); err != nil || n != len(sum) {
		return sum, fmt.Errorf("%w: %s cannot be read", ErrArchive, name+sumEnd)
	}
	return sum, nil
}
