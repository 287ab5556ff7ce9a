package node

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// body is an answer as Bitcoin Core sends it.
func body(t testing.TB, result any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"result": result, "error": nil, "id": 1})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var someHash = bitcoin.DoubleSHA256([]byte("some block"))

func decode(t testing.TB, result any, known txSet) *rawTemplate {
	t.Helper()
	raw, err := decodeTemplate(body(t, result), known)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestDecodeTemplate(t *testing.T) {
	txs := makeTxs(7, 0)
	given := templateOf(bitcoin.Regtest, 300, someHash, txs)
	given["coinbaseaux"] = map[string]string{"flags": "062f503253482f"}
	raw := decode(t, given, nil)
	if err := checkTemplate(raw, bitcoin.Regtest, false); err != nil {
		t.Fatal(err)
	}

	got := raw.Template
	if len(got.Transactions) != len(txs) {
		t.Fatalf("%d transactions, want %d", len(got.Transactions), len(txs))
	}
	var weight, fees int64
	for i, tx := range txs {
		g := got.Transactions[i]
		if hex.EncodeToString(g.Data) != given["transactions"].([]map[string]any)[i]["data"] {
			t.Errorf("transaction %d: other bytes", i)
		}
		if g.TxID != bitcoin.Hash(tx.TxHash()) || g.WTxID != bitcoin.Hash(tx.WitnessHash()) {
			t.Errorf("transaction %d: other ids", i)
		}
		if want := int64(3*tx.SerializeSizeStripped() + tx.SerializeSize()); g.Weight != want {
			t.Errorf("transaction %d: weight %d, want %d", i, g.Weight, want)
		}
		weight += g.Weight
		fees += 1000 + int64(i)
	}
	if got.Weight() != weight || got.Fees() != fees {
		t.Errorf("weight %d, fees %d; want %d, %d", got.Weight(), got.Fees(), weight, fees)
	}
	if want, _ := hex.DecodeString(given["default_witness_commitment"].(string)); !cmp.Equal(got.WitnessCommitment, want) {
		t.Errorf("commitment %x, want %x", got.WitnessCommitment, want)
	}
	got.Transactions, got.WitnessCommitment = nil, nil
	want := Template{
		Height: 300, PrevHash: someHash, Version: 0x20000000, Bits: 0x207fffff, CurTime: 1_700_000_600, MinTime: 1_700_000_000,
		CoinbaseValue: 50_0000_0000 + fees, CoinbaseFlags: []byte("\x06/P2SH/"), Rules: []string{"csv", "!segwit", "taproot"},
		VBAvailable: map[string]int{"testdummy": 28}, WeightLimit: 4_000_000, SigOpLimit: 80_000, FeesKnown: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A fee that the node does not name is no fee of 0, whether the transaction is
// known from an earlier template or not.
func TestFeesKnown(t *testing.T) {
	txs := makeTxs(3, 0)
	known := make(txSet)
	for _, tx := range decode(t, templateOf(bitcoin.Regtest, 300, someHash, txs), nil).Transactions {
		known[tx.WTxID] = tx
	}
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   bool
	}{
		"all named": {func(map[string]any) {}, true},
		"zero":      {func(tx map[string]any) { tx["fee"] = 0 }, true},
		"absent":    {func(tx map[string]any) { delete(tx, "fee") }, false},
		"null":      {func(tx map[string]any) { tx["fee"] = nil }, false},
		"negative":  {func(tx map[string]any) { tx["fee"] = -1 }, false},
	} {
		for _, set := range []txSet{nil, known} {
			given := templateOf(bitcoin.Regtest, 300, someHash, txs)
			c.change(given["transactions"].([]map[string]any)[1])
			raw := decode(t, given, set)
			if raw.FeesKnown != c.want {
				t.Errorf("%s, %d known transactions: FeesKnown %v", name, len(set), raw.FeesKnown)
			}
			if want := int64(1000 + 1002); name != "all named" && raw.Fees() != want {
				t.Errorf("%s, %d known transactions: fees %d, want %d", name, len(set), raw.Fees(), want)
			}
		}
	}
	if !decode(t, templateOf(bitcoin.Regtest, 300, someHash, nil), nil).FeesKnown {
		t.Error("no transactions, no unknown fees")
	}
}

// A known transaction is taken over with its bytes; nothing of the answer's
// copy is looked at.
func TestDecodeTemplateUsesKnown(t *testing.T) {
	txs := makeTxs(5, 0)
	first := decode(t, templateOf(bitcoin.Regtest, 300, someHash, txs[:4]), nil)
	known := make(txSet)
	for _, tx := range first.Transactions {
		known[tx.WTxID] = tx
	}

	given := templateOf(bitcoin.Regtest, 300, someHash, txs)
	list := given["transactions"].([]map[string]any)
	list[1]["data"] = "not looked at"
	list[2]["fee"] = 77
	second := decode(t, given, known)
	if &second.Transactions[1].Data[0] != &first.Transactions[1].Data[0] {
		t.Error("bytes of a known transaction were not shared")
	}
	if second.Transactions[2].Fee != 77 {
		t.Error("the fee must come from the template at hand")
	}
	if second.Transactions[4].TxID != bitcoin.Hash(txs[4].TxHash()) {
		t.Error("a new transaction has another id")
	}

	// A wtxid that is known with another txid is not trusted.
	list[1]["txid"] = someHash.String()
	if _, err := decodeTemplate(body(t, given), known); !errors.Is(err, ErrTemplate) {
		t.Errorf("error %v, want ErrTemplate", err)
	}
}

func TestDecodeTemplateRefuses(t *testing.T) {
	tx := func(change func(map[string]any)) func(map[string]any) {
		return func(t map[string]any) { change(t["transactions"].([]map[string]any)[1]) }
	}
	set := func(key string, value any) func(map[string]any) {
		return func(t map[string]any) { t[key] = value }
	}
	drop := func(key string) func(map[string]any) {
		return func(t map[string]any) { delete(t, key) }
	}
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   error
	}{
		"other txid":               {tx(func(m map[string]any) { m["txid"] = someHash.String() }), ErrTemplate},
		"other hash":               {tx(func(m map[string]any) { m["hash"] = someHash.String() }), ErrTemplate},
		"tx without data":          {tx(func(m map[string]any) { delete(m, "data") }), ErrTemplate},
		"tx with odd digits":       {tx(func(m map[string]any) { m["data"] = "010" }), ErrTemplate},
		"tx that is none":          {tx(func(m map[string]any) { m["data"] = "00112233" }), ErrTemplate},
		"tx with a tail":           {tx(func(m map[string]any) { m["data"] = m["data"].(string) + "00" }), ErrTemplate},
		"hash too short":           {set("previousblockhash", "abcd"), ErrTemplate},
		"bits and target differ":   {set("bits", "1d00ffff"), ErrTemplate},
		"bits negative":            {set("bits", "04923456"), ErrTemplate},
		"bits too long":            {set("bits", "0207fffff0"), ErrTemplate},
		"target not hex":           {set("target", "zz"), ErrTemplate},
		"height 0":                 {set("height", 0), ErrTemplate},
		"height a text":            {set("height", "12"), ErrMalformed},
		"height a fraction":        {set("height", 1.5), ErrMalformed},
		"version too large":        {set("version", 1<<40), ErrTemplate},
		"value negative":           {set("coinbasevalue", -1), ErrTemplate},
		"no value":                 {drop("coinbasevalue"), ErrTemplate},
		"no bits":                  {drop("bits"), ErrTemplate},
		"no previous":              {drop("previousblockhash"), ErrTemplate},
		"no height":                {drop("height"), ErrTemplate},
		"no curtime":               {drop("curtime"), ErrTemplate},
		"commitment of others":     {set("default_witness_commitment", "6a24aa21a9ed"+strings.Repeat("00", 32)), ErrTemplate},
		"commitment bare, wrong":   {set("default_witness_commitment", strings.Repeat("00", 32)), ErrTemplate},
		"commitment not hex":       {set("default_witness_commitment", "xx"), ErrTemplate},
		"unknown rule that counts": {set("rules", []string{"!segwit", "!quantum"}), ErrUnknownRule},
		"transactions an object":   {set("transactions", map[string]int{}), ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			given := templateOf(bitcoin.Regtest, 300, someHash, makeTxs(3, 0))
			c.change(given)
			raw, err := decodeTemplate(body(t, given), nil)
			if err == nil {
				err = checkTemplate(raw, bitcoin.Regtest, false)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestDecodeTemplateAnswers(t *testing.T) {
	whole := body(t, templateOf(bitcoin.Regtest, 300, someHash, makeTxs(3, 0)))
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"cut off": {string(whole[:len(whole)/2]), ErrMalformed},
		"empty":   {"", ErrMalformed},
		"null":    {`{"result":null,"error":null}`, ErrMalformed},
		"deep":    {`{"result":` + strings.Repeat("[", 1000), ErrMalformed},
	} {
		if _, err := decodeTemplate([]byte(c.body), nil); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}

	var rpc *RPCError
	_, err := decodeTemplate([]byte(`{"id":1,"error":{"code":-9,"message":"Bitcoin Core is \"not\" connected!"},"result":null}`), nil)
	if !errors.As(err, &rpc) || rpc.Code != -9 || rpc.Message != `Bitcoin Core is "not" connected!` {
		t.Errorf("error %v", err)
	}
}

// The limits of the chain's numbers survive.
func TestDecodeTemplateExtremes(t *testing.T) {
	given := templateOf(bitcoin.Regtest, 1<<31-1, someHash, nil)
	given["version"] = -1
	given["curtime"], given["mintime"] = uint32(1<<32-2), uint32(1<<32-1)
	given["vbrequired"] = uint32(1<<32 - 1)
	given["unknown"] = []any{map[string]any{"a\"b": "c\\"}, true, false, nil, 1.5e3}
	raw := decode(t, given, nil)
	if err := checkTemplate(raw, bitcoin.Regtest, false); err != nil {
		t.Fatal(err)
	}
	if raw.Version != 1<<32-1 || raw.Height != 1<<31-1 || raw.VBRequired != 1<<32-1 {
		t.Errorf("got %+v", raw.Template)
	}
	if raw.CurTime != 1<<32-1 {
		t.Errorf("CurTime %d: must not be below mintime", raw.CurTime)
	}
}

func TestCommitment(t *testing.T) {
	legacy := makeTxs(3, 0)[2:]
	mixed := makeTxs(3, 0)
	for name, c := range map[string]struct {
		given   func() map[string]any
		network bitcoin.Network
		segwit  bool
		want    bool
		err     error
	}{
		"core, empty block":           {func() map[string]any { return templateOf("", 5, someHash, nil) }, bitcoin.Mainnet, false, true, nil},
		"btcd, empty, segwit unknown": {func() map[string]any { return btcdTemplate(nil) }, bitcoin.Regtest, false, false, nil},
		"btcd, empty, segwit active":  {func() map[string]any { return btcdTemplate(nil) }, bitcoin.Regtest, true, true, nil},
		"btcd, no witness":            {func() map[string]any { return btcdTemplate(templateOf("", 5, someHash, legacy)) }, bitcoin.Regtest, false, false, nil},
		"btcd, witnesses, bare hash":  {func() map[string]any { return btcdTemplate(templateOf("", 5, someHash, mixed)) }, bitcoin.Regtest, false, true, nil},
		"no segwit on mainnet":        {func() map[string]any { return btcdTemplate(nil) }, bitcoin.Mainnet, false, false, ErrNoSegwit},
		"no segwit on testnet":        {func() map[string]any { return btcdTemplate(nil) }, bitcoin.Testnet4, false, false, ErrNoSegwit},
		"witnesses without commitment": {func() map[string]any {
			m := templateOf("", 5, someHash, mixed)
			delete(m, "rules")
			delete(m, "default_witness_commitment")
			return m
		}, bitcoin.Regtest, false, true, nil},
		"rules without commitment": {func() map[string]any {
			m := templateOf("", 5, someHash, nil)
			delete(m, "default_witness_commitment")
			return m
		}, bitcoin.Mainnet, false, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			raw := decode(t, c.given(), nil)
			err := checkTemplate(raw, c.network, c.segwit)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if got := raw.WitnessCommitment != nil; got != c.want {
				t.Fatalf("commitment %x, wanted one: %v", raw.WitnessCommitment, c.want)
			}
			if !c.want {
				return
			}
			wtxids := [][32]byte{{}}
			for _, tx := range raw.Transactions {
				wtxids = append(wtxids, tx.WTxID)
			}
			if want := plainCommitment(wtxids); !cmp.Equal(raw.WitnessCommitment, want) {
				t.Errorf("commitment %x, want %x", raw.WitnessCommitment, want)
			}
		})
	}
}

// btcdTemplate turns a template of Core's into one as btcd makes it: without
// rules, and the commitment missing for an empty block, otherwise without its
// script.
func btcdTemplate(core map[string]any) map[string]any {
	if core == nil {
		core = templateOf(bitcoin.Regtest, 5, someHash, nil)
	}
	for _, key := range []string{"rules", "vbavailable", "vbrequired", "default_witness_commitment"} {
		if key != "default_witness_commitment" {
			delete(core, key)
		}
	}
	witness := false
	for _, tx := range core["transactions"].([]map[string]any) {
		witness = witness || tx["txid"] != tx["hash"]
	}
	if witness {
		core["default_witness_commitment"] = core["default_witness_commitment"].(string)[12:]
	} else {
		delete(core, "default_witness_commitment")
	}
	core["bits"] = "207fffff"
	core["coinbaseaux"] = map[string]string{"flags": "0b2f503253482f627463642f"}
	return core
}

// The commitment may be followed by more data, which has to stay.
func TestCommitmentWithTail(t *testing.T) {
	given := templateOf(bitcoin.Regtest, 5, someHash, nil)
	long := given["default_witness_commitment"].(string) + "01aa"
	given["default_witness_commitment"] = long
	raw := decode(t, given, nil)
	if err := checkTemplate(raw, bitcoin.Regtest, false); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(raw.WitnessCommitment); got != long {
		t.Errorf("got %s", got)
	}
}

// The oracle for numbers is math/big, which has no limits.
func FuzzInteger(f *testing.F) {
	for _, seed := range []string{"0", "-0", "9223372036854775807", "9223372036854775808", "-9223372036854775807", "01", "1.0", "1e3", "", "-", "null"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := scanner{data: []byte(text)}
		got := s.integer()
		if s.bad || s.pos != len(text) {
			return
		}
		trimmed := strings.TrimLeft(text, " \t\r\n")
		if trimmed == "null" && got == 0 {
			return
		}
		want, ok := new(big.Int).SetString(trimmed, 10)
		if !ok || !want.IsInt64() || want.Int64() != got {
			t.Errorf("%q read as %d", text, got)
		}
	})
}

// FuzzDecodeTemplate holds the decoder to encoding/json: what the standard
// library reads as a template, it reads alike, and nothing makes it panic.
func FuzzDecodeTemplate(f *testing.F) {
	f.Add(body(f, templateOf(bitcoin.Regtest, 300, someHash, makeTxs(3, 0))))
	f.Add(body(f, templateOf(bitcoin.Signet, 1, someHash, nil)))
	f.Add(body(f, btcdTemplate(nil)))
	f.Add([]byte(`{"result":{"height":1,"rules":["a\u0062\"",""],"vbavailable":{"x\\":1},"x":[{},[],{"a":[1.5e+3,"\\"]}]},"error":null}`))
	f.Add([]byte("{\"result\":{\"height\":1,\"rules\":[\"!sign\xde\xde\xdeet\",\"\xe2\x82\"],\"vbavailable\":{\"\xde\":1,\"\xdf\":2}},\"error\":null}"))
	f.Add([]byte(`{"result":null,"error":{"code":-9,"message":"m"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := decodeTemplate(data, nil)
		if err != nil {
			return
		}
		// Only exact names count, as in the decoder; encoding/json would take
		// "Height" too.
		var answer map[string]json.RawMessage
		if json.Unmarshal(data, &answer) != nil {
			return
		}
		var result map[string]json.RawMessage
		if json.Unmarshal(answer["result"], &result) != nil {
			t.Fatalf("accepted a result that is no object: %q", data)
		}
		var want struct {
			height, value int64
			rules         []string
			bits          map[string]int
			txs           []map[string]json.RawMessage
		}
		for key, into := range map[string]any{"height": &want.height, "coinbasevalue": &want.value, "rules": &want.rules, "vbavailable": &want.bits, "transactions": &want.txs} {
			if part, ok := result[key]; ok {
				if err := json.Unmarshal(part, into); err != nil {
					t.Fatalf("%s: accepted %q: %v", key, part, err)
				}
			}
		}
		if want.height != raw.Height || want.value != raw.CoinbaseValue || len(want.txs) != len(raw.Transactions) {
			t.Errorf("read %+v from %q", raw.Template, data)
		}
		bits := map[string]bool{} // as encoding/json names them
		for name := range raw.VBAvailable {
			bits[string([]rune(name))] = true
		}
		if len(want.rules) != len(raw.Rules) || len(want.bits) != len(bits) {
			t.Errorf("read rules %q, bits %v from %q", raw.Rules, raw.VBAvailable, data)
		}
		for i := range want.rules {
			// encoding/json puts one U+FFFD in the place of every byte that is not
			// UTF-8; the scanner keeps the bytes.
			if want.rules[i] != string([]rune(raw.Rules[i])) {
				t.Errorf("rule %q, want %q", raw.Rules[i], want.rules[i])
			}
		}
	})
}

// FuzzSkip: whatever encoding/json calls valid is skipped to its end.
func FuzzSkip(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":"\\\""}],"c":null}`, `[]`, `"\u0041"`, `-1.5E+10`, ` true `, `{"":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scanner{data: data}
		s.skip()
		if !json.Valid(data) {
			return
		}
		if deep := strings.Count(string(data), "[") + strings.Count(string(data), "{"); deep > maxJSONDepth {
			return
		}
		if s.bad || s.peek() != 0 && s.pos < len(data) {
			t.Errorf("stopped at %d of %q", s.pos, data)
		}
	})
}

// A template of 1,500 transactions, about 600 bytes each.
func benchmarkDecode(b *testing.B, known func(*rawTemplate) txSet) {
	data := body(b, templateOf(bitcoin.Regtest, 300, someHash, makeTxs(1500, 150)))
	first, err := decodeTemplate(data, nil)
	if err != nil {
		b.Fatal(err)
	}
	set := known(first)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		raw, err := decodeTemplate(data, set)
		if err == nil {
			err = checkTemplate(raw, bitcoin.Regtest, false)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeTemplate decodes a template of which nothing is known yet.
func BenchmarkDecodeTemplate(b *testing.B) {
	benchmarkDecode(b, func(*rawTemplate) txSet { return nil })
}

// BenchmarkDecodeTemplateKnown decodes one whose transactions were all in the
// template before, which is nearly so on each new tip.
func BenchmarkDecodeTemplateKnown(b *testing.B) {
	benchmarkDecode(b, func(t *rawTemplate) txSet {
		known := make(txSet)
		for _, tx := range t.Transactions {
			known[tx.WTxID] = tx
		}
		return known
	})
}

// BenchmarkDecodeTemplateStandard is encoding/json on the same bytes, without
// decoding hex digits and without computing an id.
func BenchmarkDecodeTemplateStandard(b *testing.B) {
	data := body(b, templateOf(bitcoin.Regtest, 300, someHash, makeTxs(1500, 150)))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var answer struct {
			Result struct {
				Transactions []struct {
					Data, TxID, Hash string
					Fee, Weight      int64
				}
			}
		}
		if err := json.Unmarshal(data, &answer); err != nil {
			b.Fatal(err)
		}
	}
}
