package bitcoin

import "encoding/binary"

// AppendBlock appends a serialized block to dst: the header, the number of
// transactions, the coinbase in the form that the block needs (AppendWitness
// when it has a witness commitment, stripped when not) and the raw
// transactions of the template, in its order.
func AppendBlock(dst []byte, header [HeaderSize]byte, coinbase []byte, txs [][]byte) []byte {
	dst = append(dst, header[:]...)
	dst = appendCompactSize(dst, uint64(len(txs))+1)
	dst = append(dst, coinbase...)
	for _, tx := range txs {
		dst = append(dst, tx...)
	}
	return dst
}

// appendCompactSize appends a length in Bitcoin's variable-size encoding.
func appendCompactSize(dst []byte, n uint64) []byte {
	switch {
	case n < 0xfd:
		return append(dst, byte(n))
	case n <= 0xffff:
		return binary.LittleEndian.AppendUint16(append(dst, 0xfd), uint16(n))
	case n <= 0xffffffff:
		return binary.LittleEndian.AppendUint32(append(dst, 0xfe), uint32(n))
	default:
		return binary.LittleEndian.AppendUint64(append(dst, 0xff), n)
	}
}
