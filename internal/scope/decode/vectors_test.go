package decode

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// vector is a share with the header that others computed of it. Their sources
// stand in the file.
type vector struct {
	Name       string          `json:"name"`
	Enonce1    string          `json:"enonce1"`
	Notify     json.RawMessage `json:"notify"`
	Submit     json.RawMessage `json:"submit"`
	Mask       string          `json:"mask"`
	NetworkMet bool            `json:"network_target_met"`
	Expected   struct {
		Header string  `json:"header"`
		Hash   string  `json:"hash"`
		Diff   float64 `json:"diff"`
		TxID   string  `json:"coinbase_txid"`
		Len    int     `json:"coinbase_len"`
	} `json:"expected"`
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/sv1_shares.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var shares []vector
	for _, v := range all {
		if v.Notify != nil {
			shares = append(shares, v)
		}
	}
	if len(shares) < 5 {
		t.Fatalf("only %d shares in the vectors", len(shares))
	}
	return shares
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// network is where a vector is from.
func (v *vector) network() bitcoin.Network {
	switch {
	case strings.Contains(v.Name, "regtest"):
		return bitcoin.Regtest
	case strings.Contains(v.Name, "mainnet"):
		return bitcoin.Mainnet
	}
	return bitcoin.Signet
}

// context is that of a vector's session.
func (v *vector) context(t testing.TB, s *Submit) Context {
	return Context{
		Network:         v.network(),
		Extranonce1:     unhex(t, v.Enonce1),
		Extranonce2:     s.Extra,
		Extranonce2Size: len(s.Extra),
		VersionMask:     uint32(unhex(t, v.Mask)[0])<<24 | uint32(unhex(t, v.Mask)[1])<<16 | uint32(unhex(t, v.Mask)[2])<<8 | uint32(unhex(t, v.Mask)[3]),
	}
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			s, found := ParseSubmit(v.Submit)
			if len(found) > 0 || !s.Values {
				t.Fatalf("submit: %v", found)
			}
			ctx := v.context(t, s)
			j := ParseJob(v.Notify, ctx)
			if len(j.Problems) > 0 || j.Work == nil {
				t.Fatalf("notify: %v", j.Problems)
			}
			if j.Coinbase.TxID != v.Expected.TxID || j.Coinbase.Size != v.Expected.Len || j.Coinbase.Guessed {
				t.Errorf("coinbase %s of %d bytes, want %s of %d", j.Coinbase.TxID, j.Coinbase.Size, v.Expected.TxID, v.Expected.Len)
			}
			h := j.Work.Describe(ctx.Extranonce1, s, ctx.VersionMask, 0)
			if h.Hex != v.Expected.Header || h.Hash != v.Expected.Hash {
				t.Errorf("header %s\nhash   %s\nwant   %s\n       %s", h.Hex, h.Hash, v.Expected.Header, v.Expected.Hash)
			}
			if math.Abs(h.Difficulty/v.Expected.Diff-1) > 1e-12 || h.Block != v.NetworkMet {
				t.Errorf("difficulty %v, block %t; want %v, %t", h.Difficulty, h.Block, v.Expected.Diff, v.NetworkMet)
			}
			if h.Coinbase != v.Expected.TxID {
				t.Errorf("the header's coinbase is %s", h.Coinbase)
			}

			// Without sizes the decoder finds them itself.
			guessed := ParseJob(v.Notify, Context{Network: v.network()})
			if c := guessed.Coinbase; !c.Guessed || c.Size != v.Expected.Len || c.Height != j.Coinbase.Height || c.Total != j.Coinbase.Total {
				t.Errorf("guessed: %+v", c)
			}
		})
	}
}

// TestVersionBitsOutsideOfTheMask takes a share that rolls bits that nobody
// gave it.
func TestVersionBitsOutsideOfTheMask(t *testing.T) {
	v := vectors(t)[1]
	s, _ := ParseSubmit(v.Submit)
	j := ParseJob(v.Notify, v.context(t, s))
	s.BitsValue |= 1 << 31
	h, err := j.Work.Header(unhex(t, v.Enonce1), s, 0)
	if !errors.Is(err, ErrVersionBits) || h.Version>>31 != 0 {
		t.Errorf("version %08x, %v", h.Version, err)
	}
}

func BenchmarkParseJob(b *testing.B) {
	v := vectors(b)[3]
	s, _ := ParseSubmit(v.Submit)
	ctx := v.context(b, s)
	b.ReportAllocs()
	for b.Loop() {
		ParseJob(v.Notify, ctx)
	}
}

func BenchmarkHeader(b *testing.B) {
	v := vectors(b)[3]
	s, _ := ParseSubmit(v.Submit)
	ctx := v.context(b, s)
	j := ParseJob(v.Notify, ctx)
	b.ReportAllocs()
	for b.Loop() {
		h, err := j.Work.Header(ctx.Extranonce1, s, ctx.VersionMask)
		if err != nil {
			b.Fatal(err)
		}
		_ = h.Hash()
	}
}

func BenchmarkParseSubmit(b *testing.B) {
	v := vectors(b)[3]
	b.ReportAllocs()
	for b.Loop() {
		ParseSubmit(v.Submit)
	}
}
