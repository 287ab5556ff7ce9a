package devnet

import "fmt"

// Error codes of Bitcoin Core (rpc/protocol.h).
const (
	codeInvalidRequest   = -32600
	codeMethodNotFound   = -32601
	codeInvalidParams    = -32602
	codeInternal         = -32603
	codeParse            = -32700
	codeMisc             = -1
	codeType             = -3
	codeInvalidAddress   = -5 // also: block or transaction not found
	codeInvalidParameter = -8
	codeNotConnected     = -9
	codeDatabase         = -20
	codeDeserialization  = -22
	codeTransaction      = -25
	codeRejected         = -26
	codeAlreadyInChain   = -27
	codeWarmUp           = -28
	codeNodeNotConnected = -29
)

// rpcError is an error as JSON-RPC carries it.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *rpcError) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// rpcErrorf makes an rpcError.
func rpcErrorf(code int, format string, args ...any) *rpcError {
	return &rpcError{Code: code, Message: fmt.Sprintf(format, args...)}
}
