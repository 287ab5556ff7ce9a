package telemetry

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// logFileMode keeps the log to the operator's user and group.
const logFileMode = 0o640

// stampFormat is the time in the name of a file put aside: it sorts by age.
const stampFormat = "20060102T150405.000"

// retryRotation is how long a rotation that failed is left alone.
const retryRotation = time.Minute

// logFile is a file that lines are appended to, put aside by size and time. It
// is not safe for concurrent use.
type logFile struct {
	path     string
	rotation Rotation
	now      func() time.Time

	file     *os.File
	size     int64
	period   int64 // number of the stretch of rotation.Every that the lines are from
	notAgain time.Time

	tidying *sync.Mutex // held while files put aside are seen to
}

// openLogFile opens a file for appending, and begins a new one if it is due.
//
// Files opened for the same path one after the other share tidying, so that two
// do not see to the same old files at the same time.
func openLogFile(path string, rotation Rotation, now func() time.Time, tidying *sync.Mutex) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	f := &logFile{path: path, rotation: rotation, now: now, tidying: tidying}
	if err := f.open(); err != nil {
		return nil, err
	}
	if f.due(0) {
		f.rotate()
	} else {
		f.tidy()
	}
	return f, nil
}

func (f *logFile) open() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, logFileMode)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size, f.period = file, info.Size(), f.periodOf(f.now())
	if f.size > 0 {
		f.period = f.periodOf(info.ModTime())
	}
	return nil
}

func (f *logFile) periodOf(t time.Time) int64 {
	if f.rotation.Every <= 0 {
		return 0
	}
	return t.UnixNano() / int64(f.rotation.Every)
}

// due says whether a new file must begin before n more bytes.
func (f *logFile) due(n int) bool {
	if f.size == 0 {
		return false
	}
	return f.rotation.Size > 0 && f.size+int64(n) > f.rotation.Size || f.periodOf(f.now()) != f.period
}

// Write appends a line.
func (f *logFile) Write(line []byte) (int, error) {
	if f.due(len(line)) && !f.now().Before(f.notAgain) {
		f.rotate()
	}
	n, err := f.file.Write(line)
	if f.size == 0 {
		f.period = f.periodOf(f.now())
	}
	f.size += int64(n)
	return n, err
}

// rotate puts the file aside and begins a new one. When that fails the old one
// is used on: a log that is too long is better than none.
func (f *logFile) rotate() {
	aside := f.asideName()
	old := f.file
	if err := os.Rename(f.path, aside); err != nil {
		f.notAgain = f.now().Add(retryRotation)
		return
	}
	if err := f.open(); err != nil {
		// Its lines go on into the file that was put aside.
		f.notAgain = f.now().Add(retryRotation)
		return
	}
	_ = old.Close() // everything was written
	f.tidy()
}

// asideName is a free name with the time in it: poolscope-20260102T150405.000.log.
func (f *logFile) asideName() string {
	stem, ext := f.nameParts()
	for t := f.now().UTC(); ; t = t.Add(time.Millisecond) {
		name := stem + t.Format(stampFormat) + ext
		if !exists(name) && !exists(name+".gz") {
			return name
		}
	}
}

func (f *logFile) nameParts() (stem, ext string) {
	ext = filepath.Ext(f.path)
	return strings.TrimSuffix(f.path, ext) + "-", ext
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// tidy compresses and deletes files put aside, in a goroutine of its own. The
// end of the program does not wait for it: what is not done, or fails, is tried
// again at the next rotation or start.
func (f *logFile) tidy() {
	go func() { _ = f.tidyUp() }()
}

func (f *logFile) tidyUp() error {
	f.tidying.Lock()
	defer f.tidying.Unlock()
	files, err := f.aside()
	if err != nil {
		return err
	}
	var failed error
	for i, a := range files { // newest first
		switch {
		case f.rotation.Keep > 0 && i >= f.rotation.Keep,
			f.rotation.KeepFor > 0 && f.now().Sub(a.at) > f.rotation.KeepFor:
			failed = errors.Join(failed, os.Remove(a.path))
		case f.rotation.Compress && !strings.HasSuffix(a.path, ".gz"):
			failed = errors.Join(failed, compress(a.path))
		}
	}
	return failed
}

// asideFile is a log file that was put aside at a time.
type asideFile struct {
	path string
	at   time.Time
}

// aside lists the files put aside, newest first. Files that only look alike are
// not ours to delete.
func (f *logFile) aside() ([]asideFile, error) {
	stem, ext := f.nameParts()
	entries, err := os.ReadDir(filepath.Dir(f.path))
	if err != nil {
		return nil, err
	}
	var files []asideFile
	for _, entry := range entries {
		path := filepath.Join(filepath.Dir(f.path), entry.Name())
		rest, ours := strings.CutPrefix(path, filepath.Clean(stem))
		stamp, isLog := strings.CutSuffix(strings.TrimSuffix(rest, ".gz"), ext)
		if at, err := time.Parse(stampFormat, stamp); ours && isLog && err == nil {
			files = append(files, asideFile{path, at})
		}
	}
	slices.SortFunc(files, func(a, b asideFile) int { return b.at.Compare(a.at) })
	return files, nil
}

// compress replaces a file by its gzip. The original goes last.
func compress(path string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	part := path + ".gz.part"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, logFileMode)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, path+".gz"); err != nil {
		return err
	}
	return os.Remove(path)
}

// Close ends the file. There is nothing buffered that could be lost.
func (f *logFile) Close() { _ = f.file.Close() }
