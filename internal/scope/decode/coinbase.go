package decode

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// Coinbase is the coinbase transaction of a job, whole: with the extranonces
// between its halves. Those that are not known are zeros.
type Coinbase struct {
	Size int    `json:"size"` // bytes, without witness
	TxID string `json:"txid"` // display order

	// Where the extranonces stand, and what was put there.
	Extranonce1     string `json:"extranonce1"`      // hex; zeros when it is not known
	Extranonce2     string `json:"extranonce2"`      // hex; zeros unless it was given
	Extranonce2Size int    `json:"extranonce2_size"` // bytes
	// Guessed says that the size of the extranonces was not known: it is the
	// one with which the transaction can be read.
	Guessed bool `json:"extranonces_guessed"`

	Version   uint32 `json:"version"`
	LockTime  uint32 `json:"lock_time"`
	Sequence  uint32 `json:"sequence"`
	Height    int64  `json:"height"`     // of the block by BIP34; -1 when it is not there
	BIP54     bool   `json:"bip54"`      // lock time is height-1 and the sequence not final
	ScriptSig string `json:"script_sig"` // hex
	Text      string `json:"text"`       // scriptSig as text, "." for what is not printable

	Tags  []string `json:"tags"`  // printable texts of the scriptSig, without the extranonces
	Marks []Mark   `json:"marks"` // what scriptSig and OP_RETURN outputs are known to hold

	Outputs           []Output `json:"outputs"`
	OutputCount       int      `json:"output_count"` // Outputs lists no more than 1000 of them
	Total             int64    `json:"total_sats"`   // of all outputs
	TotalBTC          string   `json:"total_btc"`
	Subsidy           int64    `json:"subsidy_sats"`       // new coins of a block of this height; 0 on regtest, where every chain may halve as it likes
	Fees              int64    `json:"fees_sats"`          // total less subsidy, 0 where that is not known; below 0 the block claims too little
	WitnessCommitment string   `json:"witness_commitment"` // hex of the 32 bytes (BIP141); "" without

	extranonces []byte
}

// Output is an output of the coinbase.
type Output struct {
	Value    int64  `json:"value_sats"`
	ValueBTC string `json:"value_btc"`
	// Type is p2pk, p2pkh, p2sh, p2wpkh, p2wsh, p2tr, p2a, witness_unknown,
	// multisig, op_return, empty or nonstandard.
	Type      string  `json:"type"`
	Address   string  `json:"address"`         // on the context's network; "" when the script has none
	Script    string  `json:"script"`          // hex
	Data      string  `json:"data,omitempty"`  // hex: what an OP_RETURN holds
	Text      string  `json:"text,omitempty"`  // Data as text, when most of it is printable
	Label     string  `json:"label,omitempty"` // what the OP_RETURN is known as: "Rootstock merged mining"
	Percent   float64 `json:"percent"`         // of the total
	RawScript []byte  `json:"-"`               // the script as bytes
}

// Mark is something that a known prefix in the coinbase tells.
type Mark struct {
	Name string `json:"name"` // stable: witness_commitment, merged_mining, rootstock, coredao, …
	// Where it stands: "script_sig", or "outputs[2]".
	Where string `json:"where"`
	Label string `json:"label"` // for people
	Data  string `json:"data"`  // hex of what follows the prefix
}

// maxOutputs is how many outputs are shown: more than any pool has that pays
// its miners in the coinbase. maxScriptSig and maxTags are for scriptSigs that no
// block could have: consensus allows 100 bytes.
const (
	maxOutputs   = 1000
	maxScriptSig = 512
	maxTags      = 16
)

// maxGuess is the largest sum of both extranonces that is tried.
const maxGuess = 40

// parseCoinbase reads the coinbase of a job. It never returns nil.
func parseCoinbase(w *Work, ctx Context, found *problems) *Coinbase {
	extra1, size2 := ctx.Extranonce1, ctx.Extranonce2Size
	if size2 == 0 {
		size2 = len(ctx.Extranonce2)
	}
	guessed := extra1 == nil || size2 == 0
	size := len(extra1) + size2
	if guessed {
		if n, ok := guessSize(w, len(extra1)); ok {
			size = n
		} else if size == 0 {
			size = 12
		}
		if extra1 == nil {
			extra1 = make([]byte, max(size-max(size2, 8), 0))
			if size2 > 0 {
				extra1 = make([]byte, max(size-size2, 0))
			}
		}
		size2 = max(size-len(extra1), 0)
	}
	extranonces := make([]byte, 0, len(extra1)+size2)
	extranonces = append(extranonces, extra1...)
	extra2 := make([]byte, size2)
	copy(extra2, ctx.Extranonce2)
	extranonces = append(extranonces, extra2...)

	raw := make([]byte, 0, len(w.Coinbase1)+len(extranonces)+len(w.Coinbase2))
	raw = append(raw, w.Coinbase1...)
	raw = append(raw, extranonces...)
	raw = append(raw, w.Coinbase2...)

	c := &Coinbase{
		Size:            len(raw),
		TxID:            bitcoin.DoubleSHA256(raw).String(),
		Extranonce1:     hex.EncodeToString(extra1),
		Extranonce2:     hex.EncodeToString(extra2),
		Extranonce2Size: size2,
		Guessed:         guessed,
		Height:          -1,
		Tags:            []string{},
		Marks:           []Mark{},
		Outputs:         []Output{},
		extranonces:     extranonces,
	}
	tx, err := parseTransaction(raw)
	if err != nil {
		found.add("coinbase", err.Error())
	}
	c.fill(tx, ctx, len(w.Coinbase1), found)
	return c
}

// guessSize finds how many bytes of extranonces make the halves one
// transaction. Usual sizes go first.
func guessSize(w *Work, atLeast int) (size int, ok bool) {
	raw := make([]byte, 0, len(w.Coinbase1)+maxGuess+len(w.Coinbase2))
	try := func(n int) bool {
		raw = append(raw[:0], w.Coinbase1...)
		raw = append(raw, make([]byte, n)...)
		raw = append(raw, w.Coinbase2...)
		return checkTransaction(raw)
	}
	for _, n := range []int{12, 8, 16} {
		if n >= atLeast && try(n) {
			return n, true
		}
	}
	for n := max(atLeast, 1); n <= maxGuess; n++ {
		if try(n) {
			return n, true
		}
	}
	return 0, false
}

// transaction is a coinbase in its parts. Its slices point into the raw bytes.
type transaction struct {
	version, sequence, lockTime uint32
	scriptSig                   []byte
	scriptAt                    int // where the scriptSig begins
	outputs                     []bitcoin.TxOut
	count                       int // of outputs
	inputs                      int
	prevHash                    [32]byte
	prevIndex                   uint32
}

var errShort = errors.New("ends too early")

// parseTransaction reads a transaction without witness. With an error it
// returns what could be read until then.
func parseTransaction(raw []byte) (*transaction, error) {
	t := &transaction{}
	r := reader{b: raw}
	t.version = r.uint32()
	inputs := r.compactSize()
	if r.err == nil && inputs == 0 && len(raw) > 5 && raw[5] == 1 {
		return t, errors.New("has a witness, which Stratum leaves out")
	}
	if r.err == nil && inputs != 1 {
		return t, fmt.Errorf("has %d inputs instead of 1", inputs)
	}
	t.inputs = 1
	copy(t.prevHash[:], r.take(32))
	t.prevIndex = r.uint32()
	size := r.compactSize()
	t.scriptAt = r.i
	t.scriptSig = r.take(size)
	t.sequence = r.uint32()
	count := r.compactSize()
	if r.err != nil {
		return t, r.err
	}
	for i := uint64(0); i < count; i++ {
		value := r.uint64()
		script := r.take(r.compactSize())
		if r.err != nil {
			return t, fmt.Errorf("output %d: %w", i, r.err)
		}
		t.count++
		t.outputs = append(t.outputs, bitcoin.TxOut{Value: int64(value), Script: script}) //nolint:gosec // any 64 bits are a value; impossible ones are reported
	}
	t.lockTime = r.uint32()
	if r.err == nil && r.i != len(raw) {
		return t, fmt.Errorf("is followed by %d more bytes", len(raw)-r.i)
	}
	return t, r.err
}

// checkTransaction says whether bytes are a plausible coinbase, whole.
func checkTransaction(raw []byte) bool {
	r := reader{b: raw}
	r.uint32()
	if r.compactSize() != 1 {
		return false
	}
	r.take(36)
	r.take(r.compactSize())
	r.uint32()
	for n := r.compactSize(); n > 0 && r.err == nil; n-- {
		if r.uint64() > maxMoney {
			return false
		}
		r.take(r.compactSize())
	}
	r.uint32()
	return r.err == nil && r.i == len(raw)
}

// maxMoney is more satoshis than there will ever be.
const maxMoney = 21_000_000 * satoshis

const satoshis = 100_000_000 // in a bitcoin

// reader reads a serialization. After its end it gives zeros and an error.
type reader struct {
	b   []byte
	i   int
	err error
}

func (r *reader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)-r.i) {
		r.err = errShort
		return nil
	}
	out := r.b[r.i : r.i+int(n)]
	r.i += int(n)
	return out
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) compactSize() uint64 {
	b := r.take(1)
	if b == nil {
		return 0
	}
	switch b[0] {
	case 0xfd:
		if b = r.take(2); b != nil {
			return uint64(binary.LittleEndian.Uint16(b))
		}
	case 0xfe:
		return uint64(r.uint32())
	case 0xff:
		return r.uint64()
	default:
		return uint64(b[0])
	}
	return 0
}

// fill takes over what a transaction says.
func (c *Coinbase) fill(t *transaction, ctx Context, gapAt int, found *problems) {
	network := ctx.Network
	if network == "" {
		network = bitcoin.Mainnet
	}
	c.Version, c.Sequence, c.LockTime = t.version, t.sequence, t.lockTime
	if t.inputs == 1 && (t.prevIndex != 0xffffffff || t.prevHash != [32]byte{}) {
		found.add("coinbase", "spends another transaction: it is no coinbase")
	}
	shown := t.scriptSig[:min(len(t.scriptSig), maxScriptSig)]
	c.ScriptSig = hex.EncodeToString(shown)
	c.Text = dotted(shown)
	if n := len(t.scriptSig); t.inputs == 1 && (n < 2 || n > 100) {
		found.add("coinbase", "has a scriptSig of "+strconv.Itoa(n)+" bytes, blocks may have 2 to 100")
	}
	if height, ok := scriptHeight(t.scriptSig); ok {
		c.Height = height
		c.BIP54 = int64(t.lockTime) == height-1 && t.sequence != 0xffffffff
	} else if t.inputs == 1 {
		found.add("coinbase", "has no height (BIP34)")
	}
	c.tagsAndMarks(t, gapAt)
	c.outputs(t, network, found)
}

// tagsAndMarks reads the scriptSig around the extranonces.
func (c *Coinbase) tagsAndMarks(t *transaction, gapAt int) {
	script := bytes.Clone(t.scriptSig[:min(len(t.scriptSig), maxScriptSig)])
	// A zero byte ends a text.
	begin := min(max(gapAt-t.scriptAt, 0), len(script))
	clear(script[begin:min(begin+len(c.extranonces), len(script))])
	if at := bytes.Index(script, auxPowMagic); at >= 0 {
		rest := script[at+len(auxPowMagic):]
		rest = rest[:min(len(rest), auxPowSize)]
		c.Marks = append(c.Marks, auxPowMark("script_sig", rest))
		clear(script[at : at+len(auxPowMagic)+len(rest)])
	}
	if at := bytes.Index(script, hathorMagic); at >= 0 && at+len(hathorMagic)+hathorSize <= len(script) {
		data := script[at+len(hathorMagic):][:hathorSize]
		c.Marks = append(c.Marks, Mark{Name: "hathor", Where: "script_sig", Label: hathorLabel, Data: hex.EncodeToString(data)})
		clear(script[at : at+len(hathorMagic)+hathorSize])
	}
	c.Tags = append(c.Tags, texts(script)...)
}

// outputs lists who is paid what.
func (c *Coinbase) outputs(t *transaction, network bitcoin.Network, found *problems) {
	c.OutputCount = t.count
	for i, out := range t.outputs {
		if out.Value < 0 || out.Value > maxMoney || c.Total+out.Value > maxMoney {
			found.add("coinbase", "output "+strconv.Itoa(i)+" has an impossible value")
			continue
		}
		c.Total += out.Value
	}
	c.TotalBTC = btc(c.Total)
	if c.Height >= 0 && network != bitcoin.Regtest {
		c.Subsidy = bitcoin.Subsidy(c.Height, network)
		c.Fees = c.Total - c.Subsidy
	}
	for i, out := range t.outputs {
		kind := scriptType(out.Script)
		if i >= maxOutputs && kind != "op_return" {
			continue
		}
		shown := Output{Value: out.Value, ValueBTC: btc(out.Value), Type: kind, Script: hex.EncodeToString(out.Script), RawScript: out.Script}
		if kind == "op_return" {
			where := "outputs[" + strconv.Itoa(i) + "]"
			shown.Data, shown.Text, shown.Label = c.opReturn(where, out.Script)
		} else {
			shown.Address, _ = bitcoin.AddressOf(out.Script, network)
		}
		if c.Total > 0 {
			shown.Percent = 100 * float64(out.Value) / float64(c.Total)
		}
		if i < maxOutputs {
			c.Outputs = append(c.Outputs, shown)
		}
	}
}

// opReturn reads an OP_RETURN output.
func (c *Coinbase) opReturn(where string, script []byte) (data, text, label string) {
	content := pushed(script[1:])
	if bytes.HasPrefix(content, commitmentMagic) && len(content) >= 36 {
		c.WitnessCommitment = hex.EncodeToString(content[4:36])
	}
	if mark, ok := markOf(where, script, content); ok {
		label = mark.Label
		if len(c.Marks) < maxProblems {
			c.Marks = append(c.Marks, mark)
		}
	}
	if mostlyText(content) {
		text = dotted(content)
	}
	return hex.EncodeToString(content), text, label
}

// btc writes satoshis as bitcoins, with eight decimals.
func btc(sats int64) string {
	sign := ""
	n := uint64(sats) //nolint:gosec // the sign is taken off below
	if sats < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%08d", sign, n/satoshis, n%satoshis)
}
