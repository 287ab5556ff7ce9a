package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/inspect"
	"github.com/poolscope/poolscope/internal/scope/playback"
)

type replayCommand struct {
	File    string `arg:"" help:"Capture to play: JSONL of the export, messages as the API gives them, a recording of poolscope capture, pcap or pcapng; also with gzip. - is standard input."`
	To      string `help:"Whom to play to: ${enum}. A pool gets the recorded miner's lines, a miner the recorded pool's." enum:"pool,miner" required:""`
	Session string `help:"Session to play, or the beginning of its id; needed when the file has several." placeholder:"ID"`

	Port []uint16 `help:"Port that a pool is on, in files of packets. Without, sessions are found by what is said in them." placeholder:"N"`

	Pool     string `help:"Pool to play to, as stratum+tcp://host:port." placeholder:"URL"`
	Own      bool   `help:"The pool is mine. Needed to play faster than recorded to a pool that is not on a loopback address (127.0.0.0/8, ::1)."`
	Insecure bool   `help:"Take any TLS certificate."`

	Listen string        `help:"Address to wait for a miner on." placeholder:"ADDRESS"`
	Wait   time.Duration `help:"How long to wait for a miner (${default})." default:"10m"`

	Speed    float64       `help:"How much faster than recorded; 0 is as fast as the peer answers (${default})." default:"1"`
	Patience time.Duration `help:"How long to wait for an answer, or for a request of the miner (${default})." default:"10s"`
	Linger   time.Duration `help:"How long to listen after the last line (${default})." default:"2s"`
	JSON     bool          `name:"json" help:"Report as JSON, an event a line, the summary last."`
}

// Run plays one side of a recorded session and prints what the peer says.
func (c *replayCommand) Run(env *environment) error {
	endpoint, err := c.check()
	if err != nil {
		return err
	}
	recording, err := c.read(env)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	options := playback.Options{Speed: c.Speed, Patience: c.Patience, Linger: c.Linger, Event: func(e playback.Event) { c.print(env.stdout, e) }}

	var summary playback.Summary
	if c.To == "pool" {
		if err := c.mayHurry(env.ctx, endpoint.Host); err != nil {
			return err
		}
		conn, dialErr := endpoint.Dial(env.ctx, c.Insecure)
		if dialErr != nil {
			return dialErr
		}
		if err := c.mayHurryTo(conn.RemoteAddr()); err != nil { // the name may have moved
			conn.Close()
			return err
		}
		fmt.Fprintf(env.stderr, "Playing %d lines of the miner of session %s to %s.\n", recording.Count(capture.MinerToPool), recording.Session, endpoint)
		summary, err = playback.ToPool(env.ctx, conn, recording, options)
	} else {
		conn, acceptErr := c.accept(env)
		if acceptErr != nil {
			return acceptErr
		}
		fmt.Fprintf(env.stderr, "Playing %d lines of the pool of session %s to %s.\n", recording.Count(capture.PoolToMiner), recording.Session, conn.RemoteAddr())
		summary, err = playback.ToMiner(env.ctx, conn, recording, options)
	}
	c.conclude(env.stdout, summary)
	return err
}

// check refuses flags that do not fit together.
func (c *replayCommand) check() (endpoint miner.Endpoint, err error) {
	switch {
	case c.Speed < 0 || c.Patience <= 0 || c.Linger < 0 || c.Wait <= 0:
		return endpoint, usage("--speed and --linger must not be below zero, --patience and --wait must be above")
	case c.To == "pool" && (c.Pool == "" || c.Listen != ""):
		return endpoint, usage("--to pool wants --pool, the pool to connect to, and no --listen")
	case c.To == "miner" && (c.Listen == "" || c.Pool != ""):
		return endpoint, usage("--to miner wants --listen, the address to wait for a miner on, and no --pool")
	case c.To == "pool":
		if endpoint, err = miner.ParseEndpoint(c.Pool); err != nil {
			return endpoint, usage("--pool: " + err.Error())
		}
	}
	return endpoint, nil
}

// read reads the file and chooses the session.
func (c *replayCommand) read(env *environment) (*playback.Recording, error) {
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	result, err := inspect.Read(in, inspect.Options{Ports: c.Port, KeepPasswords: true})
	switch {
	case len(result.Sessions) == 0 && err != nil:
		return nil, err
	case err != nil: // what could be read is played
		fmt.Fprintf(env.stderr, "Warning: %v\n", err)
	case result.File.Chain != nil && !result.File.Chain.Intact:
		fmt.Fprintf(env.stderr, "Warning: the file was changed after it was written: %s\n", result.File.Chain.Broken)
	}
	var fitting []inspect.Session
	var all []string
	for _, s := range result.Sessions {
		if strings.HasPrefix(s.Facts.Session, c.Session) {
			fitting = append(fitting, s)
		}
		if len(all) < 20 {
			all = append(all, s.Facts.Session)
		}
	}
	switch {
	case len(fitting) == 1:
		return playback.New(fitting[0].Facts.Session, fitting[0].Messages), nil
	case len(result.Sessions) == 0:
		return nil, errors.New("there is no Stratum session in it")
	case len(fitting) == 0:
		return nil, fmt.Errorf("there is no session %s in it; there are %s", c.Session, strings.Join(all, ", "))
	}
	return nil, fmt.Errorf("choose one of its %d sessions with --session: %s", len(fitting), strings.Join(all, ", "))
}

// errNotOwn says why a recording is not played faster.
var errNotOwn = errors.New("playing faster than recorded is load, and the pool is not on a loopback address: say --own if it is yours, or leave --speed at 1")

// mayHurry refuses to put load on other people's pools, before anything is sent
// to them: all addresses of the pool must be loopback ones.
func (c *replayCommand) mayHurry(ctx context.Context, host string) error {
	if c.Own || c.Speed > 0 && c.Speed <= 1 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("--pool: %w", err)
	}
	for _, a := range addresses {
		if !a.Unmap().IsLoopback() {
			return errNotOwn
		}
	}
	return nil
}

// mayHurryTo is mayHurry for an address that was connected to.
func (c *replayCommand) mayHurryTo(pool net.Addr) error {
	address, ok := pool.(*net.TCPAddr)
	if c.Own || c.Speed > 0 && c.Speed <= 1 || ok && address.IP.IsLoopback() {
		return nil
	}
	return errNotOwn
}

// accept waits for a miner.
func (c *replayCommand) accept(env *environment) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(env.ctx, c.Wait)
	defer cancel()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	defer listener.Close()
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	fmt.Fprintf(env.stderr, "Waiting for a miner on %s.\n", listener.Addr())
	conn, err := listener.Accept()
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("no miner came: %w", ctx.Err())
	}
	return conn, err
}

// print prints an event, without passwords: the file, or the miner, has them.
func (c *replayCommand) print(w io.Writer, e playback.Event) {
	e.Line = string(capture.MaskPasswords([]byte(e.Line)))
	e.Recorded = string(capture.MaskPasswords([]byte(e.Recorded)))
	if c.JSON {
		printJSON(w, e)
		return
	}
	mark := map[string]string{
		playback.KindSent: ">", playback.KindAnswered: "<", playback.KindAnswer: "<", playback.KindReceived: "<",
		playback.KindUnanswered: "!", playback.KindUnasked: "!", playback.KindSkipped: "!",
	}[e.Kind]
	text := legible(e.Line)
	switch e.Kind {
	case playback.KindUnanswered:
		text = "no answer to " + text
	case playback.KindUnasked:
		text = "not asked: " + legible(e.Method)
	case playback.KindSkipped:
		text = "not played: " + text
	}
	fmt.Fprintf(w, "%10.3f %s %s\n", e.Seconds, mark, text)
	if e.Kind == playback.KindAnswered {
		fmt.Fprintf(w, "%10s > %s\n", "", legible(e.Recorded))
	}
	if e.Kind == playback.KindAnswer {
		verdict := map[string]string{
			playback.Same: "as recorded", playback.NotRecorded: "no answer was recorded", playback.ValuesDiffer: "DIFFERS",
			playback.NowAccepted: "DIFFERS: accepted, was rejected", playback.NowRejected: "DIFFERS: rejected, was accepted",
			playback.OtherRejection: "DIFFERS: rejected for another reason",
		}[e.Difference]
		fmt.Fprintf(w, "%10s   %s, %s after %.1f ms", "", verdict, legible(e.Method), *e.LatencyMS)
		if e.RecordedLatencyMS != nil {
			fmt.Fprintf(w, " (recorded: %.1f ms)", *e.RecordedLatencyMS)
		}
		fmt.Fprintln(w)
		if e.Difference != playback.Same && e.Recorded != "" {
			fmt.Fprintf(w, "%10s = %s\n", "", legible(e.Recorded))
		}
	}
	if e.Note != "" && e.Kind != playback.KindUnasked {
		fmt.Fprintf(w, "%10s   %s\n", "", e.Note)
	}
}

// conclude prints the summary.
func (c *replayCommand) conclude(w io.Writer, s playback.Summary) {
	if c.JSON {
		printJSON(w, map[string]any{"summary": s})
		return
	}
	fmt.Fprintf(w, "\n%d lines sent in %.1f s, %d other lines received.\n", s.Sent, s.Seconds, s.Received)
	if c.To == "pool" {
		fmt.Fprintf(w, "%d answers: %d as recorded, %d different, %d without a recorded one. %d recorded answers did not come.\n", s.Answers, s.Same, s.Different, s.NotRecorded, s.Unanswered)
	} else {
		fmt.Fprintf(w, "%d requests answered as recorded, %d that are not in the recording. %d recorded requests were not made.\n", s.Answered, s.Unknown, s.Unasked)
	}
	for _, extra := range []struct {
		n    int
		text string
	}{
		{s.Masked, "%d lines were sent with the password masked, as it was recorded.\n"},
		{s.Skipped, "%d lines were not played: only their beginning was recorded.\n"},
		{int(s.Lost), "%d lines of the peer came too fast to be looked at.\n"},
	} {
		if extra.n > 0 {
			fmt.Fprintf(w, extra.text, extra.n)
		}
	}
	if s.PeerEnded {
		fmt.Fprintln(w, "The peer closed the connection.")
	}
}

func printJSON(w io.Writer, v any) {
	text, err := json.Marshal(v)
	if err != nil { // numbers and strings always have a JSON form
		return
	}
	fmt.Fprintf(w, "%s\n", text)
}

// maxLegible is how much of a line is printed for people.
const maxLegible = 500

// legible makes what a peer sent fit for a terminal.
func legible(line string) string {
	cut := ""
	if len(line) > maxLegible {
		line, cut = line[:maxLegible], "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, line) + cut
}
