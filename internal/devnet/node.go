package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"golang.org/x/sync/errgroup"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// templateMaxAge is how long a template is served although the mempool has
// changed, as in Core.
const templateMaxAge = 5 * time.Second

// Node is a Bitcoin network of one node. New opens it, Run serves until its
// context ends, Close releases everything.
type Node struct {
	cfg    Config
	spec   chainSpec
	log    *slog.Logger
	engine *engine
	wallet *wallet

	traffic *traffic
	api     *rpcAPI
	rpc     *rpcServer
	zmq     *publisher // nil when off

	rpcListener net.Listener
	lock        *os.File
	cookieFile  string

	mu      sync.Mutex // guards what follows
	cancel  context.CancelFunc
	running chan struct{} // closed when Run has ended; nil before it began
	closed  bool
}

// New opens the chain in cfg.DataDir, or creates it and mines its first
// blocks, and binds the listeners. Nothing is served before Run. The errors
// wrap ErrConfig, ErrLocked, ErrPortInUse or ErrCorrupt where one of them is
// the cause.
func New(cfg Config, log *slog.Logger) (node *Node, err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, log: log, cookieFile: filepath.Join(cfg.DataDir, cookieName)}
	defer func() {
		if err != nil {
			_ = n.release()
		}
	}()

	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("devnet: make data directory: %w", err)
	}
	if n.lock, err = lockDir(cfg.DataDir); err != nil {
		return nil, err
	}
	if n.rpcListener, err = listen("rpc", cfg.RPCListen); err != nil {
		return nil, err
	}
	if cfg.ZMQListen != "" {
		l, err := listen("zmq", cfg.ZMQListen)
		if err != nil {
			return nil, err
		}
		n.zmq = newPublisher(l, log)
	}

	if err := n.openChain(); err != nil {
		return nil, err
	}
	if err := n.openRPC(); err != nil {
		return nil, err
	}
	return n, nil
}

// listen binds a TCP address.
func listen(what, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: %s address %s; stop the program that has it or choose another port", ErrPortInUse, what, addr)
	}
	if err != nil {
		return nil, fmt.Errorf("devnet: listen for %s: %w", what, err)
	}
	return l, nil
}

// openChain reads or makes the chain's spec, its key and its blocks.
func (n *Node) openChain() error {
	dir, specPath := filepath.Join(n.cfg.DataDir, dbName), filepath.Join(n.cfg.DataDir, specName)
	if exists(dir) && !exists(specPath) {
		return corrupt(n.cfg.DataDir, fmt.Sprintf("a chain is there, but %s, which describes it, is missing", specName))
	}
	spec, created, err := loadSpec(specPath, n.cfg)
	if err != nil {
		return err
	}
	if want := newSpec(n.cfg); !created && (want.Regtest != spec.Regtest || want.Bits != spec.Bits) {
		level := slog.LevelInfo // a difficulty follows from a measurement and differs a little each time
		if want.Regtest != spec.Regtest {
			level = slog.LevelWarn
		}
		n.log.Log(context.Background(), level, "the chain keeps the parameters that it was made with",
			"difficulty", difficultyOf(spec.Bits), "regtest", spec.Regtest,
			"configured_difficulty", difficultyOf(want.Bits), "configured_regtest", want.Regtest)
	}
	n.spec = spec
	params := spec.params()
	if n.wallet, err = loadWallet(filepath.Join(n.cfg.DataDir, keyName), params); err != nil {
		return err
	}
	if n.engine, err = openEngine(dir, params, n.wallet, n.cfg.Now, n.log); err != nil {
		return err
	}
	if err := n.engine.premine(context.Background(), spec, n.wallet); err != nil {
		return err
	}
	if err := n.engine.recover(newJournal(filepath.Join(n.cfg.DataDir, journalName), n.cfg.Now)); err != nil {
		return err
	}
	if n.zmq != nil {
		n.engine.announcer = n.zmq
	}
	best := n.engine.chain.BestSnapshot()
	n.log.Info("chain opened", "height", best.Height, "hash", best.Hash.String(), "difficulty", n.Difficulty())
	return nil
}

// openRPC prepares the RPC server and the traffic.
func (n *Node) openRPC() error {
	n.traffic = newTraffic(n.engine, n.wallet, n.cfg.TxRate)
	n.api = &rpcAPI{
		engine:    n.engine,
		templates: &templates{engine: n.engine, maxAge: templateMaxAge},
		poll:      corePollTimes(),
		startedAt: n.cfg.Now(),
		zmqAddr:   n.ZMQAddr(),
		stop:      n.stop,
	}
	var err error
	n.rpc, err = newRPCServer(n.api.methods(), n.cookieFile, n.cfg.User, n.cfg.Password, n.log)
	if err != nil {
		return err
	}

	due, err := n.engine.catchUpDue(n.spec, n.cfg.Now())
	if err != nil {
		return err
	}
	if due {
		why := "Mining a block after a long pause…"
		n.rpc.warmUp.Store(&why)
	}
	return nil
}

// Run serves RPC and ZMQ and makes traffic until ctx ends or the stop method
// is called; neither is an error. It may be called once.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.mu.Lock()
	if n.closed || n.running != nil {
		n.mu.Unlock()
		return ErrClosed
	}
	done := make(chan struct{})
	n.cancel, n.running = cancel, done
	n.mu.Unlock()
	defer close(done)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.rpc.run(ctx, n.rpcListener) })
	if n.zmq != nil {
		group.Go(func() error { return n.zmq.run(ctx) })
	}
	group.Go(func() error {
		if n.rpc.warmUp.Load() != nil {
			if err := n.engine.catchUp(ctx, n.spec, n.wallet, n.cfg.Now()); err != nil {
				return err
			}
			n.rpc.warmUp.Store(nil)
		}
		return n.traffic.run(ctx)
	})
	// Without traffic and errors the group would outlive ctx only as long as
	// the servers do, which end with it.
	return group.Wait()
}

// stop ends Run.
func (n *Node) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cancel != nil {
		n.cancel()
	}
}

// Close stops Run and waits for it, writes the chain to disk and releases
// the data directory. It may be called more than once.
func (n *Node) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	n.closed = true
	cancel, running := n.cancel, n.running
	n.mu.Unlock()

	if cancel != nil {
		cancel()
		<-running
	}
	return n.release()
}

// release gives back what New took, in reverse.
func (n *Node) release() error {
	var errs []error
	if n.rpcListener != nil {
		_ = n.rpcListener.Close()
	}
	if n.zmq != nil {
		n.zmq.close()
	}
	if n.engine != nil {
		errs = append(errs, n.engine.close())
	}
	if n.rpc != nil {
		_ = os.Remove(n.cookieFile)
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	return errors.Join(errs...)
}

// RPCAddr returns the host:port on which JSON-RPC listens.
func (n *Node) RPCAddr() string { return n.rpcListener.Addr().String() }

// ZMQAddr returns the host:port on which ZMQ publishes, "" when it is off.
func (n *Node) ZMQAddr() string {
	if n.zmq == nil {
		return ""
	}
	return n.zmq.listener.Addr().String()
}

// CookieFile returns the path of the cookie file, which holds user:password
// in one line. It is written by New, anew each time, and removed by Close.
func (n *Node) CookieFile() string { return n.cookieFile }

// GenesisHash returns the hash of the chain's first block.
func (n *Node) GenesisHash() bitcoin.Hash { return bitcoin.Hash(*n.engine.params.GenesisHash) }

// Params returns the chain's consensus parameters. Do not change them.
func (n *Node) Params() *chaincfg.Params { return n.engine.params }

// Difficulty returns the difficulty of the blocks that miners find.
func (n *Node) Difficulty() float64 { return difficultyOf(n.spec.Bits) }

// Tip returns the hash and height of the best chain's last block.
func (n *Node) Tip() (hash bitcoin.Hash, height int64) {
	best := n.engine.chain.BestSnapshot()
	return bitcoin.Hash(best.Hash), int64(best.Height)
}

// Status returns the node's read model.
func (n *Node) Status() *Status {
	best := n.engine.chain.BestSnapshot()
	s := &Status{
		At:         n.cfg.Now(),
		Height:     int64(best.Height),
		BestHash:   best.Hash.String(),
		MempoolTxs: n.engine.pool.Count(),
		Difficulty: n.Difficulty(),
		RPCCalls:   n.rpc.calls.Load(),
		RPCErrors:  n.rpc.errs.Load(),
		RPCRefused: make(map[string]uint64, numRefusals),
		TxSent:     n.traffic.sent.Load(),
		TxErrors:   n.traffic.failed.Load(),
	}
	// The estimate fails only while the tip is moving; none is better then.
	s.Hashrate, _ = n.engine.hashrate(hashrateBlocks, best.Height)
	for why := range numRefusals {
		s.RPCRefused[why.name()] = n.rpc.refused[why].Load()
	}
	if n.zmq != nil {
		s.ZMQDrops = n.zmq.drops.Load()
	}
	return s
}
