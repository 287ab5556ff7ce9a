package devnet

import (
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/wire/v2"
)

// errNotFound says that the node does not know a block or a transaction.
var errNotFound = errors.New("devnet: not found")

// errAddress says that a string is no address of this network.
var errAddress = errors.New("devnet: not an address of this network")

// place is where a block is.
type place struct {
	hash          chainhash.Hash
	header        wire.BlockHeader
	height        int32
	confirmations int64           // -1 off the best chain
	next          *chainhash.Hash // nil at the tip and off the best chain
}

// locate finds a block that is on the best chain or off it.
func (e *engine) locate(hash *chainhash.Hash) (*place, error) {
	header, err := e.chain.HeaderByHash(hash)
	if err != nil {
		return nil, errNotFound
	}
	p := &place{hash: *hash, header: header, confirmations: -1}
	height, err := e.chain.BlockHeightByHash(hash)
	if err == nil {
		best := e.chain.BestSnapshot()
		p.height, p.confirmations = height, int64(best.Height-height)+1
		if next, err := e.chain.BlockHashByHeight(height + 1); err == nil {
			p.next = next
		}
		return p, nil
	}

	// Off the best chain: count the steps down to it.
	steps, at := int32(1), header.PrevBlock
	for {
		if height, err := e.chain.BlockHeightByHash(&at); err == nil {
			p.height = height + steps
			return p, nil
		}
		parent, err := e.chain.HeaderByHash(&at)
		if err != nil {
			return nil, errNotFound
		}
		at = parent.PrevBlock
		steps++
	}
}

// block reads a block from the database, on the best chain or off it.
func (e *engine) block(hash *chainhash.Hash) (*btcutil.Block, error) {
	var raw []byte
	err := e.db.View(func(tx database.Tx) error {
		stored, err := tx.FetchBlock(hash)
		raw = append([]byte(nil), stored...) // valid only inside the transaction
		return err
	})
	var dbErr database.Error
	if errors.As(err, &dbErr) && dbErr.ErrorCode == database.ErrBlockNotFound {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("devnet: read block %s: %w", hash, err)
	}
	block, err := btcutil.NewBlockFromBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("devnet: decode block %s: %w", hash, err)
	}
	return block, nil
}

// medianTime returns the median time past of a block, itself included.
func (e *engine) medianTime(header *wire.BlockHeader) (time.Time, error) {
	if header.PrevBlock == (chainhash.Hash{}) {
		return header.Timestamp, nil // btcd would look for the genesis' parent
	}
	at, err := e.chain.PastMedianTime(header)
	if err != nil {
		return time.Time{}, fmt.Errorf("devnet: median time: %w", err)
	}
	return at, nil
}

// decodeAddress reads an address of this network.
func (e *engine) decodeAddress(s string) (address.Address, error) {
	addr, err := address.DecodeAddress(s, e.params)
	if err != nil || !addr.IsForNet(e.params) {
		return nil, errAddress
	}
	// A bare public key decodes as an address, too; nobody pays to those.
	if _, ok := addr.(*address.AddressPubKey); ok {
		return nil, errAddress
	}
	return addr, nil
}
