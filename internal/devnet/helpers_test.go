package devnet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// easy is a configuration whose blocks take about 4096 hashes each.
func easy(t testing.TB) Config {
	return Config{
		DataDir:       t.TempDir(),
		RPCListen:     "127.0.0.1:0",
		BlockInterval: time.Second,
		Hashrate:      4096,
	}
}

// regtest is a configuration of the classic network.
func regtest(t testing.TB) Config {
	c := easy(t)
	c.Regtest = true
	return c
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// open makes a node that is not running.
func open(t testing.TB, cfg Config) *Node {
	t.Helper()
	n, err := New(cfg, quiet())
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return n
}

// start makes a node and runs it.
func start(t testing.TB, cfg Config) *Node {
	t.Helper()
	n := open(t, cfg)
	ended := make(chan error, 1)
	go func() { ended <- n.Run(context.Background()) }()
	t.Cleanup(func() {
		_ = n.Close()
		if err := <-ended; err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("Run: %v", err)
		}
	})
	return n
}

// post sends a raw body with the node's cookie.
func post(t testing.TB, n *Node, body string) (status int, reply string) {
	t.Helper()
	cookie, err := os.ReadFile(n.CookieFile())
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(cookie), ":")
	return postAs(t, n, user, password, body)
}

func postAs(t testing.TB, n *Node, user, password, body string) (status int, reply string) {
	t.Helper()
	q, err := http.NewRequest(http.MethodPost, "http://"+n.RPCAddr()+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		q.SetBasicAuth(user, password)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, strings.TrimSpace(string(text))
}

// callRaw calls a method and returns its result or its error.
func callRaw(t testing.TB, n *Node, method string, params ...any) (json.RawMessage, *rpcError) {
	t.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 7, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	_, reply := post(t, n, string(body))
	var r struct {
		Result json.RawMessage
		Error  *rpcError
		ID     int
	}
	if err := json.Unmarshal([]byte(reply), &r); err != nil || r.ID != 7 {
		t.Fatalf("%s: reply %q: %v", method, reply, err)
	}
	return r.Result, r.Error
}

// call calls a method that must succeed.
func call[T any](t testing.TB, n *Node, method string, params ...any) T {
	t.Helper()
	raw, rerr := callRaw(t, n, method, params...)
	if rerr != nil {
		t.Fatalf("%s%v: %v", method, params, rerr)
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: result %s: %v", method, raw, err)
	}
	return v
}

// gbt is getblocktemplate's answer as an independent reader sees it.
type gbt struct {
	Version           int32
	Rules             []string
	VBAvailable       map[string]int
	VBRequired        int
	PreviousBlockHash string
	Transactions      []struct {
		Data, TxID, Hash    string
		Depends             []int
		Fee, SigOps, Weight int64
	}
	CoinbaseValue     int64
	LongPollID        string
	Target, Bits      string
	MinTime, CurTime  int64
	Height            int64
	WitnessCommitment string `json:"default_witness_commitment"`
}

func getTemplate(t testing.TB, n *Node) gbt {
	t.Helper()
	return call[gbt](t, n, "getblocktemplate", map[string]any{"rules": []string{"segwit"}})
}

// anyone is a script that anybody can spend: the miner of these tests.
var anyone = []byte{0x51}

// blockOf builds a block from a template as a pool does: own coinbase, own
// merkle root. It is not solved yet.
func blockOf(t testing.TB, g gbt) *wire.MsgBlock {
	t.Helper()
	commitment, err := hex.DecodeString(g.WitnessCommitment)
	if err != nil {
		t.Fatal(err)
	}
	coinbase, err := newCoinbase(int32(g.Height), btcutil.Amount(g.CoinbaseValue), anyone, commitment)
	if err != nil {
		t.Fatal(err)
	}
	// Like an extranonce: no two blocks of a test are the same.
	coinbase.TxIn[0].SignatureScript = append(coinbase.TxIn[0].SignatureScript, 8)
	coinbase.TxIn[0].SignatureScript = binary.LittleEndian.AppendUint64(coinbase.TxIn[0].SignatureScript, rand.Uint64())
	prev, err := chainhash.NewHashFromStr(g.PreviousBlockHash)
	if err != nil {
		t.Fatal(err)
	}
	var bits uint32
	if _, err := fmt.Sscanf(g.Bits, "%x", &bits); err != nil {
		t.Fatal(err)
	}
	b := wire.NewMsgBlock(&wire.BlockHeader{Version: g.Version, PrevBlock: *prev, Timestamp: time.Unix(g.CurTime, 0), Bits: bits})
	if err := b.AddTransaction(coinbase); err != nil {
		t.Fatal(err)
	}
	for _, tx := range g.Transactions {
		raw, err := hex.DecodeString(tx.Data)
		if err != nil {
			t.Fatal(err)
		}
		var msg wire.MsgTx
		if err := msg.Deserialize(bytes.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		if err := b.AddTransaction(&msg); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// seal sets the merkle root and finds a nonce.
func seal(t testing.TB, b *wire.MsgBlock) *wire.MsgBlock {
	t.Helper()
	b.Header.MerkleRoot = blockchain.CalcMerkleRoot(btcutil.NewBlock(b).Transactions(), false)
	if _, err := solve(context.Background(), &b.Header, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// commit recomputes the witness commitment of a block whose transactions
// were changed.
func commit(t testing.TB, b *wire.MsgBlock) {
	t.Helper()
	var txs []templateTx
	for _, tx := range b.Transactions[1:] {
		txs = append(txs, templateTx{tx: btcutil.NewTx(tx)})
	}
	outs := b.Transactions[0].TxOut
	outs[len(outs)-1].PkScript = witnessCommitment(txs)
}

// submit offers a block over RPC and returns the verdict, "" for null.
func submit(t testing.TB, n *Node, b *wire.MsgBlock) string {
	t.Helper()
	raw, rerr := callRaw(t, n, "submitblock", hex.EncodeToString(blockBytes(b)))
	if rerr != nil {
		t.Fatalf("submitblock: %v", rerr)
	}
	if string(raw) == "null" {
		return ""
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// mine mines count blocks through getblocktemplate and submitblock.
func mine(t testing.TB, n *Node, count int) (hashes []string) {
	t.Helper()
	for range count {
		b := seal(t, blockOf(t, getTemplate(t, n)))
		if v := submit(t, n, b); v != "" {
			t.Fatalf("submitblock: %s", v)
		}
		hashes = append(hashes, b.BlockHash().String())
	}
	return hashes
}
