package decode

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// DefaultVersionMask are the bits that BIP320 leaves to miners. They count
// where a miner rolls without having agreed on a mask, as some behind rental
// services do.
const DefaultVersionMask = 0x1fffe000

// Work is a job as bytes, prepared for rebuilding the headers of its shares.
// It never changes.
type Work struct {
	ID        string // as on the wire
	PrevHash  bitcoin.Hash
	Coinbase1 []byte
	Coinbase2 []byte
	Branches  []bitcoin.Hash
	Version   uint32
	Bits      uint32
	Time      uint32 // seconds since 1970
	Clean     bool
	Target    bitcoin.Target // of Bits: what makes a share a block
}

// Submit is a mining.submit: a miner's claim to have found a share.
type Submit struct {
	Worker      string `json:"worker"`
	JobID       string `json:"job_id"`
	Extranonce2 string `json:"extranonce2"`            // hex, as sent
	NTime       string `json:"ntime"`                  // hex, as sent
	Time        string `json:"time,omitempty"`         // of ntime, RFC 3339
	Nonce       string `json:"nonce"`                  // hex, as sent
	VersionBits string `json:"version_bits,omitempty"` // hex, as sent; "" when not sent

	// The same as values. Values says whether all of them could be read.
	Values     bool   `json:"-"`
	Extra      []byte `json:"-"` // extranonce2
	TimeValue  uint32 `json:"-"`
	NonceValue uint32 `json:"-"`
	BitsValue  uint32 `json:"-"` // version bits
	Rolled     bool   `json:"-"` // version bits were sent
}

// ParseSubmit reads the params of mining.submit: worker, job, extranonce2,
// ntime, nonce and perhaps version bits. Numbers may be shorter than eight
// digits and may begin with 0x, as some firmware has it. It always returns a
// Submit; problems name what could not be read, and then Values is false.
func ParseSubmit(params json.RawMessage) (*Submit, []Problem) {
	s := &Submit{Values: true}
	var found problems
	values := list(params)
	if values == nil {
		s.Values = false
		found.add("params", "is not a list")
		return s, found
	}
	wrong := func(field, problem string) {
		s.Values = false
		found.add(field, problem)
	}
	read := func(i int, field string) string {
		text, ok := stringOf(element(values, i))
		switch {
		case ok:
		case i >= len(values):
			wrong(field, "is missing")
		default:
			wrong(field, "is not a string")
		}
		return text
	}
	number := func(text, field string) uint32 {
		n, ok := stratum.ParseHex32([]byte(text))
		if !ok && text != "" {
			wrong(field, "is not a hex number of at most 8 digits")
		} else if !ok && s.Values {
			wrong(field, "is empty")
		}
		return n
	}

	s.Worker = printable(read(0, "worker"))
	job := read(1, "job_id")
	s.JobID = printable(job)
	extra := read(2, "extranonce2")
	var err error
	if s.Extra, err = hex.DecodeString(extra); err != nil {
		wrong("extranonce2", "is not hex")
	}
	ntime, nonce := read(3, "ntime"), read(4, "nonce")
	s.TimeValue, s.NonceValue = number(ntime, "ntime"), number(nonce, "nonce")
	s.Extranonce2, s.NTime, s.Nonce = printable(extra), printable(ntime), printable(nonce)
	if s.Values {
		s.Time = time.Unix(int64(s.TimeValue), 0).UTC().Format(time.RFC3339)
	}
	if raw := element(values, 5); set(raw) && string(raw) != `""` {
		bits := read(5, "version_bits")
		s.BitsValue, s.Rolled = number(bits, "version_bits"), true
		s.VersionBits = printable(bits)
	}
	return s, found
}

// Errors of rebuilding a header.
var (
	// ErrSubmit means that a submit has fields that cannot be read.
	ErrSubmit = errors.New("submit cannot be read")
	// ErrVersionBits means that a share changes version bits outside of the mask.
	ErrVersionBits = errors.New("version bits outside of the mask")
)

// Header rebuilds the header that a share claims to have hashed (BIP310):
//
//	coinbase = coinbase1 ‖ extranonce1 ‖ extranonce2 ‖ coinbase2
//	root     = sha256d(coinbase), then sha256d(root ‖ branch) for each branch
//	version  = (job version and not mask) or (version bits and mask)
//
// mask are the bits that were agreed on; with 0 and version bits in the share
// DefaultVersionMask counts. It fails with ErrSubmit, and with ErrVersionBits
// together with the header that a pool sees that ignores the other bits. It
// does not allocate for coinbases of usual size.
func (w *Work) Header(extranonce1 []byte, s *Submit, mask uint32) (h bitcoin.Header, err error) {
	if !s.Values {
		return h, ErrSubmit
	}
	var buffer [1024]byte
	h = bitcoin.Header{
		Version:    w.Version,
		PrevHash:   w.PrevHash,
		MerkleRoot: w.root(buffer[:0], extranonce1, s.Extra),
		Time:       s.TimeValue,
		Bits:       w.Bits,
		Nonce:      s.NonceValue,
	}
	if s.Rolled {
		if mask == 0 {
			mask = DefaultVersionMask
		}
		h.Version = w.Version&^mask | s.BitsValue&mask
		if s.BitsValue&^mask != 0 {
			err = ErrVersionBits
		}
	}
	return h, err
}

// MerkleRoot is the root of the job's transactions with the given extranonces
// in the coinbase.
func (w *Work) MerkleRoot(extranonce1, extranonce2 []byte) bitcoin.Hash {
	var buffer [1024]byte
	return w.root(buffer[:0], extranonce1, extranonce2)
}

func (w *Work) root(buffer, extranonce1, extranonce2 []byte) bitcoin.Hash {
	buffer = append(buffer, w.Coinbase1...)
	buffer = append(buffer, extranonce1...)
	buffer = append(buffer, extranonce2...)
	buffer = append(buffer, w.Coinbase2...)
	return bitcoin.MerkleRoot(bitcoin.DoubleSHA256(buffer), w.Branches)
}

// Header is the rebuilt header of a share, for people.
type Header struct {
	Hex        string  `json:"header"`        // 80 bytes as hex
	Hash       string  `json:"hash"`          // display order
	Difficulty float64 `json:"difficulty"`    // true difficulty of the hash
	Target     float64 `json:"target"`        // difficulty that the pool asks for; 0 when unknown
	Enough     *bool   `json:"enough"`        // whether the hash meets it; null when unknown
	Block      bool    `json:"block"`         // whether the hash meets the network's target
	Version    string  `json:"version"`       // 8 hex digits
	PrevHash   string  `json:"prev_hash"`     // display order
	MerkleRoot string  `json:"merkle_root"`   // display order
	Time       string  `json:"time"`          // RFC 3339
	Bits       string  `json:"nbits"`         // 8 hex digits
	Nonce      string  `json:"nonce"`         // 8 hex digits
	Coinbase   string  `json:"coinbase_txid"` // display order
}

// Describe writes a share's header for people. It is nil when the submit
// cannot be read. difficulty is what the pool asks for, 0 when unknown.
func (w *Work) Describe(extranonce1 []byte, s *Submit, mask uint32, difficulty float64) *Header {
	h, err := w.Header(extranonce1, s, mask)
	if err != nil && !errors.Is(err, ErrVersionBits) {
		return nil
	}
	hash := h.Hash()
	raw := h.Bytes()
	bare := Work{Coinbase1: w.Coinbase1, Coinbase2: w.Coinbase2}
	out := &Header{
		Hex:        hex.EncodeToString(raw[:]),
		Hash:       hash.String(),
		Difficulty: bitcoin.HashDifficulty(&hash),
		Block:      hash.Meets(&w.Target),
		Version:    hex32(h.Version),
		PrevHash:   h.PrevHash.String(),
		MerkleRoot: h.MerkleRoot.String(),
		Time:       time.Unix(int64(h.Time), 0).UTC().Format(time.RFC3339),
		Bits:       hex32(h.Bits),
		Nonce:      hex32(h.Nonce),
		Coinbase:   bare.MerkleRoot(extranonce1, s.Extra).String(),
	}
	if difficulty > 0 {
		target := bitcoin.TargetFromDifficulty(difficulty)
		enough := hash.Meets(&target)
		out.Target, out.Enough = difficulty, &enough
	}
	return out
}
