package bitcoin

// MerkleBranches returns the hashes that lead from the coinbase's id to the
// merkle root, lowest level first: the branches of Stratum's notify. txids
// are those of all other transactions of the block, in order, without the
// coinbase. A block that holds a coinbase only has no branches. There are at
// most 15, since a block has no room for 2^15 transactions.
func MerkleBranches(txids []Hash) []Hash {
	branches := []Hash{}

	// row holds a level of the tree without its first node, which is the one
	// that depends on the coinbase. Its sibling is the branch; the others are
	// folded in pairs, an odd last one with itself.
	row := append([]Hash(nil), txids...)
	for len(row) > 0 {
		branches = append(branches, row[0])
		rest, n := row[1:], 0
		for i := 0; i < len(rest); i += 2 {
			row[n] = hashPair(&rest[i], &rest[min(i+1, len(rest)-1)])
			n++
		}
		row = row[:n]
	}
	return branches
}

// MerkleRoot folds the coinbase's id with the branches into the merkle root
// of the block header. It does not allocate.
func MerkleRoot(coinbase Hash, branches []Hash) Hash {
	root := coinbase
	for i := range branches {
		root = hashPair(&root, &branches[i])
	}
	return root
}

// hashPair returns the parent of two nodes of a merkle tree.
func hashPair(left, right *Hash) Hash {
	var pair [64]byte
	copy(pair[:32], left[:])
	copy(pair[32:], right[:])
	return DoubleSHA256(pair[:])
}
