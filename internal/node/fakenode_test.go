package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// fakeNode is a scripted Bitcoin Core. It serves HTTP, and, as the transport
// of a client, works in memory under testing/synctest.
type fakeNode struct {
	mu        sync.Mutex
	changed   chan struct{} // closed and replaced with each block
	network   bitcoin.Network
	blocks    []fakeHeader // the best chain, [0] is the genesis block
	txs       []*wire.MsgTx
	calls     []fakeCall
	script    map[string]func(fakeCall) fakeAnswer // by method; "" is for all
	template  func(map[string]any)                 // last touch on a template
	delay     map[string]time.Duration
	auth      string // "user:password" that is demanded; empty: none
	dead      bool   // connection refused
	ibd       bool
	hangs     int  // how many of the next calls for a template hang, long polls aside
	forgetful bool // long polls get no answer at a new block
}

type fakeHeader struct {
	hash     bitcoin.Hash
	previous bitcoin.Hash
	time     int64
}

type fakeCall struct {
	at     time.Time
	method string
	params []json.RawMessage
}

// fakeAnswer is what a call gets: a result, a JSON-RPC error, or raw HTTP. A
// zero fakeAnswer means the ordinary behaviour.
type fakeAnswer struct {
	result any
	err    *RPCError
	status int
	header http.Header
	body   string
}

func (a *fakeAnswer) set() bool {
	return a.result != nil || a.err != nil || a.status != 0 || a.body != ""
}

func newFakeNode(network bitcoin.Network, height int) *fakeNode {
	f := &fakeNode{
		changed: make(chan struct{}),
		network: network,
		script:  make(map[string]func(fakeCall) fakeAnswer),
		delay:   make(map[string]time.Duration),
		blocks:  []fakeHeader{{hash: network.Genesis(), time: 1_600_000_000}},
	}
	for range height {
		f.mineLocked("")
	}
	return f
}

// mineLocked appends a block; the branch makes its hash another one.
func (f *fakeNode) mineLocked(branch string) bitcoin.Hash {
	last := f.blocks[len(f.blocks)-1]
	hash := bitcoin.Hash(sha256.Sum256(fmt.Appendf(nil, "%v %s", last.hash, branch)))
	f.blocks = append(f.blocks, fakeHeader{hash: hash, previous: last.hash, time: last.time + 600})
	return hash
}

// mine makes n blocks known at once and returns the last one's hash.
func (f *fakeNode) mine(n int) bitcoin.Hash {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range n {
		f.mineLocked("")
	}
	f.announceLocked()
	return f.tipLocked()
}

// reorganize drops blocks from the end and adds others, both at once.
func (f *fakeNode) reorganize(drop, add int) bitcoin.Hash {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blocks = slices.Clone(f.blocks[:len(f.blocks)-drop])
	for range add {
		f.mineLocked("other")
	}
	f.announceLocked()
	return f.tipLocked()
}

func (f *fakeNode) announceLocked() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeNode) tipLocked() bitcoin.Hash { return f.blocks[len(f.blocks)-1].hash }

func (f *fakeNode) tip() bitcoin.Hash { f.mu.Lock(); defer f.mu.Unlock(); return f.tipLocked() }

// with changes the node's script while it is in use.
func (f *fakeNode) with(change func(*fakeNode)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// on scripts the answer to a method; a nil function ends it.
func (f *fakeNode) on(method string, answer func(fakeCall) fakeAnswer) {
	f.with(func(f *fakeNode) {
		if answer == nil {
			delete(f.script, method)
			return
		}
		f.script[method] = answer
	})
}

func always(a fakeAnswer) func(fakeCall) fakeAnswer {
	return func(fakeCall) fakeAnswer { return a }
}

// count returns how many calls of a method came at or after a time; "" counts
// all.
func (f *fakeNode) count(method string, since time.Time) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if (method == "" || c.method == method) && !c.at.Before(since) {
			n++
		}
	}
	return n
}

func (f *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var request struct {
		ID     json.RawMessage   `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	call := fakeCall{at: time.Now(), method: request.Method, params: request.Params}

	f.mu.Lock()
	f.calls = append(f.calls, call)
	user, password, _ := r.BasicAuth()
	refused := f.auth != "" && f.auth != user+":"+password
	delay := f.delay[call.method]
	if f.hangs > 0 && call.method == "getblocktemplate" && !isLongPoll(call) {
		f.hangs--
		delay = time.Hour
	}
	script := f.script[call.method]
	if script == nil {
		script = f.script[""]
	}
	f.mu.Unlock()

	if refused {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if delay > 0 && !sleep(r.Context(), delay) {
		return
	}
	var a fakeAnswer
	if script != nil {
		a = script(call)
	}
	if !a.set() {
		a = f.answer(r.Context(), call)
	}

	for key, values := range a.header {
		w.Header()[key] = values
	}
	if a.body != "" || a.status != 0 && a.err == nil {
		w.WriteHeader(max(a.status, http.StatusOK))
		_, _ = io.WriteString(w, a.body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if a.err != nil {
		w.WriteHeader(max(a.status, http.StatusInternalServerError))
	}
	answer := map[string]any{"result": a.result, "error": nil, "id": request.ID}
	if a.err != nil {
		answer["result"], answer["error"] = nil, a.err
	}
	if a.result == nullResult {
		answer["result"] = nil
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// nullResult scripts a result of null.
const nullResult = "\x00null"

// answer is the ordinary behaviour.
func (f *fakeNode) answer(ctx context.Context, call fakeCall) fakeAnswer {
	f.mu.Lock()
	defer f.mu.Unlock()
	height := len(f.blocks) - 1
	switch call.method {
	case "getblockchaininfo":
		return fakeAnswer{result: map[string]any{
			"chain": f.network, "blocks": height, "headers": height, "bestblockhash": f.tipLocked().String(),
			"initialblockdownload": f.ibd, "verificationprogress": 0.5, "size_on_disk": 1234, "pruned": true,
		}}
	case "getblockhash":
		var at int
		_ = json.Unmarshal(call.params[0], &at)
		return fakeAnswer{result: f.blocks[at].hash.String()}
	case "getbestblockhash":
		return fakeAnswer{result: f.tipLocked().String()}
	case "getblockheader":
		return f.headerLocked(call)
	case "getnetworkinfo":
		return fakeAnswer{result: map[string]any{"version": 290100, "subversion": "/Satoshi:29.1.0/", "connections": 2, "connections_in": 1, "connections_out": 1}}
	case "getpeerinfo":
		return fakeAnswer{result: []map[string]any{
			{"addr": "203.0.113.9:8333", "pingtime": 0.25, "conntime": 200, "inbound": true},
			{"addr": "[2001:db8::1]:8333", "pingtime": 0.05, "conntime": 100},
		}}
	case "getblocktemplate":
		return f.templateLocked(ctx, call)
	case "submitblock":
		return fakeAnswer{result: nullResult}
	}
	return fakeAnswer{err: &RPCError{Code: codeMethodNotFound, Message: "Method not found"}, status: http.StatusNotFound}
}

func (f *fakeNode) headerLocked(call fakeCall) fakeAnswer {
	var text string
	_ = json.Unmarshal(call.params[0], &text)
	for i, h := range f.blocks {
		if h.hash.String() == text {
			result := map[string]any{"hash": text, "confirmations": len(f.blocks) - i, "height": i, "time": h.time, "bits": "207fffff"}
			if i > 0 {
				result["previousblockhash"] = h.previous.String()
			}
			return fakeAnswer{result: result}
		}
	}
	return fakeAnswer{err: &RPCError{Code: codeNotFound, Message: "Block not found"}}
}

func (f *fakeNode) templateLocked(ctx context.Context, call fakeCall) fakeAnswer {
	var request struct {
		Rules      []string `json:"rules"`
		LongPollID string   `json:"longpollid"`
		Mode       string   `json:"mode"`
		Data       string   `json:"data"`
	}
	_ = json.Unmarshal(call.params[0], &request)
	if !slices.Contains(request.Rules, "segwit") || f.network == bitcoin.Signet && !slices.Contains(request.Rules, "signet") {
		return fakeAnswer{err: &RPCError{Code: codeInvalidParam, Message: "getblocktemplate must be called with the segwit rule set"}}
	}
	if request.Mode == "proposal" {
		if request.Data == "" {
			return fakeAnswer{err: &RPCError{Code: -3, Message: "Missing data String key for proposal"}}
		}
		return fakeAnswer{result: nullResult}
	}
	for request.LongPollID != "" && request.LongPollID == f.longPollIDLocked() || f.forgetful && request.LongPollID != "" {
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		f.mu.Lock()
		if ctx.Err() != nil {
			return fakeAnswer{body: "{}"}
		}
	}
	t := templateOf(f.network, int64(len(f.blocks)), f.tipLocked(), f.txs)
	t["longpollid"] = f.longPollIDLocked()
	if f.template != nil {
		f.template(t)
	}
	return fakeAnswer{result: t}
}

func (f *fakeNode) longPollIDLocked() string {
	return fmt.Sprintf("%v%d", f.tipLocked(), len(f.txs))
}

// templateOf makes the result of getblocktemplate as Bitcoin Core does. Ids,
// weights and the commitment come from btcd's wire package and from the plain
// merkle code of this file.
func templateOf(network bitcoin.Network, height int64, previous bitcoin.Hash, txs []*wire.MsgTx) map[string]any {
	rules := []string{"csv", "!segwit", "taproot"}
	list := make([]map[string]any, 0, len(txs))
	wtxids := [][32]byte{{}}
	fees := int64(0)
	for i, tx := range txs {
		var data bytes.Buffer
		_ = tx.Serialize(&data)
		fee := int64(1000 + i)
		fees += fee
		list = append(list, map[string]any{
			"data": hex.EncodeToString(data.Bytes()), "txid": tx.TxHash().String(), "hash": tx.WitnessHash().String(),
			"depends": []int{}, "fee": fee, "sigops": 4, "weight": 3*tx.SerializeSizeStripped() + tx.SerializeSize(),
		})
		wtxids = append(wtxids, tx.WitnessHash())
	}
	t := map[string]any{
		"capabilities": []string{"proposal"}, "version": 0x20000000, "rules": rules,
		"vbavailable": map[string]int{"testdummy": 28}, "vbrequired": 0,
		"previousblockhash": previous.String(), "transactions": list, "coinbaseaux": map[string]string{},
		"coinbasevalue": 50_0000_0000 + fees, "target": "7fffff0000000000000000000000000000000000000000000000000000000000",
		"mintime": 1_700_000_000, "mutable": []string{"time", "transactions", "prevblock"}, "noncerange": "00000000ffffffff",
		"sigoplimit": 80000, "sizelimit": 4000000, "weightlimit": 4000000, "curtime": 1_700_000_600, "bits": "207fffff",
		"height": height, "default_witness_commitment": hex.EncodeToString(plainCommitment(wtxids)),
	}
	if network == bitcoin.Signet {
		t["rules"] = append(rules, "!signet")
		t["signet_challenge"] = "51"
	}
	return t
}

// plainCommitment is BIP141's commitment, level by level.
func plainCommitment(level [][32]byte) []byte {
	for len(level) > 1 {
		var next [][32]byte
		for i := 0; i < len(level); i += 2 {
			right := level[min(i+1, len(level)-1)]
			next = append(next, chainhash.DoubleHashH(append(level[i][:], right[:]...)))
		}
		level = next
	}
	commitment := chainhash.DoubleHashB(append(level[0][:], make([]byte, 32)...))
	return append([]byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, commitment...)
}

// makeTxs makes different transactions; every third one has no witness.
func makeTxs(n, extra int) []*wire.MsgTx {
	txs := make([]*wire.MsgTx, 0, n)
	for i := range n {
		tx := wire.NewMsgTx(2)
		var seed [8]byte
		binary.LittleEndian.PutUint64(seed[:], uint64(i)<<20|uint64(extra))
		outpoint := wire.OutPoint{Hash: sha256.Sum256(seed[:]), Index: uint32(i % 3)}
		in := wire.NewTxIn(&outpoint, nil, nil)
		if i%3 == 2 {
			in.SignatureScript = bytes.Repeat([]byte{byte(i)}, 107)
		} else {
			in.Witness = wire.TxWitness{bytes.Repeat([]byte{byte(i)}, 71), bytes.Repeat([]byte{2}, 33)}
		}
		tx.AddTxIn(in)
		for j := range 1 + i%4 {
			tx.AddTxOut(wire.NewTxOut(int64(1000*j), bytes.Repeat([]byte{byte(j)}, 22+extra)))
		}
		txs = append(txs, tx)
	}
	return txs
}

// RoundTrip serves a request in memory.
func (f *fakeNode) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	dead := f.dead
	f.mu.Unlock()
	if dead {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errRefused}
	}
	done := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, req)
		done <- w.Result()
	}()
	select {
	case resp := <-done:
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.dead {
			return nil, io.EOF
		}
		return resp, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// discard is a logger for tests.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// start runs a client of the fakes until the test ends. Names are a, b, c…
func start(t *testing.T, cfg Config, fakes ...*fakeNode) *Nodes {
	t.Helper()
	n := newTestNodes(t, cfg, fakes...)
	run(t, n)
	return n
}

func newTestNodes(t *testing.T, cfg Config, fakes ...*fakeNode) *Nodes {
	t.Helper()
	transports := make(map[string]http.RoundTripper)
	for i, f := range fakes {
		name := string(rune('a' + i))
		transports[name] = f
		if i >= len(cfg.Nodes) {
			cfg.Nodes = append(cfg.Nodes, NodeConfig{})
		}
		cfg.Nodes[i].Name = name
		cfg.Nodes[i].URL = "http://" + name + ".example:8332"
	}
	n, err := newNodes(cfg, discard(), deps{
		transport: func(nc NodeConfig) http.RoundTripper { return transports[nc.Name] },
		dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errRefused}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs n until the test ends, and checks that Run returns.
func run(t *testing.T, n *Nodes) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// next returns the next template, and fails when there is none within limit.
func next(t *testing.T, n *Nodes, limit time.Duration) *Template {
	t.Helper()
	select {
	case tmpl := <-n.Templates():
		return tmpl
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case tmpl := <-n.Templates():
		return tmpl
	case <-timer.C:
		t.Fatalf("no template within %v; status %+v", limit, n.Status().Nodes)
		return nil
	}
}

// nextFrom returns the next template of a node.
func nextFrom(t *testing.T, n *Nodes, name string, limit time.Duration) *Template {
	t.Helper()
	for end := time.Now().Add(limit); ; {
		if tmpl := next(t, n, time.Until(end)); tmpl.Node == name {
			return tmpl
		}
	}
}

// none fails when a template arrives within limit.
func none(t *testing.T, n *Nodes, limit time.Duration) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case tmpl := <-n.Templates():
		t.Fatalf("unexpected template: height %d from %s", tmpl.Height, tmpl.Node)
	case <-timer.C:
	}
}
