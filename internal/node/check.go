package node

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// rules are the consensus rules that this program can mine under. A node marks
// a rule with '!' when a miner that ignores it would make invalid blocks
// (BIP9); those must be here. Of these only segwit and signet ask anything of
// the block itself, the others constrain transactions, which the node chooses.
func knownRule(name string) bool {
	switch name {
	case "csv", "segwit", "taproot", "signet", "testdummy":
		return true
	}
	return false
}

// openChallenge is the one signet challenge that a block without a signature
// satisfies: OP_TRUE (BIP325).
var openChallenge = []byte{0x51}

// checkTemplate completes a decoded template and refuses it when a block made
// from it could not be valid. Segwit says that the node is known to have segwit
// active, from elsewhere. Errors are ErrTemplate, ErrUnknownRule, ErrNoSegwit,
// ErrSignetChallenge.
func checkTemplate(t *rawTemplate, network bitcoin.Network, segwit bool) error {
	switch s := t.seen; {
	case !s.value:
		return fmt.Errorf("%w: coinbasevalue is missing", ErrTemplate)
	case !s.version || !s.previous || !s.time || !s.bits || !s.height:
		return fmt.Errorf("%w: version, previousblockhash, curtime, bits or height is missing", ErrTemplate)
	}
	for _, rule := range t.Rules {
		name, must := strings.CutPrefix(rule, "!")
		if must && !knownRule(name) {
			return fmt.Errorf("%w: %q", ErrUnknownRule, name)
		}
		segwit = segwit || name == "segwit"
	}

	if c := t.SignetChallenge; c != nil && !bytes.Equal(c, openChallenge) {
		return ErrSignetChallenge
	}

	target, err := bitcoin.TargetFromBits(t.Bits)
	if err != nil {
		return fmt.Errorf("%w: bits %08x: %w", ErrTemplate, t.Bits, err)
	}
	if t.target != nil {
		if named, err := bitcoin.ParseTarget(string(t.target)); err != nil || named != target {
			return fmt.Errorf("%w: bits and target differ", ErrTemplate)
		}
	}

	if t.CurTime < t.MinTime {
		t.CurTime = t.MinTime
	}
	if t.WeightLimit == 0 {
		t.WeightLimit = defaultWeightLimit
	}
	if t.SigOpLimit == 0 {
		t.SigOpLimit = defaultSigOpLimit
	}

	if err := commitTo(t, segwit); err != nil {
		return err
	}
	if t.WitnessCommitment == nil && network != bitcoin.Regtest {
		return fmt.Errorf("%w: the node is on a chain that split off from Bitcoin before segwit, such as Bitcoin Cash or Bitcoin SV", ErrNoSegwit)
	}
	return nil
}

// commitTo computes the witness commitment and compares it with the node's.
//
// Bitcoin Core always sends one. btcd sends none for an empty block, and
// otherwise the bare hash in place of the script; whether segwit is active is
// then taken from its list of soft forks. A block without witnesses is valid
// without a commitment too, so that without any sign of segwit none is made: a
// commitment would come with a coinbase witness, which is invalid before
// segwit.
func commitTo(t *rawTemplate, segwit bool) error {
	wtxids := make([]bitcoin.Hash, len(t.Transactions))
	for i := range t.Transactions {
		tx := &t.Transactions[i]
		wtxids[i] = tx.WTxID
		segwit = segwit || tx.WTxID != tx.TxID
	}
	if t.commitment == nil && !segwit {
		return nil
	}

	script := bitcoin.WitnessCommitment(wtxids)
	switch given := t.commitment; {
	case given == nil, bytes.Equal(given, script):
		t.WitnessCommitment = script
	case len(given) == 32 && bytes.Equal(given, script[len(script)-32:]):
		t.WitnessCommitment = script
	case len(given) > len(script) && bytes.HasPrefix(given, script):
		t.WitnessCommitment = given // BIP141 lets more data follow
	default:
		return fmt.Errorf("%w: default_witness_commitment does not fit the transactions", ErrTemplate)
	}
	return nil
}
