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
	tap := tapSwitch{p.pool}
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
