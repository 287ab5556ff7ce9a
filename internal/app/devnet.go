package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/poolscope/poolscope/internal/devnet"
	"github.com/poolscope/poolscope/internal/telemetry"
)

// RunDevnet runs the regtest network alone until ctx ends.
func RunDevnet(ctx context.Context, cfg devnet.Config, build telemetry.Build, log *slog.Logger, out io.Writer) (err error) {
	release, err := openDataDir(cfg.DataDir)
	if err != nil {
		return err
	}
	defer release()
	n, err := devnet.New(cfg, log.With("part", "devnet"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeInTime(n.Close)) }()
	ports := &Ports{}
	addDevnet(ports, n)
	if err := ports.write(cfg.DataDir); err != nil {
		return err
	}
	printAddresses(out, "poolscope devnet "+build.Version, cfg.DataDir, ports)
	return runStages(ctx, log, stage{{"devnet", n.Run}})
}

func addDevnet(p *Ports, n *devnet.Node) {
	p.NodeRPC, p.NodeCookie, p.NodeZMQ = n.RPCAddr(), n.CookieFile(), n.ZMQAddr()
	// Who reads the file may be in another folder.
	if path, err := filepath.Abs(p.NodeCookie); err == nil {
		p.NodeCookie = path
	}
}
