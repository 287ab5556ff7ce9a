package devnet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"time"
)

// journalKeep is how long an operation stays in the journal at least. ffldb
// holds its metadata in memory for up to 300 seconds, then writes it with the
// next block; what is older than that when a block arrives is on disk.
const journalKeep = 310 * time.Second

// journalMaxBody bounds one record, against a damaged length.
const journalMaxBody = 8 << 20

// journalOp is what happened to the chain.
type journalOp byte

// The operations that are worth repeating after a crash.
const (
	opBlock      journalOp = 'B' // body: the serialized block
	opInvalidate journalOp = 'I' // body: block hash
	opReconsider journalOp = 'R' // body: block hash
)

// journal makes accepted blocks survive the death of the process. The
// database alone would forget the last minutes, cleanly, and a pool would
// then remember blocks that its node has never heard of.
//
// It is two append-only files of records, the newer one fsynced record by
// record: op (1) ‖ length (4, LE) ‖ CRC-32 of the body (4, LE) ‖ body. A torn
// last record ends the replay. Repeating an operation is harmless, so no
// effort is made to know which ones the database has already.
type journal struct {
	path string // newer file; the older one has oldSuffix
	now  func() time.Time
	file *os.File
	born time.Time // of the newer file's first record; zero when empty
}

const oldSuffix = ".old"

func newJournal(path string, now func() time.Time) *journal {
	return &journal{path: path, now: now}
}

// replay calls do for every record, oldest first.
func (j *journal) replay(do func(op journalOp, body []byte)) (n int, err error) {
	for _, path := range []string{j.path + oldSuffix, j.path} {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return n, fmt.Errorf("devnet: open journal: %w", err)
		}
		n += readJournal(f, do)
		if err := f.Close(); err != nil {
			return n, fmt.Errorf("devnet: close journal: %w", err)
		}
	}
	return n, nil
}

// readJournal calls do for every whole record of one file.
func readJournal(r io.Reader, do func(op journalOp, body []byte)) (n int) {
	in := bufio.NewReader(r)
	var head [9]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return n
		}
		size := binary.LittleEndian.Uint32(head[1:])
		if size > journalMaxBody {
			return n
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(in, body); err != nil {
			return n
		}
		if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(head[5:]) {
			return n
		}
		do(journalOp(head[0]), body)
		n++
	}
}

// append writes one record and waits until it is on disk.
func (j *journal) append(op journalOp, body []byte) error {
	if err := j.rotate(); err != nil {
		return err
	}
	if j.file == nil {
		f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("devnet: open journal: %w", err)
		}
		j.file = f
	}
	if j.born.IsZero() {
		j.born = j.now()
	}

	rec := append(make([]byte, 0, 9+len(body)), byte(op))
	rec = binary.LittleEndian.AppendUint32(rec, uint32(len(body)))
	rec = binary.LittleEndian.AppendUint32(rec, crc32.ChecksumIEEE(body))
	if _, err := j.file.Write(append(rec, body...)); err != nil {
		return fmt.Errorf("devnet: write journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("devnet: sync journal: %w", err)
	}
	return nil
}

// rotate starts a new file once the newer one began journalKeep ago. The
// older one ended before that, so all of it is in the database, and goes.
func (j *journal) rotate() error {
	if j.born.IsZero() || j.now().Sub(j.born) < journalKeep {
		return nil
	}
	if err := j.close(); err != nil {
		return err
	}
	if err := os.Rename(j.path, j.path+oldSuffix); err != nil {
		return fmt.Errorf("devnet: rotate journal: %w", err)
	}
	j.born = time.Time{}
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	if err != nil {
		return fmt.Errorf("devnet: close journal: %w", err)
	}
	return nil
}

// clear removes the journal, after the database was closed in order.
func (j *journal) clear() error {
	if err := j.close(); err != nil {
		return err
	}
	for _, path := range []string{j.path, j.path + oldSuffix} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("devnet: remove journal: %w", err)
		}
	}
	return nil
}
