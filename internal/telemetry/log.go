package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Sentinel errors of this package.
var (
	// ErrLogLevel means that a log level is none of debug, info, warn, error.
	ErrLogLevel = errors.New("unknown log level")
	// ErrLogFormat means that a log format is none of text, json.
	ErrLogFormat = errors.New("unknown log format")
)

// LogConfig says what is logged, how, and where.
type LogConfig struct {
	Level  string // debug, info, warn or error; "" is info
	Format string // text (key=value) or json; "" is text

	// File is where lines go, appended; "" is the writer that NewLogs got.
	File     string
	Rotation Rotation

	// Secrets never appear in a line, wherever they come from.
	Secrets []string
}

// Rotation says when a log file is put aside, and what becomes of it.
type Rotation struct {
	Size     int64         // bytes at which a new file begins; 0: no such limit
	Every    time.Duration // a new file begins at each multiple of this, UTC; 0: never
	Keep     int           // files put aside that are kept; 0: all
	KeepFor  time.Duration // age at which they are deleted; 0: never
	Compress bool          // with gzip
}

// Logs is where a program's messages go. Level, format and file can change
// while loggers are in use.
//
// Every call to a logger makes one line. Values that hold spaces, quotes, line
// feeds or control characters come out quoted and escaped, so a miner can
// neither forge a line nor steer the operator's terminal through its worker
// name or user agent. Messages are not data: they are constant phrases in this
// program.
type Logs struct {
	level   slog.LevelVar
	json    atomic.Bool
	secrets atomic.Pointer[redactor]
	out     logOutput
	tidying sync.Mutex // of the files put aside
	ring    *logRing

	levelMu sync.Mutex // guards levels, and changes of level
	levels  levelState
}

// NewLogs makes the program's logs; fallback takes the lines while there is no
// file, or none that can be written.
func NewLogs(fallback io.Writer, cfg LogConfig) (*Logs, error) {
	l := &Logs{out: logOutput{fallback: fallback}, ring: newLogRing(time.Now())}
	if err := l.Reconfigure(cfg); err != nil {
		return nil, err
	}
	return l, nil
}

// NewLogger returns a logger that writes to w, for programs without a log file.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	l, err := NewLogs(w, LogConfig{Level: level, Format: format})
	if err != nil {
		return nil, err
	}
	return l.Logger(), nil
}

// Reconfigure puts another configuration in force for all loggers. It opens
// the file anew even when its name is the same, for those who rotate files with
// a tool of their own. After an error everything is as it was.
func (l *Logs) Reconfigure(cfg LogConfig) error {
	level, err := parseLevel(cfg.Level)
	if err != nil {
		return err
	}
	var asJSON bool
	switch strings.ToLower(cfg.Format) {
	case "", "text":
	case "json":
		asJSON = true
	default:
		return fmt.Errorf("%w: %q (text, json)", ErrLogFormat, cfg.Format)
	}
	var file *logFile
	if cfg.File != "" {
		if file, err = openLogFile(cfg.File, cfg.Rotation, time.Now, &l.tidying); err != nil {
			return fmt.Errorf("open log file: %w", err)
		}
	}
	l.secrets.Store(newRedactor(cfg.Secrets))
	l.configureLevel(level)
	l.json.Store(asJSON)
	l.out.use(file)
	return nil
}

// Close ends the log file; what is logged afterwards goes to the fallback.
func (l *Logs) Close() {
	l.endLevel()
	l.out.use(nil)
}

// Lost is the number of lines that could not be written to the log file and
// went to the fallback.
func (l *Logs) Lost() uint64 { return l.out.lost.Load() }

// Logger returns the logger of the whole program.
func (l *Logs) Logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: &l.level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		return l.secrets.Load().attr(a)
	}}
	return slog.New(ringHandler{logs: l, Handler: eitherHandler{
		asJSON: &l.json,
		json:   slog.NewJSONHandler(controlEscaper{&l.out}, options),
		text:   slog.NewTextHandler(&l.out, options),
	}})
}

func parseLevel(level string) (slog.Level, error) {
	switch strings.ToLower(level) {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("%w: %q (debug, info, warn, error)", ErrLogLevel, level)
}

// logOutput is the file, or else the fallback. Handlers write whole lines.
type logOutput struct {
	fallback io.Writer
	lost     atomic.Uint64

	mu   sync.Mutex
	file *logFile // nil without
}

// Write writes one line to the file; a line that the file does not take, such
// as on a full disk, goes to the fallback.
func (o *logOutput) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		n, err := o.file.Write(line)
		if err == nil {
			return n, nil
		}
		o.lost.Add(1)
	}
	return o.fallback.Write(line)
}

// use puts another file in the place of the present one.
func (o *logOutput) use(file *logFile) {
	o.mu.Lock()
	old := o.file
	o.file = file
	o.mu.Unlock()
	if old != nil {
		old.Close()
	}
}
