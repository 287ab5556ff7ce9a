package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// testTime is when archives of tests are made.
var testTime = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// copyAsSnapshot stands in for a database's own way to copy itself.
func copyAsSnapshot(_ context.Context, path, into string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(into, data, 0o600)
}

// someItems are files of a data folder, with their contents.
func someItems(t testing.TB) ([]Item, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	contents := map[string]string{
		"poolscope.db":         strings.Repeat("books ", 40_000),
		"blocks/840000-00.hex": "00ff",
		"tls_key.pem":          "the private key",
	}
	var items []Item
	for name, text := range contents {
		path := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		items = append(items, Item{Name: name, Path: path, Database: name == "poolscope.db", Secret: name == "tls_key.pem"})
	}
	items = append(items, Item{Name: "fleet.db", Path: filepath.Join(dir, "no such file"), Database: true})
	return items, contents
}

// quickKey is a passphrase that does not take a second to try.
func quickKey(t testing.TB, passphrase string) Key {
	t.Helper()
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	recipient.SetWorkFactor(4)
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return Key{recipient, identity}
}

func pairOfKeys(t testing.TB) (secret, public Key) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if secret, err = ParseKey(identity.String() + "\n"); err != nil {
		t.Fatal(err)
	}
	if public, err = ParseKey(identity.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	return secret, public
}

func TestArchive(t *testing.T) {
	secret, public := pairOfKeys(t)
	_, stranger := pairOfKeys(t)
	phrase := quickKey(t, "correct horse battery")
	tests := []struct {
		name       string
		seal, open Key
		wrong      Key
	}{
		{"plain", Key{}, Key{}, Key{}},
		{"passphrase", phrase, phrase, quickKey(t, "correct horse batterie")},
		{"key pair", secret, secret, stranger},
		{"public key", public, secret, public},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			items, contents := someItems(t)
			dir := t.TempDir()
			w := writer{snapshot: copyAsSnapshot, key: test.seal, version: "v1"}
			file, sum, err := w.write(t.Context(), dir, testTime, items)
			if err != nil {
				t.Fatal(err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("%d files are left beside the archive", len(left)-1)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, got, _ := sumFile(t.Context(), file); got != sum {
				t.Error("the sum is another file's")
			}
			if test.seal.IsSet() && bytes.Contains(data, []byte("the private key")) {
				t.Error("a secret can be read")
			}

			out := t.TempDir()
			m, err := Unpack(t.Context(), bytes.NewReader(data), test.open, out)
			if err != nil {
				t.Fatal(err)
			}
			if !m.MadeAt.Equal(testTime) || m.Version != "v1" {
				t.Errorf("made at %s by %s", m.MadeAt, m.Version)
			}
			for name, text := range contents {
				got, err := os.ReadFile(filepath.Join(out, name))
				switch {
				case name == "tls_key.pem" && !test.seal.IsSet():
					if err == nil {
						t.Error("a secret is in an archive that is not encrypted")
					}
				case err != nil || string(got) != text:
					t.Errorf("%s: %d bytes, %v", name, len(got), err)
				}
			}
			if test.seal.IsSet() {
				if _, err := Unpack(t.Context(), bytes.NewReader(data), test.wrong, t.TempDir()); !errors.Is(err, ErrKey) {
					t.Errorf("with the wrong key: %v", err)
				}
			}
		})
	}
}

// errSame says that an archive was read, and held what it should.
var errSame = errors.New("the same")

// TestDamage changes single bytes of an archive, and cuts it: nobody takes it for
// whole.
func TestDamage(t *testing.T) {
	secret, _ := pairOfKeys(t)
	for name, key := range map[string]Key{"plain": {}, "encrypted": secret} {
		t.Run(name, func(t *testing.T) {
			items, contents := someItems(t)
			file, _, err := writer{snapshot: copyAsSnapshot, key: key}.write(t.Context(), t.TempDir(), testTime, items)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// What is unpacked is what was packed: a byte that means nothing, such as
			// the padding of a block, may change.
			unpack := func(data []byte) error {
				dir := t.TempDir()
				m, err := Unpack(t.Context(), bytes.NewReader(data), key, dir)
				if err != nil {
					return err
				}
				for _, f := range m.Files {
					if got, err := os.ReadFile(filepath.Join(dir, f.Name)); err != nil || string(got) != contents[f.Name] {
						return nil
					}
				}
				if !m.MadeAt.Equal(testTime) {
					return nil
				}
				return errSame
			}
			if err := unpack(data); !errors.Is(err, errSame) {
				t.Fatal(err)
			}
			for i := 0; i < len(data); i += 1 + len(data)/150 {
				damaged := bytes.Clone(data)
				damaged[i] ^= 0x40
				if unpack(damaged) == nil {
					t.Errorf("byte %d of %d may change", i, len(data))
				}
				if unpack(data[:i]) == nil {
					t.Errorf("it may end after %d of %d bytes", i, len(data))
				}
			}
			if unpack(data[:len(data)-1]) == nil {
				t.Error("its last byte may be missing")
			}
		})
	}
}

func TestParseKey(t *testing.T) {
	if k, err := ParseKey(" \n"); err != nil || k.IsSet() {
		t.Errorf("no key: %v %v", k, err)
	}
	for _, text := range []string{"short", "age1qqqq", "AGE-SECRET-KEY-1QQQQ"} {
		_, err := ParseKey(text)
		if !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", text, err)
		} else if strings.Contains(err.Error(), "QQQQ") {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if k, err := ParseKey("a long passphrase"); err != nil || !k.IsSet() {
		t.Errorf("a passphrase: %v", err)
	}
}

// FuzzUnpack unpacks anything as if it were an archive: whatever it is, nothing
// is written outside the folder.
func FuzzUnpack(f *testing.F) {
	small := filepath.Join(f.TempDir(), "small")
	if err := os.WriteFile(small, []byte("books"), 0o600); err != nil {
		f.Fatal(err)
	}
	file, _, err := writer{snapshot: copyAsSnapshot}.write(f.Context(), f.TempDir(), testTime, []Item{{Name: "poolscope.db", Path: small}})
	if err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := t.TempDir()
		inner := filepath.Join(outer, "inner")
		_, _ = Unpack(t.Context(), io.LimitReader(bytes.NewReader(data), 1<<20), Key{}, inner)
		if all, _ := os.ReadDir(outer); len(all) > 1 {
			t.Errorf("%d files beside the folder", len(all)-1)
		}
	})
}

// FuzzManifest reads any text as a manifest: what it accepts stays inside the
// folder.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"files":[{"name":"blocks/1.hex","bytes":1,"sha256":"` + strings.Repeat("0", 64) + `","mode":384}]}`))
	f.Add([]byte(`{"format":1,"files":[{"name":"../x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if path := filepath.Join("folder", filepath.FromSlash(file.Name)); !strings.HasPrefix(path, "folder"+string(filepath.Separator)) || strings.Contains(path, "..") && !strings.Contains(file.Name, "..") {
				t.Errorf("%q becomes %q", file.Name, path)
			}
		}
	})
}
