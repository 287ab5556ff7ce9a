package devnet

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// keysOf returns the sorted field names of a JSON object.
func keysOf(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// The field names are those that Bitcoin Core 29 documents in the RPC help of
// each method.
func TestFieldNamesAreCores(t *testing.T) {
	n := start(t, easy(t))
	mine(t, n, 1)
	tip := call[string](t, n, "getbestblockhash")
	header := "hash confirmations height version versionHex merkleroot time mediantime nonce bits target difficulty chainwork nTx previousblockhash"
	for _, c := range []struct {
		method string
		params []any
		want   string
	}{
		{"getblocktemplate", []any{map[string]any{"rules": []string{"segwit"}}},
			"capabilities version rules vbavailable vbrequired previousblockhash transactions coinbaseaux coinbasevalue longpollid target mintime mutable noncerange sigoplimit sizelimit weightlimit curtime bits height default_witness_commitment"},
		{"getblockchaininfo", nil,
			"chain blocks headers bestblockhash bits target difficulty time mediantime verificationprogress initialblockdownload chainwork size_on_disk pruned warnings"},
		{"getmininginfo", nil,
			"blocks currentblockweight currentblocktx bits difficulty target networkhashps pooledtx blockmintxfee chain next warnings"},
		{"getnetworkinfo", nil,
			"version subversion protocolversion localservices localservicesnames localrelay timeoffset networkactive connections connections_in connections_out networks relayfee incrementalfee localaddresses warnings"},
		{"getmempoolinfo", nil,
			"loaded size bytes usage total_fee maxmempool mempoolminfee minrelaytxfee incrementalrelayfee unbroadcastcount fullrbf"},
		{"getblockheader", []any{tip}, header},
		{"getblock", []any{tip, 1}, header + " strippedsize size weight tx"},
		{"gettxout", []any{call[struct{ Tx []string }](t, n, "getblock", tip).Tx[0], 0},
			"bestblock confirmations value scriptPubKey coinbase"},
		{"validateaddress", []any{"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"},
			"isvalid address scriptPubKey isscript iswitness witness_version witness_program"},
		{"validateaddress", []any{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
			"isvalid error_locations error"},
	} {
		raw, rerr := callRaw(t, n, c.method, c.params...)
		if rerr != nil {
			t.Errorf("%s: %v", c.method, rerr)
			continue
		}
		want := strings.Fields(c.want)
		sort.Strings(want)
		if diff := cmp.Diff(want, keysOf(t, raw)); diff != "" {
			t.Errorf("%s (-Core +ours):\n%s", c.method, diff)
		}
	}
}

func TestGetBlockTemplateRules(t *testing.T) {
	n := start(t, easy(t))
	const text = `getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})`
	for _, params := range [][]any{{}, {map[string]any{}}, {map[string]any{"rules": []string{"signet"}}}, {nil}} {
		if _, rerr := callRaw(t, n, "getblocktemplate", params...); rerr == nil || rerr.Code != codeInvalidParameter || rerr.Message != text {
			t.Errorf("%v: %v, want %q (-8)", params, rerr, text)
		}
	}
	for _, c := range []struct {
		request map[string]any
		code    int
		want    string
	}{
		{map[string]any{"mode": "other"}, codeInvalidParameter, "Invalid mode"},
		{map[string]any{"mode": "proposal"}, codeType, "Missing data String key for proposal"},
		{map[string]any{"mode": "proposal", "data": "00"}, codeDeserialization, "Block decode failed"},
	} {
		if _, rerr := callRaw(t, n, "getblocktemplate", c.request); rerr == nil || rerr.Code != c.code || rerr.Message != c.want {
			t.Errorf("%v: %v, want %q (%d)", c.request, rerr, c.want, c.code)
		}
	}

	g := getTemplate(t, n)
	if diff := cmp.Diff([]string{"csv", "!segwit", "taproot"}, g.Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	// Like Core's regtest, the node votes for the dummy deployment, bit 28.
	if g.VBAvailable["testdummy"] != 28 || g.Version != 0x30000000 || g.VBRequired != 0 {
		t.Errorf("vbavailable %v, version %08x, vbrequired %d", g.VBAvailable, g.Version, g.VBRequired)
	}
	if now := time.Now().Unix(); g.CurTime < now-5 || g.CurTime > now+5 {
		t.Errorf("curtime %d, now is %d", g.CurTime, now)
	}
	if g.MinTime > g.CurTime {
		t.Errorf("mintime %d after curtime %d", g.MinTime, g.CurTime)
	}
	if !strings.HasPrefix(g.LongPollID, g.PreviousBlockHash) {
		t.Errorf("longpollid %s", g.LongPollID)
	}

	// A proposal of the tip itself, and of something not on it.
	good := blockOf(t, g)
	seal(t, good)
	propose := func() string {
		raw, rerr := callRaw(t, n, "getblocktemplate", map[string]any{"mode": "proposal", "data": hex.EncodeToString(blockBytes(good))})
		if rerr != nil {
			t.Fatal(rerr)
		}
		return string(raw)
	}
	if got := propose(); got != "null" {
		t.Errorf("proposal %s", got)
	}
	if v := submit(t, n, good); v != "" {
		t.Fatal(v)
	}
	if got := propose(); got != `"duplicate"` {
		t.Errorf("proposal of a known block: %s", got)
	}
	if _, rerr := callRaw(t, n, "submitblock", "zz"); rerr == nil || rerr.Code != codeDeserialization {
		t.Errorf("submitblock zz: %v", rerr)
	}
}

func TestChainMethods(t *testing.T) {
	n := start(t, easy(t))
	hashes := mine(t, n, 2)
	tip := hashes[1]
	if got := call[int](t, n, "getblockcount"); got != premineBlocks+2 {
		t.Errorf("getblockcount %d", got)
	}
	h := call[blockHeader](t, n, "getblockheader", hashes[0])
	if h.Confirmations != 2 || h.NextHash != tip || h.Height != premineBlocks+1 || h.NTx != 1 {
		t.Errorf("header %+v", h)
	}
	raw := call[string](t, n, "getblockheader", tip, false)
	block := call[string](t, n, "getblock", tip, 0)
	if len(raw) != 160 || !strings.HasPrefix(block, raw) {
		t.Errorf("header hex %s is not the beginning of the block %s", raw, block)
	}
	verbose := call[struct{ Tx []struct{ TxID, Hex string } }](t, n, "getblock", tip, 2)
	if !strings.HasSuffix(block, verbose.Tx[0].Hex) {
		t.Errorf("transaction hex is not in the block")
	}
	got := call[string](t, n, "getrawtransaction", verbose.Tx[0].TxID, false, tip)
	if got != verbose.Tx[0].Hex {
		t.Errorf("getrawtransaction %s, want %s", got, verbose.Tx[0].Hex)
	}

	// The total work is the sum over all blocks: 2 per block of the easiest
	// target, and about 4096 per other, the genesis included.
	info := call[chainInfo](t, n, "getblockchaininfo")
	var work int64
	if _, err := fmt.Sscanf(info.ChainWork, "%x", &work); err != nil {
		t.Fatal(err)
	}
	if want := int64(2*premineBlocks + 3*4096); work < want-10 || work > want+10 {
		t.Errorf("chainwork %d, want about %d", work, want)
	}
	if info.Chain != "regtest" || info.InitialBlockDownload || info.BestBlockHash != tip {
		t.Errorf("getblockchaininfo %+v", info)
	}

	const nowhere = "00000000000000000000000000000000000000000000000000000000000000aa"
	for _, c := range []struct {
		method string
		params []any
		code   int
		want   string
	}{
		{"getblock", []any{nowhere}, codeInvalidAddress, "Block not found"},
		{"getblockheader", []any{nowhere}, codeInvalidAddress, "Block not found"},
		{"invalidateblock", []any{nowhere}, codeInvalidAddress, "Block not found"},
		{"reconsiderblock", []any{nowhere}, codeInvalidAddress, "Block not found"},
		{"getblock", []any{"aa"}, codeInvalidParameter, "blockhash must be of length 64 (not 2, for 'aa')"},
		{"getblock", []any{"zz" + nowhere[2:]}, codeInvalidParameter, "blockhash must be hexadecimal string (not 'zz" + nowhere[2:] + "')"},
		{"getblockhash", []any{-1}, codeInvalidParameter, "Block height out of range"},
		{"invalidateblock", []any{n.GenesisHash().String()}, codeInvalidParameter, "The genesis block cannot be invalidated"},
		{"disconnectnode", []any{"127.0.0.1:1"}, codeNodeNotConnected, "Node not found in connected nodes"},
		{"getrawtransaction", []any{nowhere, true, tip}, codeInvalidAddress, "No such transaction found in the provided block. Use gettransaction for wallet transactions."},
	} {
		if _, rerr := callRaw(t, n, c.method, c.params...); rerr == nil || rerr.Code != c.code || rerr.Message != c.want {
			t.Errorf("%s%v: %v, want %q (%d)", c.method, c.params, rerr, c.want, c.code)
		}
	}

	if peers := call[[]any](t, n, "getpeerinfo"); peers == nil || len(peers) != 0 {
		t.Errorf("getpeerinfo %v, want []", peers)
	}
	if got := call[int](t, n, "getconnectioncount"); got != 0 {
		t.Errorf("getconnectioncount %d", got)
	}
	if rate := call[float64](t, n, "getnetworkhashps"); rate <= 0 {
		t.Errorf("getnetworkhashps %v", rate)
	}
	if s := n.Status(); s.Height != premineBlocks+2 || s.BestHash != tip || s.RPCCalls == 0 || s.RPCErrors == 0 || s.Hashrate <= 0 {
		t.Errorf("status %+v", s)
	}
}

// Addresses and programs are BIP173's and BIP350's examples, with regtest's
// prefix.
func TestValidateAddress(t *testing.T) {
	n := start(t, easy(t))
	for addr, script := range map[string]string{
		"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080":                       "0014751e76e8199196d454941c45d1b3a323f1433bd6",
		"BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080":                       "0014751e76e8199196d454941c45d1b3a323f1433bd6",
		"bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6":   "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
		"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn":                                 "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac",
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4":                         "",
		"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798": "",
		"": "",
	} {
		got := call[struct {
			IsValid      bool
			ScriptPubKey string
		}](t, n, "validateaddress", addr)
		if got.IsValid != (script != "") || got.ScriptPubKey != script {
			t.Errorf("%s: %+v, want script %q", addr, got, script)
		}
	}
}

func TestGenerateToAddress(t *testing.T) {
	n := start(t, regtest(t))
	const to = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	hashes := call[[]string](t, n, "generatetoaddress", 17, to)
	if len(hashes) != 17 || call[int](t, n, "getblockcount") != 17 {
		t.Errorf("%d blocks", len(hashes))
	}
	if _, rerr := callRaw(t, n, "generatetoaddress", 1, "nonsense"); rerr == nil || rerr.Code != codeInvalidAddress {
		t.Errorf("bad address: %v", rerr)
	}

	cfg := easy(t)
	cfg.Hashrate, cfg.BlockInterval = 1e9, time.Minute
	n = start(t, cfg)
	if _, rerr := callRaw(t, n, "generatetoaddress", 1, to); rerr == nil || rerr.Code != codeMisc || !strings.Contains(rerr.Message, "let a miner find it") {
		t.Errorf("hopeless difficulty: %v", rerr)
	}
}

func TestAmount(t *testing.T) {
	for v, want := range map[amount]string{0: "0.00000000", 1: "0.00000001", 50e8: "50.00000000", -150000000: "-1.50000000"} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%d: %s (%v), want %s", int64(v), got, err, want)
		}
	}
}
