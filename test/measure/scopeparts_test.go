package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/scope/relay"
)

var errNoPart = errors.New("there is no such part")

// scopeParts are a proxy in front of a pool, put together from the parts that
// are named, always with relay, recorder and ring. They show what each part
// costs, which the program itself, where all of them are, does not.
//
//	audit         facts, shares, alarms
//	journal       everything on disk
//	fill=N        so many messages are recorded before it listens
//	profile=FILE  of the processor time from then on
type scopeParts struct {
	capture.Config
	sinks   []capture.Sink
	fill    int
	profile string
	ends    []func() // in reverse order

	journal *journal.Journal // nil without
}

// runScope runs such a proxy until it is interrupted. It says on w where it
// listens and, at the end, what was not recorded.
func runScope(w io.Writer, pool string, parts []string) error {
	debug.SetGCPercent(400) // as the program has it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	log := slog.New(slog.DiscardHandler)
	s := &scopeParts{Config: capture.Config{Gather: time.Millisecond}}
	defer s.end()
	defer stop()
	for _, part := range parts {
		if err := s.add(ctx, part, log); err != nil {
			return fmt.Errorf("scope: %s: %w", part, err)
		}
	}
	recorder := capture.New(s.Config, log, s.sinks...)
	go func() { _ = recorder.Run(ctx) }() // it ends with the process
	fillRing(recorder, s.fill)
	upstream, err := relay.ParseUpstream(pool)
	if err != nil {
		return err
	}
	server, err := relay.New(relay.Config{Upstreams: []relay.Upstream{upstream}}, recorder, log)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := s.startProfile(); err != nil {
		return err
	}
	fmt.Fprintln(w, l.Addr())
	err = server.Serve(ctx, l, relay.ListenerOptions{})
	chunks, bytes := recorder.Losses()
	fmt.Fprintf(w, "lost %d chunks, %d bytes\n", chunks, bytes)
	return err
}

// add makes one of the parts.
func (s *scopeParts) add(ctx context.Context, part string, log *slog.Logger) (err error) {
	switch name, value, _ := strings.Cut(part, "="); name {
	case "":
	case "audit":
		a := audit.New(audit.Config{}, log)
		go func() { _ = a.Run(ctx) }()
		s.Analyst = a
	case "journal":
		dir, err := os.MkdirTemp("", "poolscope-measure-")
		if err != nil {
			return err
		}
		s.ends = append(s.ends, func() { _ = os.RemoveAll(dir) })
		j, err := journal.Open(journal.Config{Dir: dir}, log)
		if err != nil {
			return err
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = j.Run(ctx)
		}()
		s.ends = append(s.ends, func() {
			<-done
			_ = j.Close()
		})
		s.sinks, s.journal = append(s.sinks, j), j
	case "fill":
		s.fill, err = strconv.Atoi(value)
	case "profile":
		s.profile = value
	default:
		err = errNoPart
	}
	return err
}

func (s *scopeParts) startProfile() error {
	if s.profile == "" {
		return nil
	}
	f, err := os.Create(s.profile)
	if err != nil {
		return err
	}
	s.ends = append(s.ends, func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	})
	return pprof.StartCPUProfile(f)
}

func (s *scopeParts) end() {
	for _, end := range slices.Backward(s.ends) {
		end()
	}
}

// runDisk records so many shares and answers as fast as the disk takes them, and
// says on w how fast that was.
func runDisk(w io.Writer, messages int) error {
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	s := &scopeParts{Config: capture.Config{Gather: time.Millisecond}}
	defer s.end()
	defer stop()
	for _, part := range []string{"audit", "journal"} {
		if err := s.add(ctx, part, log); err != nil {
			return err
		}
	}
	recorder := capture.New(s.Config, log, s.sinks...)
	go func() { _ = recorder.Run(ctx) }()
	tapes := make([]*capture.Tape, 100)
	for i := range tapes {
		tapes[i] = recorder.Open(capture.Opening{ID: capture.NewID(), Origin: capture.OriginProxy, Miner: "192.0.2.1:1", At: time.Now()})
	}
	begin := time.Now()
	for n := range messages / 2 {
		for n%64 == 0 && uint64(n*2) > s.journal.Stats().Written+40_000 {
			time.Sleep(time.Millisecond) // the queues hold more than that
		}
		tape, now := tapes[n%len(tapes)], time.Now()
		tape.Line(capture.MinerToPool, fmt.Appendf(nil, `{"id":%d,"method":"mining.submit","params":["%s","1","%08x","6b0215dc","%08x"]}`+"\n", 1000+n, worker, n, n*7), now)
		tape.Line(capture.PoolToMiner, fmt.Appendf(nil, `{"id":%d,"result":true,"error":null}`+"\n", 1000+n), now)
	}
	for s.journal.Stats().Written < uint64(messages) && time.Since(begin) < time.Minute {
		time.Sleep(time.Millisecond)
	}
	seconds := time.Since(begin).Seconds()
	stats := s.journal.Stats()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Fprintf(w, "%.0f messages/s to disk (%d messages, %d MB on disk, %d dropped, %d MB of memory from the system)\n",
		float64(stats.Written)/seconds, stats.Written, stats.Bytes>>20, stats.Dropped, memory.Sys>>20)
	return nil
}

// fillRing records shares of miners that are gone.
func fillRing(r *capture.Recorder, messages int) {
	submit := fmt.Appendf(nil, `{"id":1000,"method":"mining.submit","params":["%s","1","00000000","6b0215dc","00000000"]}`+"\n", worker)
	answer := []byte(`{"id":1000,"result":true,"error":null}` + "\n")
	for n := 0; n < messages; {
		tape := r.Open(capture.Opening{ID: capture.NewID(), Origin: capture.OriginProxy, Miner: "192.0.2.1:1", At: time.Now()})
		for end := min(n+5000, messages); n < end; n += 2 {
			tape.Line(capture.MinerToPool, submit, time.Now())
			tape.Line(capture.PoolToMiner, answer, time.Now())
		}
		tape.Close("closed_by_miner", time.Now())
		for r.Store().Usage().Live > 0 {
			time.Sleep(time.Millisecond)
		}
	}
}
