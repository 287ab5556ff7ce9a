package stratum

// Reject says why a share or a request was refused. It is a value, not an
// error: one table maps it to the wire (code and text), to the name of its
// counter, and to words for people. The zero value means "not rejected".
type Reject uint8

// The rejects of this pool. Their texts are the ones that AxeOS explains to
// its users where it knows one (requirement R-U8).
const (
	NotRejected Reject = iota
	RejectStale
	RejectUnknownJob
	RejectDuplicate
	RejectLowDifficulty
	RejectUnauthorized
	RejectNotSubscribed
	RejectInvalidAddress
	RejectWrongNetwork
	RejectOtherAddress
	RejectUnpayable
	RejectBanned
	RejectExtranonce2
	RejectNTime
	RejectNonce
	RejectVersionMask
	RejectMalformed
	RejectUnknownMethod
	RejectTooManyWorkers
	RejectNoWork
	RejectInternal
	numRejects
)

// rejectInfo is one row of the reject table.
type rejectInfo struct {
	code   int    // Stratum error code: 20 other … 25 not subscribed
	text   string // what the miner's screen shows
	name   string // label of the counter; stable, snake_case
	advice string // what the person who owns the miner can do about it
}

var rejectTable = [numRejects]rejectInfo{
	NotRejected:          {0, "", "none", ""},
	RejectStale:          {21, "Stale", "stale", "The share was for the previous block. A few of them after each block are normal; many mean a slow network between miner and pool."},
	RejectUnknownJob:     {21, "Invalid JobID", "unknown_job", "The miner worked on a job that this connection was never given. Restart the miner; if it stays, update its firmware."},
	RejectDuplicate:      {22, "Duplicate", "duplicate", "The same share was sent twice. Usually a firmware that repeats its search after a new job."},
	RejectLowDifficulty:  {23, "Above target", "low_difficulty", "The share was too easy for the difficulty of its job. Overclocked or faulty chips and a wrong difficulty setting cause this."},
	RejectUnauthorized:   {24, "Unauthorized worker", "unauthorized", "The miner sent shares before it signed in with a payout address."},
	RejectNotSubscribed:  {25, "Not subscribed", "not_subscribed", "The miner sent shares before it subscribed."},
	RejectInvalidAddress: {24, "Invalid Bitcoin address", "invalid_address", "The user name must start with a Bitcoin address of yours, optionally followed by a dot and a name for the miner."},
	RejectWrongNetwork:   {24, "Bitcoin address of another network", "wrong_network", "The address belongs to another network than the one that this pool mines on."},
	RejectOtherAddress:   {24, "Another address is mined for on this connection", "other_address", "All workers of one connection are paid by one coinbase. Let miners with another payout address connect by themselves."},
	RejectUnpayable:      {24, "Address too long for this pool's coinbase", "unpayable_address", "The pool's coinbase has no room for an address of this type. Use a shorter one (bc1q… of 42 characters), or ask the operator for a larger coinbase."},
	RejectBanned:         {24, "Banned", "banned", "This connection or its address sent too much that was wrong. The ban ends by itself."},
	RejectExtranonce2:    {20, "Invalid nonce2 length", "invalid_extranonce2", "The miner's extranonce2 has another size than the pool asked for. Update its firmware, or the proxy in between."},
	RejectNTime:          {20, "Ntime out of range", "ntime_out_of_range", "The block time in the share is too old or too far in the future. Check the miner's firmware."},
	RejectNonce:          {20, "Invalid nonce", "invalid_nonce", "The nonce was not a hexadecimal number of at most 8 digits."},
	RejectVersionMask:    {20, "Invalid version mask", "invalid_version_mask", "The miner changed version bits that it was not allowed to roll."},
	RejectMalformed:      {20, "Invalid parameters", "malformed", "The request did not have the parameters that Stratum prescribes."},
	RejectUnknownMethod:  {20, "Unknown method", "unknown_method", "The miner asked for something that this pool does not know. Harmless."},
	RejectTooManyWorkers: {20, "Too many workers on this connection", "too_many_workers", "Spread the workers over more connections."},
	RejectNoWork:         {20, "No work available yet", "no_work", "The pool is waiting for its Bitcoin node."},
	RejectInternal:       {20, "Internal error", "internal", "A fault of the pool; its log says more."},
}

// Code is the Stratum error code: 21 job not found, 22 duplicate, 23 low
// difficulty, 24 unauthorized, 25 not subscribed, 20 anything else.
func (r Reject) Code() int { return r.info().code }

// Text is the message on the wire.
func (r Reject) Text() string { return r.info().text }

// Name is the reject's stable snake_case name for counters and JSON.
func (r Reject) Name() string { return r.info().name }

// Advice tells the owner of the miner what to do, in a sentence or two.
func (r Reject) Advice() string { return r.info().advice }

// String returns Name.
func (r Reject) String() string { return r.Name() }

func (r Reject) info() *rejectInfo {
	if r >= numRejects {
		r = RejectInternal
	}
	return &rejectTable[r]
}

// Rejects lists every reject, in the order of the table, so that counters can
// be registered at zero.
func Rejects() []Reject {
	all := make([]Reject, 0, numRejects-1)
	for r := NotRejected + 1; r < numRejects; r++ {
		all = append(all, r)
	}
	return all
}
