package devnet

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
)

func TestDemoChainStartsReady(t *testing.T) {
	cfg := easy(t)
	began := time.Now()
	n := start(t, cfg)
	t.Logf("new chain in %v", time.Since(began))

	if _, height := n.Tip(); height != premineBlocks {
		t.Fatalf("height %d, want %d", height, premineBlocks)
	}
	best := n.engine.chain.BestSnapshot()
	mature := 0
	for _, c := range n.engine.coins.list() {
		if c.isSpendable(best.Height, n.Params()) {
			mature++
		}
	}
	if mature < 110 {
		t.Errorf("%d mature coinbases, want 110 or more", mature)
	}

	// The next block has the difficulty that hashrate and interval ask for.
	g := getTemplate(t, n)
	want := demoBits(cfg.Hashrate, cfg.BlockInterval)
	if g.Bits != bitsHex(want) {
		t.Errorf("bits %s, want %s", g.Bits, bitsHex(want))
	}
	if hashes := expectedHashes(want); hashes < 4000 || hashes > 4200 {
		t.Errorf("%.0f hashes per block, want about 4096", hashes)
	}

	// And so has every one after it.
	mine(t, n, 15)
	if g := getTemplate(t, n); g.Bits != bitsHex(want) {
		t.Errorf("bits %s after 15 blocks, want %s", g.Bits, bitsHex(want))
	}
}

func TestPremineHasProofOfWork(t *testing.T) {
	n := open(t, easy(t))
	for height := int32(1); height <= premineBlocks; height++ {
		hash, err := n.engine.chain.BlockHashByHeight(height)
		if err != nil {
			t.Fatal(err)
		}
		header, err := n.engine.chain.HeaderByHash(hash)
		if err != nil {
			t.Fatal(err)
		}
		if blockchain.HashToBig(hash).Cmp(blockchain.CompactToBig(header.Bits)) > 0 {
			t.Fatalf("block %d has no proof of work", height)
		}
	}
}

func TestRegtestIsBitcoinCores(t *testing.T) {
	n := start(t, regtest(t))
	// Bitcoin Core, kernel/chainparams.cpp, CRegTestParams.
	const genesis = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
	if got := n.GenesisHash().String(); got != genesis {
		t.Errorf("genesis %s, want %s", got, genesis)
	}
	if got := call[string](t, n, "getblockhash", 0); got != genesis {
		t.Errorf("getblockhash 0 %s, want %s", got, genesis)
	}
	if g := getTemplate(t, n); g.Height != 1 || g.Bits != "207fffff" || g.CoinbaseValue != 50e8 {
		t.Errorf("first template: height %d bits %s value %d", g.Height, g.Bits, g.CoinbaseValue)
	}
	mine(t, n, 149)
	if g := getTemplate(t, n); g.Height != 150 || g.CoinbaseValue != 25e8 {
		t.Errorf("height %d pays %d, want 2500000000 at 150", g.Height, g.CoinbaseValue)
	}
}

func TestRestartKeepsChainAndDifficulty(t *testing.T) {
	cfg := easy(t)
	n := start(t, cfg)
	mine(t, n, 3)
	hash, height := n.Tip()
	genesis, difficulty := n.GenesisHash(), n.Difficulty()
	coins := len(n.engine.coins.list())
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if exists(n.CookieFile()) {
		t.Error("the cookie is still there")
	}
	if exists(filepath.Join(cfg.DataDir, journalName)) {
		t.Error("the journal is still there after an orderly end")
	}

	cfg.Hashrate *= 1000 // other flags do not change a chain
	again := start(t, cfg)
	if h, at := again.Tip(); h != hash || at != height {
		t.Errorf("tip %s at %d after restart, want %s at %d", h, at, hash, height)
	}
	if again.GenesisHash() != genesis || again.Difficulty() != difficulty {
		t.Error("genesis or difficulty changed")
	}
	if got := len(again.engine.coins.list()); got != coins {
		t.Errorf("%d wallet coins after restart, want %d", got, coins)
	}
	mine(t, again, 1)
}

// copyTree copies a data directory file by file, as it is on disk right now.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestCrashLosesNothing(t *testing.T) {
	cfg := easy(t)
	n := start(t, cfg)
	hashes := mine(t, n, 3)
	call[any](t, n, "invalidateblock", hashes[2])
	mine(t, n, 2)
	hash, height := n.Tip()

	// What a killed process leaves behind is what is on disk now.
	cfg.DataDir = copyTree(t, cfg.DataDir)
	again := start(t, cfg)
	if h, at := again.Tip(); h != hash || at != height {
		t.Fatalf("tip %s at %d after a crash, want %s at %d", h, at, hash, height)
	}
	if again.GenesisHash() != n.GenesisHash() {
		t.Fatal("another chain")
	}
	mine(t, again, 1)

	// And the same once more, from the recovered node.
	hash, height = again.Tip()
	cfg.DataDir = copyTree(t, cfg.DataDir)
	third := start(t, cfg)
	if h, at := third.Tip(); h != hash || at != height {
		t.Fatalf("tip %s at %d after two crashes, want %s at %d", h, at, hash, height)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Run("second process", func(t *testing.T) {
		cfg := easy(t)
		open(t, cfg)
		_, err := New(cfg, quiet())
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), cfg.DataDir) {
			t.Errorf("error %v, want ErrLocked naming the directory", err)
		}
	})
	t.Run("port in use", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		cfg := easy(t)
		cfg.RPCListen = l.Addr().String()
		if _, err := New(cfg, quiet()); !errors.Is(err, ErrPortInUse) || !strings.Contains(err.Error(), cfg.RPCListen) {
			t.Errorf("error %v, want ErrPortInUse naming %s", err, cfg.RPCListen)
		}
		cfg.RPCListen, cfg.ZMQListen = "127.0.0.1:0", l.Addr().String()
		if _, err := New(cfg, quiet()); !errors.Is(err, ErrPortInUse) || !strings.Contains(err.Error(), cfg.ZMQListen) {
			t.Errorf("error %v, want ErrPortInUse naming %s", err, cfg.ZMQListen)
		}
		// Nothing stays behind: the directory is free again.
		cfg.ZMQListen = ""
		open(t, cfg)
	})
	t.Run("bad configuration", func(t *testing.T) {
		_, err := New(Config{BlockInterval: -1, Hashrate: -1, TxRate: 1e9, Password: "x"}, quiet())
		if !errors.Is(err, ErrConfig) {
			t.Fatalf("error %v, want ErrConfig", err)
		}
		for _, word := range []string{"data directory", "interval", "hashrate", "transaction rate", "password"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("the error does not name the %s: %v", word, err)
			}
		}
	})
}

func TestDamageIsToldAndNotTouched(t *testing.T) {
	for name, damage := range map[string]func(dir string) (string, error){
		"spec": func(dir string) (string, error) {
			path := filepath.Join(dir, specName)
			return path, os.WriteFile(path, []byte("{"), 0o600)
		},
		"spec of another chain": func(dir string) (string, error) {
			path := filepath.Join(dir, specName)
			return path, os.WriteFile(path, []byte(`{"version":1,"bits":503382015,"created_at":1700000000,"premine":210}`), 0o600)
		},
		"spec gone": func(dir string) (string, error) {
			return filepath.Join(dir, keyName), os.Remove(filepath.Join(dir, specName))
		},
		"key": func(dir string) (string, error) {
			path := filepath.Join(dir, keyName)
			return path, os.WriteFile(path, []byte("no key"), 0o600)
		},
		"blocks cut off": func(dir string) (string, error) {
			path := filepath.Join(dir, dbName, "000000000.fdb")
			return path, os.Truncate(path, 1000)
		},
		"database pointer": func(dir string) (string, error) {
			path := filepath.Join(dir, dbName, "metadata", "CURRENT")
			return path, os.WriteFile(path, []byte("rubbish"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := easy(t)
			if err := open(t, cfg).Close(); err != nil {
				t.Fatal(err)
			}
			path, err := damage(cfg.DataDir)
			if err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}

			_, err = New(cfg, quiet())
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), cfg.DataDir) {
				t.Errorf("error %v, want ErrCorrupt naming the directory", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(before) != string(after) {
				t.Errorf("the damaged file was changed (%v)", err)
			}
		})
	}
}

func TestCatchUpAfterLongPause(t *testing.T) {
	cfg := easy(t)
	n := open(t, cfg)
	_, height := n.Tip()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	cfg.Now = func() time.Time { return time.Now().Add(2 * minDifficultyAfter) }
	again := open(t, cfg)
	if why := again.rpc.warmUp.Load(); why == nil {
		t.Fatal("the node would serve a template of minimum difficulty")
	}
	if _, reply := again.rpc.answer(t.Context(), []byte(`{"id":1,"method":"getblockcount"}`)); !strings.Contains(string(reply), `"code":-28`) {
		t.Errorf("reply while warming up: %s", reply)
	}
	ended := make(chan error, 1)
	go func() { ended <- again.Run(context.Background()) }()
	for again.rpc.warmUp.Load() != nil {
		select {
		case err := <-ended:
			t.Fatalf("Run: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if _, at := again.Tip(); at != height+1 {
		t.Errorf("height %d, want %d", at, height+1)
	}
	if g := getTemplate(t, again); g.Bits != bitsHex(again.spec.Bits) {
		t.Errorf("bits %s, want %s", g.Bits, bitsHex(again.spec.Bits))
	}
	_ = again.Close()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestRunEndsByContextAndByStop(t *testing.T) {
	n := open(t, easy(t))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	call[int](t, n, "getblockcount")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run after cancel: %v", err)
	}
	if err := n.Run(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("second Run: %v, want ErrClosed", err)
	}

	n = open(t, easy(t))
	go func() { ended <- n.Run(context.Background()) }()
	if got := call[string](t, n, "stop"); got != "Bitcoin Core stopping" {
		t.Errorf("stop says %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run after stop: %v", err)
	}
}
