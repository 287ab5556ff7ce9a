package pool

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/files"
	"github.com/poolscope/poolscope/internal/ledger"
)

// blockFiles keeps found blocks as text files, HEIGHT-HASH.hex, which hold what
// submitblock takes: an operator can send one by hand. New ones lie in the
// directory itself, answered ones in accepted/ or rejected/ below it. Beside a
// new one HEIGHT-HASH.json says whose it is, until the ledger has that.
type blockFiles struct{ dir string }

const (
	acceptedDir = "accepted"
	rejectedDir = "rejected"
)

const (
	blockSuffix = ".hex"
	ownerSuffix = ".json"
)

func blockFileName(height int64, hash bitcoin.Hash) string {
	return fmt.Sprintf("%d-%s%s", height, hash, blockSuffix)
}

func ownerFileName(blockFile string) string {
	return strings.TrimSuffix(blockFile, blockSuffix) + ownerSuffix
}

// open makes the directories.
func (f blockFiles) open() error {
	for _, dir := range []string{acceptedDir, rejectedDir} {
		if err := os.MkdirAll(filepath.Join(f.dir, dir), 0o700); err != nil {
			return fmt.Errorf("block folder: %w", err)
		}
	}
	return nil
}

// save writes a block so that it survives a power failure. Its owner is written
// in a way that survives the end of the process: two syncs would double the
// time until the block is sent.
func (f blockFiles) save(b ledger.Block, raw []byte) error {
	path := filepath.Join(f.dir, blockFileName(b.Height, b.Hash))
	owner, err := json.Marshal(b)
	if err == nil {
		err = os.WriteFile(ownerFileName(path), owner, 0o600)
	}
	text := append(hex.AppendEncode(make([]byte, 0, 2*len(raw)+1), raw), '\n')
	return errors.Join(files.WriteDurably(path, text, 0o600), err)
}

// probe writes and removes a file in the folder.
func (f blockFiles) probe() error {
	path := filepath.Join(f.dir, ".probe")
	if err := files.WriteDurably(path, []byte("poolscope can write here\n"), 0o600); err != nil {
		return err
	}
	return os.Remove(path)
}

// settle moves an answered block aside.
func (f blockFiles) settle(height int64, hash bitcoin.Hash, accepted bool) error {
	name, to := blockFileName(height, hash), rejectedDir
	if accepted {
		to = acceptedDir
	}
	err := os.Rename(filepath.Join(f.dir, name), filepath.Join(f.dir, to, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, left := os.Stat(filepath.Join(f.dir, name)); left == nil {
		return err // the folder to move it to is gone
	}
	// The owner's file goes last: a block that is still there, whatever
	// happened in between, must not be without. One that stays costs nothing.
	_ = os.Remove(filepath.Join(f.dir, ownerFileName(name)))
	return nil // also when it could not be saved in the first place
}

// forget removes a block that is six deep: the chain keeps it now.
func (f blockFiles) forget(height int64, hash bitcoin.Hash) {
	// A file that stays costs nothing but its space.
	_ = os.Remove(filepath.Join(f.dir, acceptedDir, blockFileName(height, hash)))
}

// savedBlock is a block without an answer.
type savedBlock struct {
	ledger.Block
	raw []byte
}

// pending reads the blocks without an answer. Files that are no blocks are
// reported and left alone.
func (f blockFiles) pending() ([]savedBlock, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	var found []savedBlock
	var problems []error
	for _, entry := range entries {
		if entry.IsDir() || !strings.HasSuffix(entry.Name(), ".hex") {
			continue
		}
		b, err := readBlockFile(filepath.Join(f.dir, entry.Name()))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found = append(found, b)
	}
	return found, errors.Join(problems...)
}

func readBlockFile(path string) (savedBlock, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return savedBlock{}, err
	}
	name := filepath.Base(path)
	raw, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(raw) < bitcoin.HeaderSize {
		return savedBlock{}, fmt.Errorf("%s is not a block in hex", name)
	}
	header, err := bitcoin.ParseHeader(raw[:bitcoin.HeaderSize])
	if err != nil {
		return savedBlock{}, fmt.Errorf("%s: %w", name, err)
	}
	b := savedBlock{raw: raw}
	b.Hash = header.Hash()
	if _, err := fmt.Sscanf(name, "%d-", &b.Height); err != nil || name != blockFileName(b.Height, b.Hash) {
		return savedBlock{}, fmt.Errorf("%s does not hold the block that its name says", name)
	}
	b.Block = ownerOf(path, b.Block, header.Bits)
	return b, nil
}

// ownerOf reads whose block it is. Without the file, which only a power
// failure in the wrong millisecond can cause, what the block itself says is
// booked.
func ownerOf(path string, b ledger.Block, bits uint32) ledger.Block {
	var owner ledger.Block
	text, err := os.ReadFile(ownerFileName(path))
	if err == nil && json.Unmarshal(text, &owner) == nil && owner.Hash == b.Hash && owner.Height == b.Height {
		return owner
	}
	b.State = ledger.BlockPending
	b.ShareDifficulty = bitcoin.HashDifficulty(&b.Hash)
	b.NetworkDifficulty = bitcoin.DifficultyFromBits(bits)
	if info, err := os.Stat(path); err == nil {
		b.FoundAt = info.ModTime()
	}
	return b
}
