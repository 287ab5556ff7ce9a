package stratum

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Submit holds the parameters of mining.submit as text, pointing into the line.
type Submit struct {
	Worker      []byte
	JobID       []byte
	Extranonce2 []byte
	NTime       []byte
	Nonce       []byte
	Version     []byte // nil when not sent
}

// ScanSubmit reads the parameters of mining.submit: five strings, or six with
// the version bits. A sixth that is null or empty counts as not sent, and more
// than six are ignored, as rental proxies append their own. It reports whether the
// shape is right; it does not interpret the values.
func ScanSubmit(params []byte, out *Submit) bool {
	*out = Submit{}
	if len(params) == 0 {
		return false
	}
	e := elements{s: scanner{b: params, i: 1}}
	for _, field := range [...]*[]byte{&out.Worker, &out.JobID, &out.Extranonce2, &out.NTime, &out.Nonce} {
		text, ok := stringElement(e.next())
		if !ok {
			return false
		}
		*field = text
	}
	raw := e.next()
	if raw == nil || bytes.Equal(raw, jsonNull) {
		return true
	}
	text, ok := stringElement(raw)
	if len(text) > 0 {
		out.Version = text
	}
	return ok
}

// stringElement returns the value of a raw JSON string.
func stringElement(raw []byte) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	if text, plain := plainString(raw); plain {
		return text, true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}

// ParseHex32 reads a 32-bit number of 1 to 8 hex digits in either case, with an
// optional 0x: miners neither pad (NerdMiner) nor agree on case (R-U1).
func ParseHex32(text []byte) (uint32, bool) {
	if len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x' {
		text = text[2:]
	}
	if len(text) == 0 || len(text) > 8 {
		return 0, false
	}
	var n uint32
	for _, c := range text {
		v := hexValue[c]
		if v > 15 {
			return 0, false
		}
		n = n<<4 | uint32(v)
	}
	return n, true
}

// DecodeHex decodes exactly len(dst) bytes of hex in either case.
func DecodeHex(dst, text []byte) bool {
	if len(text) != 2*len(dst) {
		return false
	}
	for i := range dst {
		hi, lo := hexValue[text[2*i]], hexValue[text[2*i+1]]
		if hi > 15 || lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

// hexValue maps a byte to its value as a hex digit, or to 0xff.
var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c - '0'
	}
	for c := byte('a'); c <= 'f'; c++ {
		t[c], t[c-0x20] = c-'a'+10, c-'a'+10
	}
	return t
}()

// Subscribe holds the parameters of mining.subscribe. Every form that miners
// send is accepted: none, [agent], [agent,null], [agent,session],
// [agent,session,host,port] (requirement R-S3).
type Subscribe struct {
	UserAgent string
	SessionID string
}

// ParseSubscribe reads the parameters of mining.subscribe. What is not a string
// counts as not given.
func ParseSubscribe(params []byte) Subscribe {
	list := rawList(params)
	return Subscribe{UserAgent: text(list, 0), SessionID: text(list, 1)}
}

// Authorize holds the parameters of mining.authorize.
type Authorize struct {
	User     string
	Password string
}

// ParseAuthorize reads [user], [user,password], [user,null]. A number as
// password is taken as its digits.
func ParseAuthorize(params []byte) (Authorize, bool) {
	list := rawList(params)
	if len(list) == 0 {
		return Authorize{}, false
	}
	var user string
	if json.Unmarshal(list[0], &user) != nil {
		return Authorize{}, false
	}
	a := Authorize{User: user, Password: text(list, 1)}
	if a.Password == "" && len(list) > 1 {
		var number json.Number
		if json.Unmarshal(list[1], &number) == nil {
			a.Password = number.String()
		}
	}
	return a, true
}

// ParseSuggestDifficulty reads the number of mining.suggest_difficulty, also
// written as a string. ok is false when it is no positive number.
func ParseSuggestDifficulty(params []byte) (difficulty float64, ok bool) {
	list := rawList(params)
	if len(list) == 0 {
		return 0, false
	}
	return number(list[0])
}

// ParseText reads the first parameter as a string.
func ParseText(params []byte) string { return text(rawList(params), 0) }

// number reads a positive finite number or a string that holds one.
func number(raw []byte) (float64, bool) {
	s := string(raw)
	if t, ok := stringElement(raw); ok {
		s = strings.TrimSpace(string(t))
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v > 0) || v > 1e300 {
		return 0, false
	}
	return v, true
}

func rawList(params []byte) []json.RawMessage {
	if len(params) == 0 {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(params, &list) != nil {
		return nil
	}
	return list
}

// text returns element i of a list when it is a string.
func text(list []json.RawMessage, i int) string {
	var s string
	if i >= len(list) || json.Unmarshal(list[i], &s) != nil {
		return ""
	}
	return s
}
