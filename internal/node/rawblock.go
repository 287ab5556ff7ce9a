package node

import (
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// rawBlockPrefix is how much of a block parseRawBlock needs at most: header,
// number of transactions, and the coinbase up to its height, with room for
// witness marker and compact sizes.
const rawBlockPrefix = 256

// rawBlock is what the beginning of a block says.
type rawBlock struct {
	hash   bitcoin.Hash
	header bitcoin.Header
	height int64 // from the coinbase (BIP34); -1 when it does not say it
}

// parseRawBlock reads the beginning of a serialized block; it needs no more
// than rawBlockPrefix bytes.
func parseRawBlock(block []byte) (b rawBlock, ok bool) {
	if len(block) < bitcoin.HeaderSize {
		return b, false
	}
	header, err := bitcoin.ParseHeader(block[:bitcoin.HeaderSize])
	if err != nil {
		return b, false
	}
	return rawBlock{hash: header.Hash(), header: header, height: coinbaseHeight(block[bitcoin.HeaderSize:])}, true
}

// coinbaseHeight reads the height from the transactions of a block, -1 when it
// is not there.
func coinbaseHeight(txs []byte) int64 {
	r := byteReader{data: txs}
	if n := r.next(1); !r.bad {
		r.skip(compactTail(n[0]))
	}
	r.skip(4) // version
	if start := r.pos; start+1 < len(txs) && txs[start] == 0 && txs[start+1] == 1 {
		r.skip(2) // witness marker and flag
	}
	r.skip(1 + 36) // one input, its outpoint
	if n := r.next(1); r.bad || n[0] >= 0xfd {
		return -1 // a coinbase script has at most 100 bytes
	}
	op := r.next(1)
	switch {
	case r.bad:
		return -1
	case op[0] == 0:
		return 0
	case op[0] >= 0x51 && op[0] <= 0x60: // OP_1 to OP_16
		return int64(op[0] - 0x50)
	case op[0] > 5:
		return -1
	}
	number := r.next(int(op[0]))
	if r.bad || number[len(number)-1] >= 0x80 { // negative
		return -1
	}
	height := int64(0)
	for i, b := range number {
		height |= int64(b) << (8 * i)
	}
	return height
}

// compactTail is how many bytes follow the first one of a compact size.
func compactTail(first byte) int {
	switch first {
	case 0xfd:
		return 2
	case 0xfe:
		return 4
	case 0xff:
		return 8
	}
	return 0
}

// rawTip makes a tip of an announced block and emits it. The height comes from
// the block before it where that is known, since blocks of test chains need
// not say theirs.
func (n *Nodes) rawTip(m *member, b rawBlock, size int, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.active != m {
		return
	}
	n.rawBlockAt, n.rawBlockBytes = now, size
	n.announceLocked(m, b, now)
}

// announceLocked emits the tip that a block makes, before its template is there.
func (n *Nodes) announceLocked(m *member, b rawBlock, now time.Time) {
	height := b.height
	switch {
	case n.tip != nil && n.tip.Hash == b.header.PrevHash:
		height = n.tip.Height + 1
	case n.current != nil && n.current.PrevHash == b.header.PrevHash:
		height = n.current.Height
	}
	if height < 0 {
		return
	}
	if n.current == nil || n.current.PrevHash != b.hash {
		n.awaited = announcement{by: m, hash: b.hash, at: now}
	}
	n.emitTipLocked(Tip{Hash: b.hash, Height: height, Time: time.Unix(int64(b.header.Time), 0), Bits: b.header.Bits, Previous: b.header.PrevHash, SeenAt: now}, now)
}

// emitTipLocked makes a tip known, once.
func (n *Nodes) emitTipLocked(tip Tip, now time.Time) {
	if n.tip != nil && n.tip.Hash == tip.Hash && tip.SeenAt.IsZero() {
		tip.SeenAt = n.tip.SeenAt
	}
	n.tip = &tip
	if n.tipEmitted == tip.Hash {
		return
	}
	n.tipEmitted, n.tipAt = tip.Hash, now
	replace(n.tips, tip)
}
