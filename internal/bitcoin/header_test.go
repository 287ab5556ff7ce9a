package bitcoin

import (
	"bytes"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

func TestParseHeaderWantsEightyBytes(t *testing.T) {
	for _, n := range []int{0, 1, 79, 81, 160} {
		if _, err := ParseHeader(make([]byte, n)); !errors.Is(err, ErrInvalidHeader) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// FuzzParseHeader compares with btcd's reading of the same bytes.
func FuzzParseHeader(f *testing.F) {
	seed := make([]byte, HeaderSize)
	for i := range seed {
		seed[i] = byte(i * 7)
	}
	f.Add(seed)
	f.Add(seed[:79])
	f.Fuzz(func(t *testing.T, b []byte) {
		header, err := ParseHeader(b)
		if (err == nil) != (len(b) == HeaderSize) {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
		if err != nil {
			return
		}
		if back := header.Bytes(); !bytes.Equal(back[:], b) {
			t.Errorf("%x became %x", b, back)
		}

		var want wire.BlockHeader
		if err := want.Deserialize(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		if header.Version != uint32(want.Version) || header.PrevHash != Hash(want.PrevBlock) ||
			header.MerkleRoot != Hash(want.MerkleRoot) || int64(header.Time) != want.Timestamp.Unix() ||
			header.Bits != want.Bits || header.Nonce != want.Nonce {
			t.Errorf("got %+v, btcd has %+v", header, want)
		}
		if got := header.Hash(); got != Hash(want.BlockHash()) {
			t.Errorf("hash %s, btcd has %s", got, want.BlockHash())
		}
	})
}
