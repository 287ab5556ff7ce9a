package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// SubmitVerdict is what became of a submitted block at one node.
type SubmitVerdict uint8

// Verdicts.
const (
	// Unreachable: no answer, and the node could not be asked afterwards
	// either, or it was not able to judge: it has not got the block before this
	// one yet, or its clock is slow, or it is in trouble itself. Try again.
	Unreachable SubmitVerdict = iota
	// Accepted: the node took the block.
	Accepted
	// Duplicate: the node has the block already and it is valid.
	Duplicate
	// Inconclusive: the node knows the block, but not as part of its best
	// chain; another block won the race, or it is still being judged.
	Inconclusive
	// Rejected: the block breaks a rule. Trying again is of no use.
	Rejected
	// Pending: the node had not answered when another one took the block. Its
	// answer will be logged.
	Pending
)

// String returns the verdict's name in lower case.
func (v SubmitVerdict) String() string {
	switch v {
	case Accepted:
		return "accepted"
	case Duplicate:
		return "duplicate"
	case Inconclusive:
		return "inconclusive"
	case Rejected:
		return "rejected"
	case Pending:
		return "pending"
	default:
		return "unreachable"
	}
}

// SubmitResult is the answer of one node.
type SubmitResult struct {
	Node    string // its name
	Verdict SubmitVerdict
	Reason  string // the node's own words (BIP22), or ours when it had none
	Err     error  // set when Unreachable; wraps ErrNotYet when the node did answer
}

// BlockStatus is what a node knows about a block.
type BlockStatus struct {
	Known         bool
	Confirmations int64 // 1 for the tip, -1 when not in the best chain
	Height        int64 // 0 when the node did not say it
}

// resolveTimeout bounds the question what became of a block, after the answer
// to its submission was lost.
const resolveTimeout = 10 * time.Second

// statusTimeout bounds how long BlockStatus waits for one node, so that one
// that hangs leaves time for the others.
const statusTimeout = 3 * time.Second

// SubmitBlock sends a block to all nodes in parallel, one attempt each, also to
// those that give no templates. It returns their verdicts in the order of the
// configuration, as soon as one node has the block (Accepted or Duplicate) or
// all have answered. In the first case the other attempts go on in the
// background, whatever becomes of ctx: their verdict is Pending, they end after
// 70 s at most, and when Run ends.
func (n *Nodes) SubmitBlock(ctx context.Context, block []byte, hash bitcoin.Hash) []SubmitResult {
	data := quoteHex(block)
	// Attempts end with ctx until one has succeeded, and when the background is
	// to be cleared.
	background, abort := context.WithCancel(context.WithoutCancel(ctx))
	calls, cancel := context.WithCancelCause(background)
	release := context.AfterFunc(ctx, func() { cancel(ctx.Err()) })

	results := make([]SubmitResult, len(n.members))
	answers := make(chan submitAnswer, len(n.members))
	for i, m := range n.members {
		results[i] = SubmitResult{Node: m.name, Verdict: Pending, Reason: "The node has not answered yet."}
		go func() {
			r := SubmitResult{Node: m.name, Reason: "A fault of this program.", Err: ErrFault}
			n.survive("submission", func() { r = n.submitTo(calls, background, m, data, hash) })
			answers <- submitAnswer{i, r}
		}()
	}
	open := len(n.members)
	for taken := false; open > 0 && (!taken || len(answers) > 0); open-- {
		a := <-answers
		results[a.index] = a.result
		taken = taken || a.result.Verdict == Accepted || a.result.Verdict == Duplicate
	}
	release()

	// Whatever happened, the tip may be another one now.
	n.fetchNow()
	n.finish(answers, open, hash, abort)
	return results
}

// submitAnswer is the verdict of the node with an index.
type submitAnswer struct {
	index  int
	result SubmitResult
}

// finish waits in the background for the answers that are still open.
func (n *Nodes) finish(answers <-chan submitAnswer, open int, hash bitcoin.Hash, abort context.CancelFunc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.over:
		open = 0
	default:
	}
	if open == 0 {
		abort()
		return
	}
	n.late.Go(func() {
		defer abort()
		over := n.over
		for open > 0 {
			select {
			case <-over:
				abort()
				over = nil
			case a := <-answers:
				open--
				r := a.result
				n.log.Info("late answer to a submitted block", "node", r.Node, "hash", hash, "verdict", r.Verdict, "reason", r.Reason, "err", r.Err)
				n.fetchNow() // it may be the active node
			}
		}
	})
}

// submitTo sends a block to one node, as long as ctx allows. What became of a
// block whose answer is lost may be asked after that, until background ends.
func (n *Nodes) submitTo(ctx, background context.Context, m *member, data []byte, hash bitcoin.Hash) SubmitResult {
	r := SubmitResult{Node: m.name}
	var reason string
	start := time.Now()
	err := n.call(ctx, m, submitTimeout, &reason, "submitblock", data)
	took := time.Since(start)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}

	if err == nil && reason == "" {
		n.timeSubmit(took)
		r.Verdict = Accepted
		return r
	}
	var rpc *RPCError
	if errors.As(err, &rpc) {
		switch rpc.Code {
		case codeDecode, codeVerifyRejected, codeInvalidParam:
			r.Verdict, r.Reason = Rejected, rpc.Message
		default:
			// Among others codeVerify: Core could not judge the block, since
			// its disk is full, say.
			_, r.Reason = explain(err, m.rpc.endpoint.address)
			r.Err = err
		}
		return r
	}
	if err == nil {
		n.timeSubmit(took)
	}

	// The words, or the silence, do not say whether the block is in the chain.
	// The caller's time may be up; the question is short enough to be put
	// nevertheless, unless the program is about to end.
	if errors.Is(context.Cause(ctx), context.Canceled) {
		_, r.Reason = explain(context.Canceled, m.rpc.endpoint.address)
		r.Err = context.Canceled
		return r
	}
	askCtx, cancel := context.WithTimeout(background, resolveTimeout)
	defer cancel()
	status, statusErr := n.blockStatusAt(askCtx, m, hash)

	r.Verdict, r.Reason = judge(reason, err, status, statusErr)
	switch {
	case r.Verdict != Unreachable:
	case r.Reason != "":
		r.Err = fmt.Errorf("%w: %s", ErrNotYet, r.Reason)
	default:
		r.Err = errors.Join(err, statusErr)
		_, r.Reason = explain(r.Err, m.rpc.endpoint.address)
	}
	return r
}

func (n *Nodes) timeSubmit(took time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.submit.add(took, time.Now())
}

// judge combines what a node said about a block, or why it said nothing, with
// what it knows about the block now.
//
// Bitcoin Core answers "duplicate" when it has the block and has found it
// valid, "duplicate-invalid" when invalid, and "inconclusive" when it took the
// block without making it its tip, or could not tell. btcd puts "rejected: "
// before its own words, also for a block that it has.
//
// Some refusals do not last: see passing.
func judge(reason string, err error, status BlockStatus, statusErr error) (SubmitVerdict, string) {
	known := statusErr == nil && status.Known
	switch {
	case known && status.Confirmations > 0 && strings.Contains(strings.ToLower(reason), "inconclusive"):
		return Accepted, "the block is in the node's best chain"
	case known && status.Confirmations > 0 && err != nil:
		return Accepted, "the answer was lost, but the block is in the node's best chain"
	case known && status.Confirmations > 0:
		return Duplicate, reason
	case reason == "duplicate-invalid":
		return Rejected, reason
	case known:
		return Inconclusive, strings.TrimSpace(reason + " (the node has the block, but not in its best chain)")
	case reason == "duplicate":
		return Duplicate, reason
	case strings.Contains(reason, "inconclusive"):
		return Inconclusive, reason
	case passing(reason):
		return Unreachable, reason
	case reason != "":
		return Rejected, reason
	default:
		return Unreachable, ""
	}
}

// passing reports whether a refusal says something about the node rather than
// about the block: it does not know the block before this one, as after a
// restart that lost the last seconds, or its clock is behind. In the words of
// Core and of btcd.
func passing(reason string) bool {
	reason = strings.ToLower(reason)
	switch {
	case strings.Contains(reason, "prev-blk-not-found"), strings.Contains(reason, "time-too-new"):
		return true
	case strings.Contains(reason, "previous block") && strings.Contains(reason, "is unknown"):
		return true
	}
	return strings.Contains(reason, "timestamp") && strings.Contains(reason, "too far in the future")
}

// Propose asks a node whether it would accept the block, leaving the proof of
// work aside (BIP23): the one of that name, which gave the template. The reason
// is empty when it would, else in the node's words (BIP22). A node that does not
// know proposals answers with an RPCError; ErrNoNode means that it is not to be
// had now.
func (n *Nodes) Propose(ctx context.Context, name string, block []byte) (reason string, err error) {
	m, network := n.named(name)
	if m == nil {
		return "", ErrNoNode
	}
	params := append([]byte(`{"mode":"proposal","data":`), quoteHex(block)...)
	params = append(params, ',')
	params = append(params, templateParams(network, "")[1:]...)
	// Not counted as the node's failure: nothing but this question depends on
	// the answer.
	err = m.rpc.call(ctx, submitTimeout, &reason, "getblocktemplate", params)
	return reason, err
}

// named is the usable node of a name, nil when there is none.
func (n *Nodes) named(name string) (*member, bitcoin.Network) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range n.members {
		if m.name == name && m.usableLocked() {
			return m, n.network
		}
	}
	return nil, n.network
}

// BlockStatus asks the active node for a block, then the others until one
// knows it, each for 3 s at most. That no node knows the block is not an error;
// that none answers is.
func (n *Nodes) BlockStatus(ctx context.Context, h bitcoin.Hash) (BlockStatus, error) {
	n.mu.Lock()
	active := n.active
	n.mu.Unlock()
	order := make([]*member, 0, len(n.members)+1)
	if active != nil {
		order = append(order, active)
	}
	for _, m := range n.members {
		if m != active {
			order = append(order, m)
		}
	}

	var problems []error
	for _, m := range order {
		status, err := n.blockStatusSoon(ctx, m, h)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", m.name, err))
		case status.Known:
			return status, nil
		}
	}
	if len(problems) == len(order) {
		return BlockStatus{}, errors.Join(problems...)
	}
	return BlockStatus{}, nil
}

// blockStatusSoon is blockStatusAt within statusTimeout. A node that needs
// longer, as while it connects a block, is not taken for gone.
func (n *Nodes) blockStatusSoon(ctx context.Context, m *member, h bitcoin.Hash) (BlockStatus, error) {
	soon, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	status, err := n.blockStatusAt(soon, m, h)
	if err != nil && soon.Err() != nil && ctx.Err() == nil {
		err = &timeoutError{method: "getblockheader", after: statusTimeout}
	}
	return status, err
}

// blockStatusAt asks one node for a block.
func (n *Nodes) blockStatusAt(ctx context.Context, m *member, h bitcoin.Hash) (BlockStatus, error) {
	var header headerInfo
	hash := quoteJSON(h.String())
	err := n.call(ctx, m, quickTimeout, &header, "getblockheader", hash, []byte("true"))
	var rpc *RPCError
	switch {
	case err == nil && header.Confirmations != 0:
		return BlockStatus{Known: true, Confirmations: header.Confirmations, Height: header.Height}, nil
	case err == nil:
		// Core counts a block of the best chain from 1, any other as -1.
		return BlockStatus{Known: true, Confirmations: -1, Height: header.Height}, nil
	case notFound(err):
		return BlockStatus{}, nil
	case errors.As(err, &rpc) && rpc.Code == codeInternal:
		// btcd fails on a block outside of its best chain, but has its bytes.
		var raw string
		if err := n.call(ctx, m, quickTimeout, &raw, "getblockheader", hash, []byte("false")); err != nil {
			return BlockStatus{}, err
		}
		return BlockStatus{Known: true, Confirmations: -1}, nil
	}
	return BlockStatus{}, err
}
