package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// content is a file of a forged archive.
type content struct{ name, text string }

// forged makes an archive with a manifest and contents that need not fit.
func forged(t *testing.T, told []Member, files ...content) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	manifest, err := json.Marshal(Manifest{Format: manifestFormat, MadeAt: testTime, Files: told})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append([]content{{manifestName, string(manifest)}}, files...) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.text)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// told is what a manifest tells of a file.
func told(name, text string) Member {
	sum := sha256.Sum256([]byte(text))
	return Member{Name: name, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:]), Mode: 0o600}
}

// TestForgedArchives unpacks what somebody made who knows the format: nothing is
// taken that its manifest does not tell, and nothing is written beside the folder.
func TestForgedArchives(t *testing.T) {
	const books = "these are the books"
	good := forged(t, []Member{told("poolscope.db", books)}, content{"poolscope.db", books})
	outer := t.TempDir()
	inner := filepath.Join(outer, "inner")
	if _, err := Unpack(t.Context(), bytes.NewReader(good), Key{}, inner); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(inner, "poolscope.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read what was restored: %v, %v", info, err)
	}
	wide := told("poolscope.db", books)
	wide.Mode = os.ModeSetuid | 0o755
	for name, archive := range map[string][]byte{
		"another content":          forged(t, []Member{told("poolscope.db", books)}, content{"poolscope.db", strings.ToUpper(books)}),
		"a file beside the folder": forged(t, []Member{told("../stolen", books)}, content{"../stolen", books}),
		"a file in the root":       forged(t, []Member{told("/stolen", books)}, content{"/stolen", books}),
		"the same file twice":      forged(t, []Member{told("a", books), told("a", books)}, content{"a", books}, content{"a", books}),
		"another manifest":         forged(t, []Member{told(manifestName, books)}, content{manifestName, books}),
		"odd permissions":          forged(t, []Member{wide}, content{"poolscope.db", books}),
		"a file that is not told":  forged(t, []Member{told("poolscope.db", books)}, content{"poolscope.db", books}, content{"more", books}),
		"a file that is missing":   forged(t, []Member{told("poolscope.db", books), told("more", books)}, content{"poolscope.db", books}),
		"something behind its end": append(bytes.Clone(good), "junk"...),
	} {
		outer := t.TempDir()
		if _, err := Unpack(t.Context(), bytes.NewReader(archive), Key{}, filepath.Join(outer, "inner")); !errors.Is(err, ErrArchive) {
			t.Errorf("%s: %v", name, err)
		}
		if all, _ := os.ReadDir(outer); len(all) > 1 {
			t.Errorf("%s: %d files beside the folder", name, len(all)-1)
		}
	}
}

// TestFetchChecksTheSum: what was changed at the target after it was verified is
// not restored from.
func TestFetchChecksTheSum(t *testing.T) {
	d := newDouble("d")
	s := newService(t, Config{Targets: []Target{d}, Now: func() time.Time { return testTime }})
	name, err := s.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fetch := func() (bool, error) {
		dir := t.TempDir()
		archive, verified, err := Fetch(t.Context(), d, Backup{Name: name, Bytes: int64(len(d.files[name]))}, dir)
		if err == nil {
			err = archive.Close()
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%d files are left", len(left))
		}
		return verified, err
	}
	if verified, err := fetch(); err != nil || !verified {
		t.Errorf("as it was stored: %v, %v", verified, err)
	}
	d.files[name] = bytes.Clone(d.files[name])
	d.files[name][len(d.files[name])/2] ^= 1
	if _, err := fetch(); !errors.Is(err, ErrArchive) {
		t.Errorf("changed: %v", err)
	}
	delete(d.files, name+sumEnd)
	if verified, err := fetch(); err != nil || verified {
		t.Errorf("without its sum: %v, %v", verified, err)
	}
}

// TestUnverifiedIsNoGeneration: an upload that broke off pushes no archive out that
// is known to be good. Somebody may still be at it for a day; then newer ones push it
// out, as it may be a copy without its sum.
func TestUnverifiedIsNoGeneration(t *testing.T) {
	d, now := newDouble("d"), testTime
	s := newService(t, Config{Targets: []Target{d}, Keep: Keep{Last: 2}, Now: func() time.Time { return now }})
	run := func() string {
		t.Helper()
		name, err := s.Make(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	good := run()
	broken := nameOf(now.Add(time.Hour), false)
	d.files[broken] = []byte("half of it")
	now = now.Add(2 * time.Hour)
	run()
	if d.files[good] == nil {
		t.Error("the last but one good archive was deleted for one that is none")
	}
	if d.files[broken] == nil {
		t.Error("what may be an upload under way was deleted")
	}
	for range 2 { // as many newer ones as are kept: it goes by the rules of generations
		now = now.Add(48 * time.Hour)
		d.files[nameOf(now.Add(-time.Hour), false)] = []byte("half of it")
	}
	run()
	if d.files[broken] != nil {
		t.Error("a broken archive is kept for ever")
	}
	if d.files[good] != nil {
		t.Error("more archives are kept than two")
	}
}

// TestFileThatChangesMeanwhile: an archive that does not hold what its manifest
// tells, since a file was changed while it was made, goes nowhere.
func TestFileThatChangesMeanwhile(t *testing.T) {
	dir := t.TempDir()
	settings, books := filepath.Join(dir, "config.toml"), filepath.Join(dir, "poolscope.db")
	for path, text := range map[string]string{settings: "fee = 1", books: "books"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := writer{snapshot: func(ctx context.Context, path, into string) error {
		return errors.Join(os.WriteFile(settings, []byte("fee = 2"), 0o600), copyAsSnapshot(ctx, path, into))
	}}
	out := t.TempDir()
	items := []Item{{Name: "config.toml", Path: settings}, {Name: "poolscope.db", Path: books, Database: true}}
	if _, _, err := w.write(t.Context(), out, testTime, items); !errors.Is(err, ErrArchive) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(out); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
}
