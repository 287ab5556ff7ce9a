package bitcoin

import "bytes"

// commitmentPrefix starts every witness commitment script: OP_RETURN, a push
// of 36 bytes, and the magic number of BIP141.
var commitmentPrefix = []byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}

// commitmentSize is the number of bytes of a witness commitment script. More
// may follow, as the block solution on signet does (BIP325).
const commitmentSize = 38

// WitnessCommitment returns the output script of 38 bytes that commits to the
// witnesses of a block (BIP141). wtxids are those of all other transactions,
// in order, without the coinbase, which counts as zero. The witness reserved
// value is zero, the one that AppendWitness writes.
func WitnessCommitment(wtxids []Hash) []byte {
	var preimage [64]byte
	root := MerkleRoot(Hash{}, MerkleBranches(wtxids))
	copy(preimage[:], root[:])
	commitment := DoubleSHA256(preimage[:])

	script := make([]byte, 0, commitmentSize)
	script = append(script, commitmentPrefix...)
	return append(script, commitment[:]...)
}

// AppendWitness appends the full serialization of a stripped coinbase to dst:
// with marker and flag after the version, and with the witness reserved value
// of 32 zero bytes before the lock time (BIP141, BIP144). A block with a
// witness commitment must hold the coinbase in this form, one without must
// hold it as it is. stripped is a complete transaction, as CoinbaseParts make
// with the extranonces between them; it panics on less than 8 bytes.
func AppendWitness(dst, stripped []byte) []byte {
	body, lockTime := stripped[4:len(stripped)-4], stripped[len(stripped)-4:]
	dst = append(dst, stripped[:4]...)
	dst = append(dst, 0x00, 0x01)
	dst = append(dst, body...)
	dst = append(dst, 0x01, 0x20)
	dst = append(dst, make([]byte, 32)...)
	return append(dst, lockTime...)
}

// isWitnessCommitment reports whether consensus takes a script for a witness
// commitment.
func isWitnessCommitment(script []byte) bool {
	return len(script) >= commitmentSize && bytes.HasPrefix(script, commitmentPrefix)
}
