package stratum

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// The append functions write one whole line, line feed included, and allocate
// only to grow dst. Members always stand in the order id, result, error or id,
// method, params, and none is ever left out (requirement R-F4).

// AppendTrue answers a request with true.
func AppendTrue(dst, id []byte) []byte {
	return AppendResult(dst, id, "true")
}

// AppendResult answers a request with a result that is JSON already.
func AppendResult(dst, id []byte, result string) []byte {
	dst = appendID(dst, id)
	dst = append(dst, `,"result":`...)
	dst = append(dst, result...)
	return append(dst, ",\"error\":null}\n"...)
}

// AppendReject answers a request with the code and text of a reject.
func AppendReject(dst, id []byte, r Reject) []byte {
	return AppendError(dst, id, r.Code(), r.Text())
}

// AppendError answers a request with an error array of our own wording.
func AppendError(dst, id []byte, code int, text string) []byte {
	dst = appendID(dst, id)
	dst = append(dst, `,"result":null,"error":[`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, ',')
	dst = AppendString(dst, text)
	return append(dst, ",null]}\n"...)
}

func appendID(dst, id []byte) []byte {
	dst = append(dst, `{"id":`...)
	if id == nil {
		id = jsonNull
	}
	return append(dst, id...)
}

// AppendSubscribed answers mining.subscribe: both subscriptions under one
// session id, extranonce1 and the size of extranonce2 (requirement R-S1).
func AppendSubscribed(dst, id []byte, session, extranonce1 string, extranonce2Size int) []byte {
	dst = appendID(dst, id)
	dst = append(dst, `,"result":[[["mining.set_difficulty","`...)
	dst = append(dst, session...)
	dst = append(dst, `"],["mining.notify","`...)
	dst = append(dst, session...)
	dst = append(dst, `"]],"`...)
	dst = append(dst, extranonce1...)
	dst = append(dst, `",`...)
	dst = strconv.AppendInt(dst, int64(extranonce2Size), 10)
	return append(dst, "],\"error\":null}\n"...)
}

// AppendSetDifficulty is the notification mining.set_difficulty. The number is
// written without an exponent (requirement R-J6).
func AppendSetDifficulty(dst []byte, difficulty float64) []byte {
	dst = append(dst, `{"id":null,"method":"mining.set_difficulty","params":[`...)
	dst = bitcoin.AppendDifficulty(dst, difficulty)
	return append(dst, "]}\n"...)
}

// AppendSetVersionMask is the notification mining.set_version_mask (BIP310).
func AppendSetVersionMask(dst []byte, mask uint32) []byte {
	dst = append(dst, `{"id":null,"method":"mining.set_version_mask","params":["`...)
	return append(AppendHex32(dst, mask), "\"]}\n"...)
}

// AppendShowMessage is the notification client.show_message.
func AppendShowMessage(dst []byte, message string) []byte {
	dst = append(dst, `{"id":null,"method":"client.show_message","params":[`...)
	dst = AppendString(dst, message)
	return append(dst, "]}\n"...)
}

// Notify holds what mining.notify says.
type Notify struct {
	JobID    string
	PrevHash bitcoin.Hash
	Coinbase bitcoin.CoinbaseParts
	Branches []bitcoin.Hash
	Version  uint32
	Bits     uint32
	Time     uint32
}

// CleanTail and DirtyTail end a notify line: a line made by AppendNotifyHead
// and one of them differ only in clean_jobs, so one encoding serves both.
const (
	CleanTail = "true]}\n"
	DirtyTail = "false]}\n"
)

// AppendNotifyHead writes the notification mining.notify up to its last
// parameter, clean_jobs.
func AppendNotifyHead(dst []byte, n *Notify) []byte {
	return AppendNotifyTemplate(AppendNotifyCoinbase(dst, n), n)
}

// AppendNotifyCoinbase writes the first half of AppendNotifyHead, which differs
// from payee to payee: up to the coinbase.
func AppendNotifyCoinbase(dst []byte, n *Notify) []byte {
	dst = append(dst, `{"id":null,"method":"mining.notify","params":["`...)
	dst = append(dst, n.JobID...)
	dst = append(dst, `","`...)
	prev := SwapWords(n.PrevHash)
	dst = hex.AppendEncode(dst, prev[:])
	dst = append(dst, `","`...)
	dst = hex.AppendEncode(dst, n.Coinbase.Prefix)
	dst = append(dst, `","`...)
	dst = hex.AppendEncode(dst, n.Coinbase.Suffix)
	return append(dst, `",`...)
}

// AppendNotifyTemplate writes the second half of AppendNotifyHead, which is the
// same for all miners: from the merkle branches on.
func AppendNotifyTemplate(dst []byte, n *Notify) []byte {
	dst = append(dst, '[')
	for i := range n.Branches {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = hex.AppendEncode(dst, n.Branches[i][:])
		dst = append(dst, '"')
	}
	dst = append(dst, `],"`...)
	dst = AppendHex32(dst, n.Version)
	dst = append(dst, `","`...)
	dst = AppendHex32(dst, n.Bits)
	dst = append(dst, `","`...)
	dst = AppendHex32(dst, n.Time)
	return append(dst, `",`...)
}

// SwapWords reverses each 4-byte word of a hash, which turns the header's bytes
// into prevhash as Stratum writes it and back (requirement R-J3).
func SwapWords(h bitcoin.Hash) (swapped bitcoin.Hash) {
	for i := 0; i < len(h); i += 4 {
		swapped[i], swapped[i+1], swapped[i+2], swapped[i+3] = h[i+3], h[i+2], h[i+1], h[i]
	}
	return swapped
}

const hexDigits = "0123456789abcdef"

// AppendHex32 writes 8 lower-case hex digits, most significant first.
func AppendHex32(dst []byte, v uint32) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[v>>shift&0xf])
	}
	return dst
}

// AppendString writes s as a JSON string. Control characters are escaped and
// invalid UTF-8 becomes U+FFFD, so that nothing that a peer sent can break a
// line.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x20 || r == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&0xf])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
