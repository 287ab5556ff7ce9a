package conformance

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// fakeNode speaks the RPC of Bitcoin Core for networks that cannot be had on a
// test machine: mainnet's difficulty, a signet, testnet4's rules, any height.
// Its chain is a few headers that nobody mined; what is submitted on top is
// judged by btcd's consensus code.
type fakeNode struct {
	params    *chaincfg.Params
	bits      uint32 // of ordinary blocks
	challenge string // of a signet, in hex
	txs       []*btcutil.Tx
	address   string // host:port, the same after a stop and a start

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change of the tip
	tip     *header
	known   map[chainhash.Hash]*header
	ibd     bool
	peers   int
	refused []string // verdicts on submitted blocks that were not accepted
	server  *http.Server
}

// Names and numbers of Core's RPC.
var chainNames = map[string]string{"mainnet": "main", "testnet4": "testnet4", "signet": "signet", "regtest": "regtest"}

const (
	rpcNotConnected = -9
	rpcSyncing      = -10
	rpcNotFound     = -5
	rpcNoMethod     = -32601
	rpcBadParameter = -8
)

// newFakeNode makes a node whose tip has a height and an age; it listens
// after start.
func newFakeNode(params *chaincfg.Params, tipHeight int32, bits uint32, age time.Duration) *fakeNode {
	f := &fakeNode{params: params, bits: bits, peers: 8, changed: make(chan struct{}), known: make(map[chainhash.Hash]*header)}
	f.foundLocked(tipHeight, time.Now().Add(-age).Unix())
	return f
}

// foundLocked makes the chain anew, as blocks every ten minutes up to a tip.
func (f *fakeNode) foundLocked(tipHeight int32, at int64) {
	const back = 12 // enough for the median of eleven times
	f.tip = nil
	for i := int32(back); i >= 0; i-- {
		height := tipHeight - i
		if height < 0 {
			continue
		}
		h := &header{height: height, bits: f.bits, time: at - int64(i)*600, parent: f.tip}
		h.hash = chainhash.HashH(fmt.Appendf(nil, "%s %d", f.params.Name, height))
		if height == 0 {
			h.hash = *f.params.GenesisHash
		}
		f.tip, f.known[h.hash] = h, h
	}
}

// adoptLocked takes over another node's chain.
func (f *fakeNode) adoptLocked(tip *header) {
	f.tip = tip
	for h := tip; h != nil; h = h.parent {
		f.known[h.hash] = h
	}
}

// jump makes the node's chain one of another height.
func (f *fakeNode) jump(tipHeight int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.foundLocked(tipHeight, time.Now().Add(-time.Minute).Unix())
	close(f.changed)
	f.changed = make(chan struct{})
}

// start makes the node listen, at the address that it had before.
func (f *fakeNode) start(t testing.TB) *fakeNode {
	t.Helper()
	address := f.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	f.address = l.Addr().String()
	f.server = &http.Server{Handler: f}
	go func() { _ = f.server.Serve(l) }() // ends with an error when the server is closed
	t.Cleanup(f.stop)
	return f
}

// stop makes the node be gone: connections are refused, open ones cut.
func (f *fakeNode) stop() { _ = f.server.Close() }

func (f *fakeNode) with(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeNode) section() string {
	return fmt.Sprintf("[[node]]\nurl = %q\nuser = \"u\"\npassword = \"p\"\n", "http://"+f.address)
}

// newBlock appends a block that somebody else found, ten seconds ago at most.
func (f *fakeNode) newBlock(t testing.TB) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &header{height: f.tip.height + 1, bits: f.bits, time: max(f.tip.time+1, time.Now().Unix()-10), parent: f.tip}
	h.hash = chainhash.HashH(append(f.tip.hash[:], byte(h.height)))
	f.extendLocked(h)
	return h.hash.String()
}

func (f *fakeNode) extendLocked(h *header) {
	f.tip, f.known[h.hash] = h, h
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeNode) inChain(t testing.TB, hash string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := f.tip; h != nil; h = h.parent {
		if h.hash.String() == hash {
			return true
		}
	}
	return false
}

// verdicts are why blocks were refused.
func (f *fakeNode) verdicts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.refused)
}

// rpcError is a JSON-RPC error of Core.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// ServeHTTP answers a JSON-RPC call.
func (f *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		ID     json.RawMessage   `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	result, failure := f.answer(r.Context(), call.Method, call.Params)
	w.Header().Set("Content-Type", "application/json")
	if failure != nil {
		w.WriteHeader(http.StatusInternalServerError)
		result = nil
	}
	answer := map[string]any{"result": result, "error": nil, "id": call.ID}
	if failure != nil {
		answer["error"] = failure
	}
	_ = json.NewEncoder(w).Encode(answer) // a caller that is gone needs no answer
}

func (f *fakeNode) answer(ctx context.Context, method string, params []json.RawMessage) (any, *rpcError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var first string
	if len(params) > 0 {
		_ = json.Unmarshal(params[0], &first) // stays empty when it is no text
	}
	switch method {
	case "getblockchaininfo":
		return map[string]any{"chain": chainNames[f.params.Name], "blocks": f.tip.height, "headers": f.tip.height,
			"bestblockhash": f.tip.hash.String(), "initialblockdownload": f.ibd, "verificationprogress": 1}, nil
	case "getnetworkinfo":
		return map[string]any{"version": 290100, "subversion": "/Satoshi:29.1.0/", "connections": f.peers, "connections_out": f.peers}, nil
	case "getpeerinfo":
		return []any{}, nil
	case "getbestblockhash":
		return f.tip.hash.String(), nil
	case "getblockcount":
		return f.tip.height, nil
	case "getblockhash":
		height, err := strconv.Atoi(string(slices.Concat(params...)))
		if err == nil && height == 0 {
			return f.params.GenesisHash.String(), nil
		}
		for h := f.tip; h != nil; h = h.parent {
			if h.height == int32(height) {
				return h.hash.String(), nil
			}
		}
		return nil, &rpcError{rpcBadParameter, "Block height out of range"}
	case "getblockheader":
		return f.headerLocked(first)
	case "getblocktemplate":
		return f.templateLocked(ctx, params)
	case "submitblock":
		return f.submitLocked(first)
	}
	return nil, &rpcError{rpcNoMethod, "Method not found"}
}

func (f *fakeNode) headerLocked(text string) (any, *rpcError) {
	hash, err := chainhash.NewHashFromStr(text)
	if err != nil || f.known[*hash] == nil {
		return nil, &rpcError{rpcNotFound, "Block not found"}
	}
	h := f.known[*hash]
	confirmations := -1
	for at := f.tip; at != nil; at = at.parent {
		if at == h {
			confirmations = int(f.tip.height - h.height + 1)
		}
	}
	result := map[string]any{"hash": text, "confirmations": confirmations, "height": h.height, "time": h.time, "bits": fmt.Sprintf("%08x", h.bits)}
	if h.parent != nil {
		result["previousblockhash"] = h.parent.hash.String()
	}
	return result, nil
}

// templateLocked is getblocktemplate. It lets go of the lock while it waits.
func (f *fakeNode) templateLocked(ctx context.Context, params []json.RawMessage) (any, *rpcError) {
	var request struct {
		Rules      []string `json:"rules"`
		LongPollID string   `json:"longpollid"`
		Mode       string   `json:"mode"`
		Data       string   `json:"data"`
	}
	if len(params) > 0 {
		_ = json.Unmarshal(params[0], &request) // no rules, then, and an error
	}
	rules := []string{"csv", "!segwit", "taproot"}
	if f.challenge != "" {
		rules = append(rules, "!signet")
	}
	for _, rule := range rules {
		if name, must := bytes.CutPrefix([]byte(rule), []byte("!")); must && !slices.Contains(request.Rules, string(name)) {
			return nil, &rpcError{rpcBadParameter, "getblocktemplate must be called with the " + string(name) + " rule set"}
		}
	}
	if request.Mode == "proposal" {
		return f.proposalLocked(request.Data)
	}
	if f.params.Name == "mainnet" && f.peers == 0 {
		return nil, &rpcError{rpcNotConnected, "Bitcoin Core is not connected!"}
	}
	if f.params.Name == "mainnet" && f.ibd {
		return nil, &rpcError{rpcSyncing, "Bitcoin Core is in initial sync and waiting for blocks..."}
	}
	for request.LongPollID == f.tip.hash.String()+"0" {
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		f.mu.Lock()
		if ctx.Err() != nil {
			return nil, &rpcError{rpcNotConnected, "Shutting down"}
		}
	}

	median := blockchain.CalcPastMedianTime(f.tip).Unix()
	now := max(time.Now().Unix(), median+1)
	bits := f.bitsAtLocked(now)
	transactions := []map[string]any{}
	var fees int64
	for _, tx := range f.txs {
		var data bytes.Buffer
		_ = tx.MsgTx().Serialize(&data) // into memory: never fails
		fees += fakeFee
		transactions = append(transactions, map[string]any{"data": hex.EncodeToString(data.Bytes()), "txid": tx.Hash().String(),
			"hash": tx.WitnessHash().String(), "depends": []int{}, "fee": fakeFee, "sigops": 4, "weight": blockchain.GetTransactionWeight(tx)})
	}
	t := map[string]any{
		"capabilities": []string{"proposal"}, "version": 0x20000000, "rules": rules, "vbavailable": map[string]int{}, "vbrequired": 0,
		"previousblockhash": f.tip.hash.String(), "transactions": transactions, "coinbaseaux": map[string]string{},
		"coinbasevalue": blockchain.CalcBlockSubsidy(f.tip.height+1, f.params) + fees, "longpollid": f.tip.hash.String() + "0",
		"target": fmt.Sprintf("%064x", blockchain.CompactToBig(bits)), "mintime": median + 1, "mutable": []string{"time", "transactions", "prevblock"},
		"noncerange": "00000000ffffffff", "sigoplimit": 80000, "sizelimit": 4000000, "weightlimit": 4000000,
		"curtime": now, "bits": fmt.Sprintf("%08x", bits), "height": f.tip.height + 1,
		"default_witness_commitment": hex.EncodeToString(f.commitment()),
	}
	if f.challenge != "" {
		t["signet_challenge"] = f.challenge
	}
	return t, nil
}

func (f *fakeNode) proposalLocked(data string) (any, *rpcError) {
	block, err := readBlock(data)
	if err != nil {
		return nil, &rpcError{-22, "Block decode failed"}
	}
	if err := f.judgeLocked(block, false); err != nil {
		return err.Error(), nil
	}
	return nil, nil
}

func (f *fakeNode) submitLocked(data string) (any, *rpcError) {
	block, err := readBlock(data)
	if err != nil {
		f.refused = append(f.refused, err.Error())
		return nil, &rpcError{-22, "Block decode failed"}
	}
	if f.known[*block.Hash()] != nil {
		return "duplicate", nil
	}
	if err := f.judgeLocked(block, true); err != nil {
		f.refused = append(f.refused, err.Error())
		return err.Error(), nil
	}
	m := block.MsgBlock().Header
	f.extendLocked(&header{hash: *block.Hash(), height: f.tip.height + 1, bits: m.Bits, time: m.Timestamp.Unix(), parent: f.tip})
	return nil, nil
}

// Mainnet as of 2025: no test finds a block there, but difficulties and sizes
// are those that miners meet.
const (
	mainnetHeight       = 900_000
	mainnetBits         = 0x1702905c
	mainnetTransactions = 2_100 // twelve merkle branches
)

// onMainnet is a place with mainnet's height, difficulty and sizes.
func onMainnet(t testing.TB, s settings) *place {
	t.Helper()
	f := newFakeNode(&chaincfg.MainNetParams, mainnetHeight, mainnetBits, time.Minute)
	f.txs = fakeTransactions(mainnetTransactions)
	return newPlace(t, &chaincfg.MainNetParams, s, f.start(t))
}
