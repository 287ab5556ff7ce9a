package measure

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/scope/relay"
)

// runScope is a proxy in front of a pool, put together from the parts that are
// named: it shows what each of them costs, which the program itself, where all
// of them are, does not. It says on w where it listens.
//
//	record    nothing besides the relay and the recorder with its ring
//	audit     facts, shares, alarms
//	journal   everything on disk
//	fill=N    so many messages are recorded before it listens
func runScope(w io.Writer, pool string, parts []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.DiscardHandler)
	var cfg capture.Config
	var sinks []capture.Sink
	fill := 0
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "record":
		case "audit":
			a := audit.New(audit.Config{}, log)
			go func() { _ = a.Run(ctx) }() // it ends with the process
			cfg.Analyst = a
		case "journal":
			dir, err := os.MkdirTemp("", "poolscope-measure-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			j, err := journal.Open(journal.Config{Dir: dir}, log)
			if err != nil {
				return err
			}
			defer j.Close()
			go func() { _ = j.Run(ctx) }()
			sinks = append(sinks, j)
		case "fill":
			var err error
			if fill, err = strconv.Atoi(value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("scope: there is no part %q", name)
		}
	}
	recorder := capture.New(cfg, log, sinks...)
	go func() { _ = recorder.Run(ctx) }()
	fillRing(recorder, fill)
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
	fmt.Fprintln(w, l.Addr())
	defer func() {
		chunks, bytes := recorder.Losses()
		fmt.Fprintf(w, "lost %d chunks, %d bytes\n", chunks, bytes)
	}()
	return server.Serve(ctx, l, relay.ListenerOptions{})
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
