package devnet

import (
	"bytes"

	"github.com/btcsuite/btcd/wire/v2"
)

// txBytes serializes a transaction with its witness. Writing to memory cannot
// fail.
func txBytes(tx *wire.MsgTx) []byte {
	buf := bytes.NewBuffer(make([]byte, 0, tx.SerializeSize()))
	_ = tx.Serialize(buf)
	return buf.Bytes()
}

// blockBytes serializes a block with its witnesses.
func blockBytes(b *wire.MsgBlock) []byte {
	buf := bytes.NewBuffer(make([]byte, 0, b.SerializeSize()))
	_ = b.Serialize(buf)
	return buf.Bytes()
}

// headerBytes serializes a header: 80 bytes.
func headerBytes(h *wire.BlockHeader) []byte {
	buf := bytes.NewBuffer(make([]byte, 0, wire.MaxBlockHeaderPayload))
	_ = h.Serialize(buf)
	return buf.Bytes()
}
