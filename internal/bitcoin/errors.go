package bitcoin

import "errors"

// Errors of parsing. All of them are returned wrapped, with the detail.
var (
	// ErrInvalidHash means that a text is not a hash of 64 hex digits.
	ErrInvalidHash = errors.New("invalid hash")
	// ErrInvalidHeader means that a block header does not have 80 bytes.
	ErrInvalidHeader = errors.New("invalid block header")
	// ErrInvalidTarget means that a text is not a number of 1 to 64 hex digits.
	ErrInvalidTarget = errors.New("invalid target")
	// ErrNegativeTarget means that the sign bit of compact bits is set.
	ErrNegativeTarget = errors.New("negative target")
	// ErrTargetOverflow means that compact bits stand for more than 256 bits.
	ErrTargetOverflow = errors.New("target over 256 bits")
	// ErrZeroTarget means that no hash can ever meet a target.
	ErrZeroTarget = errors.New("target is zero")
	// ErrUnknownNetwork means that a chain name is none of Bitcoin Core's.
	ErrUnknownNetwork = errors.New("unknown network")
)

// Errors of payout addresses.
var (
	// ErrInvalidAddress means that nobody can be paid at an address: a typing
	// error, an unknown kind, or a witness version without rules yet.
	ErrInvalidAddress = errors.New("invalid address")
	// ErrWrongNetwork means that an address is good, but for another network.
	ErrWrongNetwork = errors.New("address of another network")
)

// Errors of building a coinbase.
var (
	// ErrHeight means that a height is negative or beyond what nLockTime can
	// hold as a height.
	ErrHeight = errors.New("block height out of range")
	// ErrExtranonceSize means that the extranonces do not fit one plain push
	// of 1 to 75 bytes.
	ErrExtranonceSize = errors.New("extranonce size out of range")
	// ErrScriptSigTooLong means that the tag (or the flags of the template)
	// make the scriptSig longer than the 100 bytes of consensus.
	ErrScriptSigTooLong = errors.New("coinbase scriptSig too long")
	// ErrCoinbaseTooLarge means that the stripped coinbase is larger than
	// wanted.
	ErrCoinbaseTooLarge = errors.New("coinbase too large")
	// ErrInvalidOutput means that an output has an impossible value or no
	// script, or that there is no output at all.
	ErrInvalidOutput = errors.New("invalid coinbase output")
	// ErrInvalidCommitment means that a script is not a witness commitment of
	// BIP141.
	ErrInvalidCommitment = errors.New("invalid witness commitment")
)

// ErrAudit means that a coinbase is not the one that was wanted. The text
// names the field, what it holds and what it should.
var ErrAudit = errors.New("coinbase audit failed")
