package decode

import (
	"bytes"
	"encoding/hex"
	"unicode"
	"unicode/utf8"
)

// Script opcodes.
const (
	opPushData1     = 0x4c
	opPushData2     = 0x4d
	op1             = 0x51
	op16            = 0x60
	opReturn        = 0x6a
	opCheckSig      = 0xac
	opCheckMultisig = 0xae
)

// scriptType names the kind of an output script.
func scriptType(s []byte) string {
	switch n := len(s); {
	case n == 0:
		return "empty"
	case s[0] == opReturn:
		return "op_return"
	case n == 25 && bytes.HasPrefix(s, []byte{0x76, 0xa9, 20}) && s[23] == 0x88 && s[24] == opCheckSig:
		return "p2pkh"
	case n == 23 && s[0] == 0xa9 && s[1] == 20 && s[22] == 0x87:
		return "p2sh"
	case n == 22 && s[0] == 0 && s[1] == 20:
		return "p2wpkh"
	case n == 34 && s[0] == 0 && s[1] == 32:
		return "p2wsh"
	case n == 34 && s[0] == op1 && s[1] == 32:
		return "p2tr"
	case n == 4 && bytes.Equal(s, []byte{op1, 2, 0x4e, 0x73}):
		return "p2a"
	case n >= 4 && n <= 42 && (s[0] == 0 || s[0] >= op1 && s[0] <= op16) && int(s[1]) == n-2:
		return "witness_unknown"
	case n == 35 && s[0] == 33 && (s[1] == 2 || s[1] == 3) && s[34] == opCheckSig,
		n == 67 && s[0] == 65 && s[1] == 4 && s[66] == opCheckSig:
		return "p2pk"
	case isMultisig(s):
		return "multisig"
	}
	return "nonstandard"
}

// isMultisig recognises m keys n OP_CHECKMULTISIG.
func isMultisig(s []byte) bool {
	n := len(s)
	if n < 3 || s[n-1] != opCheckMultisig || s[0] < op1 || s[0] > op16 || s[n-2] < s[0] || s[n-2] > op16 {
		return false
	}
	keys := 0
	for i := 1; i < n-2; keys++ {
		size := int(s[i])
		if size != 33 && size != 65 {
			return false
		}
		i += 1 + size
		if i > n-2 {
			return false
		}
	}
	return keys == int(s[n-2]-op1)+1
}

// scriptHeight reads the block height that a coinbase's scriptSig begins with
// (BIP34).
func scriptHeight(s []byte) (height int64, ok bool) {
	switch {
	case len(s) == 0:
		return 0, false
	case s[0] == 0:
		return 0, true
	case s[0] >= op1 && s[0] <= op16:
		return int64(s[0]-op1) + 1, true
	}
	n := int(s[0])
	if n > 5 || n >= len(s) || s[n]&0x80 != 0 {
		return 0, false
	}
	for i := n; i > 0; i-- {
		height = height<<8 | int64(s[i])
	}
	return height, true
}

// pushed joins what a script pushes. Where it does something else the rest is
// taken as it is.
func pushed(s []byte) []byte {
	var out []byte
	for i := 0; i < len(s); {
		size, at := int(s[i]), i+1
		switch {
		case size < opPushData1:
		case size == opPushData1 && at < len(s):
			size, at = int(s[at]), at+1
		case size == opPushData2 && at+1 < len(s):
			size, at = int(s[at])|int(s[at+1])<<8, at+2
		case size >= op1 && size <= op16: // small numbers, as in Runes' magic
			i++
			continue
		default:
			return append(out, s[i:]...)
		}
		if at+size > len(s) {
			return append(out, s[i:]...)
		}
		out = append(out, s[at:at+size]...)
		i = at + size
	}
	return out
}

// Magic numbers.
var (
	commitmentMagic = []byte{0xaa, 0x21, 0xa9, 0xed} // BIP141
	auxPowMagic     = []byte{0xfa, 0xbe, 'm', 'm'}
	hathorMagic     = []byte("Hath")
)

// hathorSize is what follows Hathor's magic: the hash of its block.
const hathorSize = 32

const hathorLabel = "Hathor merged mining"

// auxPowSize is what follows the magic of merged mining: the root of the
// other chains' blocks, the size of their tree and a nonce.
const auxPowSize = 32 + 4 + 4

func auxPowMark(where string, data []byte) Mark {
	return Mark{Name: "merged_mining", Where: where, Label: "Merged mining (AuxPoW)", Data: hex.EncodeToString(data)}
}

// marks are the prefixes of OP_RETURN contents that are known.
var marks = []struct{ prefix, name, label string }{
	{string(commitmentMagic), "witness_commitment", "Witness commitment (BIP141)"},
	{string(auxPowMagic), "merged_mining", "Merged mining (AuxPoW)"},
	{"RSKBLOCK:", "rootstock", "Rootstock merged mining"},
	{"CORE", "coredao", "Core DAO"},
	{"EXSAT", "exsat", "exSat"},
	{string(hathorMagic), "hathor", hathorLabel},
	{"sys", "syscoin", "Syscoin merged mining"},
	{"omni", "omni", "Omni Layer"},
}

// markOf finds what an OP_RETURN is known as.
func markOf(where string, script, content []byte) (Mark, bool) {
	if len(script) > 1 && script[1] == 0x5d { // OP_13
		return Mark{Name: "runes", Where: where, Label: "Runes", Data: hex.EncodeToString(content)}, true
	}
	for _, known := range marks {
		if bytes.HasPrefix(content, []byte(known.prefix)) {
			return Mark{Name: known.name, Where: where, Label: known.label, Data: hex.EncodeToString(content[len(known.prefix):])}, true
		}
	}
	return Mark{}, false
}

// minText is how many characters in a row are taken for a text. Characters
// that take three bytes of UTF-8 are no accident and count twice.
const minText = 4

// texts finds the printable texts in bytes.
func texts(b []byte) []string {
	var out []string
	for i := 0; i < len(b) && len(out) < maxTags; {
		end, weight := i, 0
		for end < len(b) {
			r, size := utf8.DecodeRune(b[end:])
			if r == utf8.RuneError || !unicode.IsPrint(r) {
				break
			}
			weight += 1 + max(size-2, 0)
			end += size
		}
		if weight >= minText {
			out = append(out, string(withoutLength(b[i:end], len(b)-i)))
		}
		i = max(end, i+1)
	}
	return out
}

// withoutLength takes the opcode of a push off a text, when the text is all
// that it pushes, or the script ends with what it pushes; and up to three
// characters before a tag in slashes, which are chance.
func withoutLength(run []byte, rest int) []byte {
	if len(run) > minText && (int(run[0]) == len(run)-1 || int(run[0]) == rest-1) {
		return run[1:]
	}
	if at := bytes.IndexByte(run, '/'); at >= 1 && at <= 3 && bytes.LastIndexByte(run, '/') > at+2 {
		return run[at:]
	}
	return run
}

// dotted is bytes as text, with a dot for everything that is not printable.
func dotted(b []byte) string {
	out := make([]rune, 0, len(b))
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '.'
		}
		out = append(out, r)
		i += size
	}
	return string(out)
}

// mostlyText says whether at least three quarters are printable ASCII.
func mostlyText(b []byte) bool {
	n := 0
	for _, c := range b {
		if c >= ' ' && c <= '~' {
			n++
		}
	}
	return len(b) > 0 && 4*n >= 3*len(b)
}
