package node

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Limits that hold when a node does not say them (BIP141).
const (
	defaultWeightLimit = 4_000_000
	defaultSigOpLimit  = 80_000
)

// txSet holds transactions by their wtxid whose ids were computed from their
// bytes. It is never changed after it was made.
type txSet map[bitcoin.Hash]Tx

// rawTemplate is a template before it was checked.
type rawTemplate struct {
	Template
	target     []byte // hex digits, nil when absent
	commitment []byte // default_witness_commitment as bytes, nil when absent
	seen       templateFields
}

// templateFields marks what a template cannot do without.
type templateFields struct{ version, previous, value, time, bits, height bool }

// decodeTemplate reads the answer to getblocktemplate in one pass over its
// bytes. Transactions that are in known, by both of their ids, are taken from
// there: their digits are not even decoded. All others have their ids computed
// and compared, since a wrong id costs a block.
//
// The result shares no memory with body. Errors are RPCError, ErrMalformed and
// ErrTemplate.
func decodeTemplate(body []byte, known txSet) (*rawTemplate, error) {
	d := templateDecoder{scanner: scanner{data: body}, known: known}
	var (
		t        *rawTemplate
		rpcError *RPCError
	)
	d.expect('{')
	for i := 0; d.more(&i, '}'); {
		switch string(d.key()) {
		case "result":
			if !d.null() {
				t = d.template()
			}
		case "error":
			rpcError = d.rpcError()
		default:
			d.skip()
		}
	}
	switch {
	case d.err != nil:
		return nil, d.err
	case d.bad:
		return nil, fmt.Errorf("%w: getblocktemplate, at byte %d", ErrMalformed, d.pos)
	case rpcError != nil:
		return nil, rpcError.bounded()
	case t == nil:
		return nil, fmt.Errorf("%w: getblocktemplate without result", ErrMalformed)
	}
	return t, nil
}

// templateDecoder is a scanner that knows the shape of a template.
type templateDecoder struct {
	scanner
	known txSet
	ids   txHasher
	noFee bool  // a transaction came without its fee
	err   error // what is wrong with the content; the syntax is the scanner's
}

func (d *templateDecoder) wrong(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrTemplate}, args...)...)
	}
	d.fail()
}

func (d *templateDecoder) rpcError() *RPCError {
	if d.null() {
		return nil
	}
	d.peek()
	start := d.pos
	d.skip()
	if d.bad {
		return nil
	}
	e := new(RPCError)
	if json.Unmarshal(d.data[start:d.pos], e) != nil {
		d.fail()
	}
	return e
}

func (d *templateDecoder) template() *rawTemplate {
	t := new(rawTemplate)
	d.expect('{')
	for i := 0; d.more(&i, '}'); {
		switch string(d.key()) {
		case "version":
			t.Version, t.seen.version = uint32(int32(d.ranged("version", -1<<31, 1<<31-1))), true
		case "previousblockhash":
			t.PrevHash, t.seen.previous = d.hash("previousblockhash"), true
		case "coinbasevalue":
			t.CoinbaseValue, t.seen.value = d.ranged("coinbasevalue", 0, 21e14), true
		case "curtime":
			t.CurTime, t.seen.time = uint32(d.ranged("curtime", 1, 1<<32-1)), true
		case "mintime":
			t.MinTime = uint32(d.ranged("mintime", 0, 1<<32-1))
		case "height":
			t.Height, t.seen.height = d.ranged("height", 1, 1<<31-1), true
		case "bits":
			t.Bits, t.seen.bits = d.bits(), true
		case "target":
			t.target = append([]byte(nil), d.str()...)
		case "transactions":
			t.Transactions = d.transactions()
		case "coinbaseaux":
			t.CoinbaseFlags = d.flags()
		case "default_witness_commitment":
			t.commitment = d.bytes("default_witness_commitment", 1024)
		case "signet_challenge":
			t.SignetChallenge = d.bytes("signet_challenge", 10_000)
		case "rules":
			t.Rules = d.strings()
		case "vbavailable":
			t.VBAvailable = d.deployments()
		case "vbrequired":
			t.VBRequired = uint32(d.ranged("vbrequired", 0, 1<<32-1))
		case "weightlimit":
			t.WeightLimit = d.ranged("weightlimit", 0, 1<<40)
		case "sigoplimit":
			t.SigOpLimit = d.ranged("sigoplimit", 0, 1<<40)
		case "longpollid":
			t.LongPollID = string(d.str())
		default:
			d.skip()
		}
	}
	t.FeesKnown = !d.noFee
	return t
}

// ranged reads a whole number between low and high.
func (d *templateDecoder) ranged(field string, low, high int64) int64 {
	v := d.integer()
	if !d.bad && (v < low || v > high) {
		d.wrong("%s is %d", field, v)
	}
	return v
}

// bits reads the compact target: hex digits.
func (d *templateDecoder) bits() uint32 {
	text := d.str()
	if d.bad {
		return 0
	}
	var v uint32
	for _, c := range text {
		digit := hexDigit[c]
		if digit > 15 || len(text) > 8 {
			d.wrong("bits is not a hexadecimal number of 8 digits")
			return 0
		}
		v = v<<4 | uint32(digit)
	}
	return v
}

// hash reads a hash in display order.
func (d *templateDecoder) hash(field string) bitcoin.Hash {
	text := d.str()
	if d.bad {
		return bitcoin.Hash{}
	}
	h, ok := parseHash(text)
	if !ok {
		d.wrong("%s is not a hash", field)
	}
	return h
}

// bytes reads hex digits.
func (d *templateDecoder) bytes(field string, limit int) []byte {
	if d.null() {
		return nil
	}
	text := d.str()
	if d.bad || len(text) == 0 {
		return nil
	}
	if len(text) > 2*limit {
		d.wrong("%s is too long", field)
		return nil
	}
	b, err := hex.AppendDecode(nil, text)
	if err != nil {
		d.wrong("%s is not hexadecimal", field)
	}
	return b
}

// flags reads coinbaseaux, of which only the flags are of use.
func (d *templateDecoder) flags() []byte {
	if d.null() {
		return nil
	}
	var flags []byte
	d.expect('{')
	for i := 0; d.more(&i, '}'); {
		if string(d.key()) == "flags" {
			flags = d.bytes("coinbaseaux.flags", 100)
		} else {
			d.skip()
		}
	}
	return flags
}

func (d *templateDecoder) strings() []string {
	if d.null() {
		return nil
	}
	var list []string
	d.expect('[')
	for i := 0; d.more(&i, ']'); {
		list = append(list, string(d.str()))
	}
	return list
}

func (d *templateDecoder) deployments() map[string]int {
	if d.null() {
		return nil
	}
	var bits map[string]int
	d.expect('{')
	for i := 0; d.more(&i, '}'); {
		name := string(d.key())
		if bits == nil {
			bits = make(map[string]int)
		}
		bits[name] = int(d.ranged("vbavailable", 0, 31))
	}
	return bits
}

func (d *templateDecoder) transactions() []Tx {
	if d.null() {
		return nil
	}
	list := make([]Tx, 0, len(d.known))
	d.expect('[')
	for i := 0; d.more(&i, ']'); {
		list = append(list, d.transaction(i-1))
	}
	return list
}

// transaction reads one transaction, the index-th of the template.
func (d *templateDecoder) transaction(index int) Tx {
	var (
		tx                 Tx
		digits             []byte
		hasTxID, hasWTxID  bool
		hasFee             bool
		givenID, givenWTID bitcoin.Hash
	)
	d.expect('{')
	for i := 0; d.more(&i, '}'); {
		switch string(d.key()) {
		case "data":
			digits = d.str()
		case "txid":
			givenID, hasTxID = d.hash("txid"), true
		case "hash":
			givenWTID, hasWTxID = d.hash("hash"), true
		case "fee":
			if !d.null() {
				tx.Fee = d.integer()
				hasFee = tx.Fee >= 0
			}
		case "weight":
			tx.Weight = d.ranged("weight", 0, 1<<40)
		default:
			d.skip()
		}
	}
	if d.bad {
		return tx
	}
	if !hasFee { // BIP22: it may be absent; only a coinbase's is negative
		tx.Fee = 0
		d.noFee = true
	}

	// Bytes with these two ids were held and hashed before.
	if old, ok := d.known[givenWTID]; ok && hasWTxID && hasTxID && old.TxID == givenID {
		old.Fee = tx.Fee
		return old
	}

	tx.Data = make([]byte, len(digits)/2)
	if _, err := hex.Decode(tx.Data, digits); err != nil {
		d.wrong("transaction %d is not hexadecimal", index)
		return tx
	}
	var ok bool
	tx.TxID, tx.WTxID, tx.Weight, ok = d.ids.identify(tx.Data)
	switch {
	case !ok:
		d.wrong("transaction %d cannot be parsed", index)
	case hasTxID && tx.TxID != givenID:
		d.wrong("transaction %d does not have the id that the template gives it", index)
	case hasWTxID && tx.WTxID != givenWTID:
		d.wrong("transaction %d does not have the hash that the template gives it", index)
	}
	return tx
}

// parseHash reads 64 hex digits in display order.
func parseHash(text []byte) (h bitcoin.Hash, ok bool) {
	if len(text) != 2*len(h) {
		return h, false
	}
	for i := range h {
		high, low := hexDigit[text[2*i]], hexDigit[text[2*i+1]]
		if high|low > 15 {
			return h, false
		}
		h[len(h)-1-i] = high<<4 | low
	}
	return h, true
}

// hexDigit holds the values of hex digits, 0xff for all other bytes.
var hexDigit = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		table[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		table[c] = byte(10 + i)
	}
	return table
}()
