package node

import (
	"errors"
	"fmt"
	"time"
)

// Errors of the configuration, from New.
var (
	// ErrNoNodes means that the configuration names no node.
	ErrNoNodes = errors.New("no node is configured")
	// ErrURL means that a node's URL cannot be used. The message never repeats
	// the URL, since people put passwords into them.
	ErrURL = errors.New("unusable node URL")
	// ErrZMQAddress means that a publisher's address is not tcp://host:port or
	// ipc://path.
	ErrZMQAddress = errors.New("unusable ZMQ address")
	// ErrDuplicateName means that two nodes have the same name.
	ErrDuplicateName = errors.New("two nodes have the same name")
)

// Errors of calls to a node.
var (
	// ErrNoNode means that no usable node is there at the moment.
	ErrNoNode = errors.New("no usable node")
	// ErrCookie means that the cookie file cannot be read, or is not one.
	ErrCookie = errors.New("cookie file not readable")
	// ErrRedirect means that the server answered with a redirect; following it
	// would carry the credentials elsewhere.
	ErrRedirect = errors.New("redirect refused")
	// ErrNotJSON means that the answer was something else, such as HTML.
	ErrNotJSON = errors.New("answer is not JSON")
	// ErrMalformed means that the answer was JSON, but cut off or of another
	// shape than the method prescribes.
	ErrMalformed = errors.New("malformed answer")
	// ErrTooLarge means that the answer exceeded the limit for its method.
	ErrTooLarge = errors.New("answer too large")

	// ErrNotYet means that a node cannot judge a block at the moment.
	ErrNotYet = errors.New("the node cannot judge the block yet")
	// ErrFault means that this program panicked while it read an answer.
	ErrFault = errors.New("internal fault")

	errQuiet = errors.New("long poll ended without news")
)

// Reasons to refuse a template, and with it the node for the time being.
var (
	// ErrTemplate means that a template contradicts itself or lacks something.
	ErrTemplate = errors.New("inconsistent block template")
	// ErrUnknownRule means that the template needs a consensus rule that this
	// program does not know ("!rule", BIP9).
	ErrUnknownRule = errors.New("unknown consensus rule")
	// ErrNoSegwit means that a node on a network where segwit is active does
	// not know of it: a fork that split off before, such as Bitcoin Cash.
	ErrNoSegwit = errors.New("template without segwit")
	// ErrSignetChallenge means that blocks of the node's signet have to be
	// signed (BIP325). This program has no key for that: its blocks would be
	// refused, and the work of the miners lost.
	ErrSignetChallenge = errors.New("signet with signed blocks")
)

// Reasons to refuse a node.
var (
	// ErrWrongNetwork means that the node is on another chain than wanted.
	ErrWrongNetwork = errors.New("wrong network")
	// ErrSyncing means that the node is still downloading the chain.
	ErrSyncing = errors.New("initial block download")
)

// RPCError is an error that a node answered with.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error codes of Bitcoin Core (src/rpc/protocol.h).
const (
	codeMisc           = -1
	codeNotFound       = -5     // RPC_INVALID_ADDRESS_OR_KEY: no such block
	codeInvalidParam   = -8     // RPC_INVALID_PARAMETER
	codeNotConnected   = -9     // RPC_CLIENT_NOT_CONNECTED
	codeInDownload     = -10    // RPC_CLIENT_IN_INITIAL_DOWNLOAD
	codeDecode         = -22    // RPC_DESERIALIZATION_ERROR
	codeVerify         = -25    // RPC_VERIFY_ERROR: the node failed, not the block
	codeVerifyRejected = -26    // RPC_VERIFY_REJECTED
	codeWarmUp         = -28    // RPC_IN_WARMUP
	codeMethodNotFound = -32601 // JSON-RPC
	codeInternal       = -32603 // JSON-RPC
)

// Error returns the node's words and code.
func (e *RPCError) Error() string { return fmt.Sprintf("rpc error %d: %s", e.Code, e.Message) }

// HTTPError is an HTTP status without a JSON-RPC answer.
type HTTPError struct {
	Status int
	HTML   bool // the body looked like a web page
}

// Error returns the status.
func (e *HTTPError) Error() string { return fmt.Sprintf("http status %d", e.Status) }

// timeoutError says that a call took too long.
type timeoutError struct {
	method string
	after  time.Duration
}

// Error returns the method and how long it was waited for.
func (e *timeoutError) Error() string {
	return fmt.Sprintf("%s: no answer within %v", e.method, e.after)
}

// Timeout makes it a net.Error in spirit.
func (e *timeoutError) Timeout() bool { return true }
