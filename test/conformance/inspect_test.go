package conformance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// inspect looks at a line of the pool as the strictest firmware would, whoever
// is imitated: what it finds is a fault of the pool, named by its requirement.
func (d *device) inspect(line string) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		d.fault("R-F4", "the pool's line is no JSON object: %v", err)
		return
	}
	if _, ok := fields["method"]; ok {
		d.inspectNotification(line, fields)
	} else {
		d.inspectAnswer(fields)
	}
}

// refusals are errors as all firmware can read them: [code, "text", null].
var refusals = regexp.MustCompile(`^\[-?\d+,"(?:[^"\\]|\\.)+",null\]$`)

func (d *device) inspectAnswer(fields map[string]json.RawMessage) {
	if keys := slices.Sorted(maps.Keys(fields)); !slices.Equal(keys, []string{"error", "id", "result"}) {
		d.fault("R-F4", "an answer has the keys %v, want id, result and error", keys)
		return
	}
	if e := fields["error"]; string(e) != "null" {
		if !refusals.Match(e) {
			d.fault("R-F4", "the error %s is not [code, text, null]", e)
		}
		if r := string(fields["result"]); r != "null" && r != "false" {
			d.fault("R-F4", "an error comes with the result %s", r)
		}
	}

	id := string(fields["id"])
	if len(d.asked) == 0 || d.asked[0].id != id {
		if d.lenient {
			d.asked = slices.DeleteFunc(d.asked, func(q question) bool { return q.id == id })
			return
		}
		if len(d.asked) == 0 {
			d.fault("R-F3", "an answer to %s, which nobody asked", id)
		} else {
			d.fault("R-U7", "an answer to %s, while the next answer is due to %s", id, d.asked[0].id)
		}
		return
	}
	q := d.asked[0]
	d.asked = d.asked[1:]
	if string(fields["error"]) != "null" {
		return
	}
	if q.user != "" && d.address == "" { // the first one is paid
		d.address = q.user
		if end := strings.IndexAny(q.user, "._/+ "); end >= 0 {
			d.address = q.user[:end]
		}
	}
	switch q.method {
	case "mining.subscribe":
		d.inspectSubscribed(fields["result"])
	case "mining.configure":
		d.inspectConfigured(fields["result"])
	}
}

func (d *device) inspectSubscribed(result json.RawMessage) {
	var parts []json.RawMessage
	var pairs [][2]string
	var extranonce1 string
	var size int
	if json.Unmarshal(result, &parts) != nil || len(parts) != 3 ||
		json.Unmarshal(parts[0], &pairs) != nil || json.Unmarshal(parts[1], &extranonce1) != nil || json.Unmarshal(parts[2], &size) != nil {
		d.fault("R-S1", "the result of subscribe is %s", result)
		return
	}
	methods := make(map[string]bool)
	for _, p := range pairs {
		methods[p[0]] = true
	}
	if !methods["mining.notify"] || !methods["mining.set_difficulty"] {
		d.fault("R-S1", "the subscriptions are %s", parts[0])
	}
	en1, err := hex.DecodeString(extranonce1)
	switch {
	case err != nil || len(en1) < 1 || extranonce1 != strings.ToLower(extranonce1):
		d.fault("R-S2", "extranonce1 is %q", extranonce1)
	case size < 4 || size > 8 || len(en1)+size > 16:
		d.fault("R-S2", "extranonce1 has %d bytes, extranonce2 %d: want 4 to 8 for the second, 16 together", len(en1), size)
	case d.sawSub && !bytes.Equal(en1, d.extranonce1):
		d.fault("R-S5", "the second subscribe has another extranonce1")
	}
	d.sawSub, d.extranonce1, d.extranonce2Size = true, en1, size
}

func (d *device) inspectConfigured(result json.RawMessage) {
	var r struct {
		Rolling any    `json:"version-rolling"`
		Mask    string `json:"version-rolling.mask"`
	}
	if err := json.Unmarshal(result, &r); err != nil {
		d.fault("R-V1", "the result of configure is %s", result)
		return
	}
	if r.Rolling == true {
		mask, err := parseUint32(r.Mask)
		if err != nil || mask == 0 || mask&^defaultMask != 0 {
			d.fault("R-V1", "the mask is %q", r.Mask)
		}
		d.mask = mask
	}
}

// number is a difficulty as simple parsers read it: no exponent.
var number = regexp.MustCompile(`^(0|[1-9]\d*)(\.\d+)?$`)

func (d *device) inspectNotification(line string, fields map[string]json.RawMessage) {
	if string(fields["id"]) != "null" || len(fields) != 3 || fields["params"] == nil {
		d.fault("R-F5", "a notification is id null, method and params: %s", line)
		return
	}
	var method string
	if err := json.Unmarshal(fields["method"], &method); err != nil {
		d.fault("R-F5", "the method is %s", fields["method"])
		return
	}
	if !d.sawSub {
		d.fault("R-F7", "%s comes before the answer to subscribe", method)
	}
	if !d.started {
		for _, q := range d.asked {
			if q.method == "mining.configure" {
				d.fault("R-F7", "%s comes between configure and its answer", method)
			}
		}
	}

	switch method {
	case "mining.set_difficulty":
		var params []json.RawMessage
		if json.Unmarshal(fields["params"], &params) != nil || len(params) != 1 || !number.Match(params[0]) {
			d.fault("R-J6", "a difficulty is one number without exponent: %s", fields["params"])
			return
		}
		if v, err := strconv.ParseFloat(string(params[0]), 64); err != nil || v <= 0 {
			d.fault("R-J6", "the difficulty is %s", params[0])
		}
		if d.alone {
			d.fault("R-J4", "two set_difficulty before one notify")
		}
		d.alone, d.difficulty = true, string(params[0])
	case "mining.notify":
		d.alone, d.started = false, true
		d.inspectJob(line, fields["params"])
	default:
		if d.alone {
			d.fault("R-J4", "%s comes between set_difficulty and notify", method)
		}
		if !d.allowed[method] {
			d.fault("R-F8", "the device has not opted into %s", method)
		}
	}
}

func (d *device) inspectJob(line string, params json.RawMessage) {
	j, err := parseJob(params)
	if err != nil {
		d.fault("R-J2", "mining.notify: %v", err)
		return
	}
	j.line, j.difficulty = line, d.difficulty
	if d.jobs[j.id] != nil {
		d.fault("R-J1", "job id %s was used before on this connection", j.id)
	}
	d.jobs[j.id], d.newest = j, j
	if j.difficulty == "" {
		d.fault("R-J4", "a job comes before any difficulty")
	}
	if j.version&d.mask != 0 {
		d.fault("R-V3", "the job's version %08x has bits of the mask %08x", j.version, d.mask)
	}
	if d.limits.notify > 0 && len(line)+1 > d.limits.notify {
		d.fault("R-C4", "mining.notify has %d bytes, the device takes %d", len(line)+1, d.limits.notify)
	}
	if h := max(len(j.coinb1), len(j.coinb2)); d.limits.half > 0 && h > d.limits.half {
		d.fault("R-C4", "half a coinbase has %d bytes, the device takes %d", h, d.limits.half)
	}
	d.inspectCoinbase(j)
}

// inspectCoinbase reads the coinbase with btcd's code: the device's owner is
// paid, the size fits the device, and the block may be of this height.
func (d *device) inspectCoinbase(j *job) {
	extranonce2 := make([]byte, d.extranonce2Size)
	tx, err := j.coinbaseTx(d.extranonce1, extranonce2)
	if err != nil {
		d.fault("R-J2", "%v", err)
		return
	}
	most := 255 // the smallest buffer that is sold, and solo coinbases fit it
	if d.limits.coinbase > 0 {
		most = d.limits.coinbase
	}
	size := tx.SerializeSizeStripped()
	if size > most {
		d.fault("R-C4", "the coinbase has %d bytes, the device takes %d", size, most)
	}
	if whole := wire.MaxBlockHeaderPayload + size + 32*len(j.branches); d.limits.job > 0 && whole > d.limits.job {
		d.fault("R-C4", "header, coinbase and branches have %d bytes, the device takes %d", whole, d.limits.job)
	}

	height := int64(tx.LockTime) + 1
	script := tx.TxIn[0].SignatureScript
	push, err := txscript.NewScriptBuilder().AddInt64(height).Script()
	switch {
	case err != nil || !bytes.HasPrefix(script, push):
		d.fault("R-K1", "nLockTime says height %d, and the coinbase script %x does not begin with it", height, script)
	case len(script) < 2 || len(script) > 100:
		d.fault("R-J2", "the coinbase script has %d bytes", len(script))
	case tx.TxIn[0].Sequence == wire.MaxTxInSequenceNum:
		d.fault("R-K1", "the coinbase is final, so its nLockTime counts for nothing")
	}
	if want := d.p.script(d.t, d.address); want != nil && !bytes.Equal(tx.TxOut[0].PkScript, want) {
		d.fault("R-X5", "the first output pays %x, want %x of %s", tx.TxOut[0].PkScript, want, d.address)
	}
	for _, out := range tx.TxOut[1:] {
		if out.Value != 0 {
			d.fault("R-X5", "the coinbase pays %d to %x, too", out.Value, out.PkScript)
		}
	}
}

// parseJob reads the nine parameters of mining.notify.
func parseJob(params json.RawMessage) (*job, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(params, &raw); err != nil || len(raw) != 9 {
		return nil, fmt.Errorf("%d parameters, want 9", len(raw))
	}
	j := &job{}
	var coinb1, coinb2, version, bits, ntime string
	var branches []string
	for i, field := range []any{&j.id, &j.prevhash, &coinb1, &coinb2, &branches, &version, &bits, &ntime, &j.clean} {
		if err := json.Unmarshal(raw[i], field); err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i, err)
		}
	}
	if len(j.id) < 1 || len(j.id) > 8 || strings.Trim(j.id, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("job id %q is not 1 to 8 lower-case hex digits", j.id)
	}
	var err error
	if _, err = decodeLower(j.prevhash); err != nil || len(j.prevhash) != 64 {
		return nil, fmt.Errorf("prevhash %q", j.prevhash)
	}
	if j.coinb1, err = decodeLower(coinb1); err != nil || len(j.coinb1) < 42 {
		return nil, fmt.Errorf("coinb1 %q", coinb1)
	}
	if j.coinb2, err = decodeLower(coinb2); err != nil || len(j.coinb2) == 0 {
		return nil, fmt.Errorf("coinb2 %q", coinb2)
	}
	if string(raw[4]) == "null" || len(branches) > 32 {
		return nil, fmt.Errorf("branches %s", raw[4])
	}
	for _, text := range branches {
		b, err := decodeLower(text)
		if err != nil || len(b) != 32 {
			return nil, fmt.Errorf("branch %q", text)
		}
		j.branches = append(j.branches, [32]byte(b))
	}
	for i, text := range []string{version, bits, ntime} {
		if *[]*uint32{&j.version, &j.bits, &j.ntime}[i], err = parseUint32(text); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// decodeLower reads lower-case hex.
func decodeLower(text string) ([]byte, error) {
	if text != strings.ToLower(text) {
		return nil, fmt.Errorf("%q has capitals", text)
	}
	return hex.DecodeString(text)
}
