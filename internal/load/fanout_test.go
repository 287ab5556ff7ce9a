package load

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// regtestNode answers the three calls of a fan-out, and checks blocks with
// btcd's code.
type regtestNode struct {
	t      *testing.T
	pool   *testPool
	chain  string
	refuse string
	height int64
	prev   chainhash.Hash
	blocks []chainhash.Hash
}

func (n *regtestNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != "lab" || password != "secret" {
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	var call struct {
		Method string
		Params []json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		n.t.Error(err)
	}
	result := "null"
	switch call.Method {
	case "getblockchaininfo":
		result = fmt.Sprintf(`{"chain":%q}`, n.chain)
	case "getblocktemplate":
		result = fmt.Sprintf(`{"version":536870912,"previousblockhash":%q,"coinbasevalue":5000000700,"transactions":[{"fee":300},{"fee":400}],"height":%d,"curtime":1700000000,"bits":"207fffff"}`, n.prev, n.height)
	case "submitblock":
		if n.refuse != "" {
			result = fmt.Sprintf("%q", n.refuse)
		} else {
			n.connect(call.Params[0])
		}
	default:
		n.t.Errorf("unexpected %s", call.Method)
	}
	_, _ = fmt.Fprintf(w, `{"result":%s,"error":null,"id":"load"}`, result)
}

func (n *regtestNode) connect(text json.RawMessage) {
	var digits string
	_ = json.Unmarshal(text, &digits)
	raw, err := hex.DecodeString(digits)
	if err != nil {
		n.t.Error(err)
		return
	}
	var b wire.MsgBlock
	if err := b.Deserialize(strings.NewReader(string(raw))); err != nil {
		n.t.Error(err)
		return
	}
	hash := b.BlockHash()
	if len(b.Transactions) != 1 || b.Transactions[0].TxHash() != b.Header.MerkleRoot || b.Header.PrevBlock != n.prev {
		n.t.Errorf("%+v", b)
	}
	if got := b.Transactions[0].TxOut[0].Value; got != 5000000000 {
		n.t.Errorf("the coinbase claims %d, fees of others' transactions included", got)
	}
	if hash[31] > 0x7f {
		n.t.Errorf("no proof of work: %s", hash)
	}
	n.prev = hash
	n.height++
	n.blocks = append(n.blocks, hash)
	tip := hex.EncodeToString(swapWords(hash[:]))
	n.pool.broadcast(strings.Replace(notify("j2", "02"), strings.Repeat("02", 32), tip, 1))
}

// swapWords writes a block hash as mining.notify does.
func swapWords(hash []byte) []byte {
	swapped := make([]byte, len(hash))
	for i := range hash {
		swapped[i] = hash[i&^3|3-i&3]
	}
	return swapped
}

func TestBlocksOfOurOwn(t *testing.T) {
	p := &testPool{}
	cfg := quick(startPool(t, p))
	n := &regtestNode{t: t, pool: p, chain: "regtest", height: 300}
	s := httptest.NewServer(n)
	defer s.Close()
	cookie := filepath.Join(t.TempDir(), ".cookie")
	if err := os.WriteFile(cookie, []byte("lab:secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Shares, cfg.Blocks, cfg.BlockGap, cfg.Node, cfg.NodeCookie = 0, 3, 1, s.URL, cookie
	r, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := r.Fanout
	if f == nil || f.Tips != 3 || f.Incomplete != 0 || len(n.blocks) != 3 {
		t.Fatalf("%+v, %d blocks", f, len(n.blocks))
	}
	for k, e := range f.Each {
		if e.Hash != n.blocks[k].String() || e.Reached != 10 {
			t.Errorf("%+v, want block %s", e, n.blocks[k])
		}
		if e.BlockToFirst <= 0 || e.BlockToLast < e.BlockToFirst || e.BlockToLast-e.BlockToFirst-e.Last > 1e-6 || e.Submit <= 0 {
			t.Errorf("%+v", e)
		}
	}
	if f.BlockToLast < f.BlockToFirst || f.BlockToFirst <= 0 {
		t.Errorf("%+v", f)
	}
}

func TestBlocksThatCannotBeMined(t *testing.T) {
	p := &testPool{}
	cfg := quick(startPool(t, p))
	n := &regtestNode{t: t, pool: p, chain: "regtest", height: 300}
	s := httptest.NewServer(n)
	defer s.Close()
	cfg.Shares, cfg.Blocks, cfg.BlockGap = 0, 1, 1

	for _, c := range []struct {
		node, chain, refuse, want string
	}{
		{"", "regtest", "", "address of a node"},
		{"127.0.0.1:18443", "regtest", "", "http://"},
		{strings.Replace(s.URL, "//", "//lab:wrong@", 1), "regtest", "", "401"},
		{strings.Replace(s.URL, "//", "//lab:secret@", 1), "main", "", "regtest networks only"},
		{strings.Replace(s.URL, "//", "//lab:secret@", 1), "regtest", "bad-cb-amount", "bad-cb-amount"},
	} {
		cfg.Node, n.chain, n.refuse = c.node, c.chain, c.refuse
		_, err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q on %s: %v", c.node, c.chain, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %v", err)
		}
	}
}
