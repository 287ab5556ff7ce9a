package app

import (
	"context"
	"errors"

	"github.com/poolscope/poolscope/internal/config"
)

// Request is something that an operator asks of a running pool.
type Request int

// The requests.
const (
	// RequestReload reads the configuration again, and opens the log file anew.
	RequestReload Request = iota
	// RequestUpgrade puts the program that is installed now in the place of the
	// one that runs, on the same sockets.
	RequestUpgrade
)

// desk is where the operator's requests are dealt with, one after the other.
type desk struct {
	pool     *poolParts
	load     func() (*config.Config, error)
	program  Program
	requests <-chan Request
	calls    <-chan func(context.Context, *desk) // of operators who sit at the page
	stop     func()                              // ends the pool
	handOver *Sockets                            // for the next program, when there is to be one
}

// run deals with requests until ctx ends.
func (d *desk) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case call := <-d.calls:
			call(ctx, d)
		case r := <-d.requests:
			switch r {
			case RequestReload:
				tellSystemd(d.pool.log, "RELOADING=1")
				d.pool.reload(d.load)
				tellSystemd(d.pool.log, "READY=1")
			case RequestUpgrade:
				if err := d.upgrade(ctx); err != nil {
					d.pool.log.Error("no upgrade, this program goes on", "err", err)
					d.pool.pool.Note("upgrade", "no upgrade, this program goes on: "+err.Error())
				}
			}
		}
	}
}

// upgrade ends the pool for a new program, if that one is able to start. The
// sockets stay open all the while: who connects waits in the kernel's queue.
func (d *desk) upgrade(ctx context.Context) error {
	log := d.pool.log
	if d.handOver != nil {
		return nil // under way
	}
	if err := d.program.check(ctx); err != nil {
		return err
	}
	sockets, err := d.pool.shareSockets()
	if err != nil {
		return err
	}
	cfg, err := d.load()
	if err == nil {
		err = sockets.vacant(cfg)
	}
	if err != nil {
		return errors.Join(err, sockets.drop())
	}
	log.Info("upgrade begins: miners are asked to come again", "program", d.program.Path)
	tellSystemd(log, "RELOADING=1")
	d.handOver = sockets
	d.stop()
	return nil
}
