package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/devnet"
	"github.com/poolscope/poolscope/internal/miner"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/stratum"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// TestTapSink records a connection of the pool as a session of the scope.
func TestTapSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := capture.New(capture.Config{}, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- recorder.Run(ctx) }()
		began := time.Now()
		s := tapSink{recorder}.Open(pool.TapOpening{
			Connection: "00000001", Miner: "192.0.2.1:5", Listener: "192.0.2.2:3333", At: began,
			Late: &pool.TapLate{UserAgent: "cgminer/4.11.1", Workers: []string{"a.b"}, Extranonce1: "00000001", Extranonce2Size: 8, Difficulty: 16, VersionMask: 0x1fffe000},
		})
		s.Line(stratum.FromMiner, []byte(`{"id":7,"method":"mining.authorize","params":["a.c","hunter2"]}`+"\r\n"), began.Add(time.Second))
		s.Line(stratum.ToMiner, []byte(`{"id":7,"result":true,"error":null}`+"\n"), began.Add(2*time.Second))
		s.Close("closed_by_miner", began.Add(3*time.Second))
		synctest.Wait()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}

		session := recorder.Store().Sessions()[0]
		if session.Origin != capture.OriginTap || session.Miner != "192.0.2.1:5" || session.Listener != "192.0.2.2:3333" || !session.At.Equal(began) ||
			session.Reason != "closed_by_miner" || !session.EndedAt.Equal(began.Add(3*time.Second)) || session.UserAgent != "cgminer/4.11.1" ||
			!slices.Equal(session.Workers, []string{"a.b", "a.c"}) || session.Difficulty != 16 || session.Known.Extranonce1 != "00000001" ||
			session.Known.Extranonce2Size != 8 || session.Known.VersionMask != 0x1fffe000 {
			t.Errorf("session %+v, known %+v", session, session.Known)
		}
		request, response := recorder.Store().Message(session.ID, 1), recorder.Store().Message(session.ID, 2)
		if request.Direction != capture.MinerToPool || request.Peer != "192.0.2.1:5" || !request.Masked || strings.Contains(string(request.Raw), "hunter2") ||
			request.Pair != 2 || request.Latency() != time.Second || !strings.HasSuffix(string(request.Raw), "}\r\n") {
			t.Errorf("request %+v %q", request, request.Raw)
		}
		if response.Direction != capture.PoolToMiner || response.Peer != "192.0.2.2:3333" || response.Pair != 1 || !response.Forwarded.Equal(began.Add(2*time.Second)) {
			t.Errorf("response %+v", response)
		}
	})
}

// TestTapSwitch sets the tap in the words of the API.
func TestTapSwitch(t *testing.T) {
	p := &poolParts{cfg: poolConfig(t), log: slog.New(slog.DiscardHandler)}
	if err := p.bind(t.Context(), telemetry.Build{}); err != nil {
		t.Fatal(err)
	}
	defer p.close()
	tap := tapSwitch{pool: p.pool}
	for _, mode := range []string{"all", "worker:a.b", "off", "all"} {
		if err := tap.SetTapMode(mode); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if got := tap.TapMode(); got != mode {
			t.Errorf("%s: it is %s", mode, got)
		}
	}
	for _, mode := range []string{"worker:", "some", ""} {
		if err := tap.SetTapMode(mode); !errors.Is(err, pool.ErrTapMode) {
			t.Errorf("%s: %v", mode, err)
		}
	}
	if mode := tap.TapMode(); mode != "all" {
		t.Errorf("after mistakes it is %s", mode)
	}
}

// TestTapEqualsProxy mines through the scope's proxy at a pool that is tapped:
// both must have seen the same lines, byte for byte, and agree with the pool
// about every share.
func TestTapEqualsProxy(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	chain, err := devnet.New(devnet.Config{
		DataDir: t.TempDir(), RPCListen: "127.0.0.1:0", ZMQListen: "127.0.0.1:0", BlockInterval: 20 * time.Second, Hashrate: 1e6, TxRate: 5,
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = chain.Close() }()
	cfg := demoConfig(DemoOptions{DataDir: t.TempDir(), HTTP: "127.0.0.1:0", Stratum: "127.0.0.1:0", Scope: "127.0.0.1:0"})
	useDevnet(cfg, chain, 1e-6)
	cfg.Difficulty.Vardiff = false
	p := &poolParts{cfg: cfg, log: log}
	if err := p.bind(ctx, telemetry.Build{}); err != nil {
		t.Fatal(err)
	}
	defer p.close()
	m, err := miner.New(miner.Config{Pool: p.ports().Scope, User: demoUser(0), Threads: 1, MaxHashrate: 100_000, SuggestDifficulty: 1e-6}, log)
	if err != nil {
		t.Fatal(err)
	}
	store := p.scope.recorder.Store()
	time.AfterFunc(20*time.Second, cancel)
	go func() {
		for ctx.Err() == nil && store.Usage().Messages < 200 {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	stages := append(append([]stage{{{"devnet", chain.Run}}}, p.keeping()...), p.front(), stage{{"miner", m.Run}})
	if err := runStages(ctx, log, stages...); err != nil {
		t.Error(err)
	}

	all := store.Sessions()
	if len(all) != 2 || all[0].Origin == all[1].Origin {
		t.Fatalf("%d sessions: %+v", len(all), all)
	}
	var lines [2][2][]string // by session and direction
	judged := 0
	for i, s := range all {
		for n := uint64(1); n <= s.Messages; n++ {
			m := store.Message(s.ID, n)
			lines[i][m.Direction] = append(lines[i][m.Direction], string(m.Raw))
			if m.Share == nil {
				continue
			}
			if judged++; m.Share.Audit == capture.AuditUnknown || m.Share.Conflict != "" {
				t.Errorf("%s: share %+v", s.Origin, m.Share)
			}
		}
	}
	for direction := range lines[0] {
		// The last lines may be on their way when everything ends.
		a, b := lines[0][direction], lines[1][direction]
		if n := min(len(a), len(b)); n < 20 || max(len(a), len(b)) > n+5 || !slices.Equal(a[:n], b[:n]) {
			t.Errorf("direction %d: %d and %d lines\n%s\n\n%s", direction, len(a), len(b), strings.Join(a, ""), strings.Join(b, ""))
		}
	}
	if judged < 20 {
		t.Errorf("%d shares were judged", judged)
	}
}
