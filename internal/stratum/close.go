package stratum

// CloseReason says why a connection ended. Every one is counted.
type CloseReason uint8

// The reasons, in the order of their table.
const (
	CloseUnknown CloseReason = iota
	CloseByPeer
	CloseReset
	CloseHandshakeTimeout
	CloseLineTooLong
	CloseBadJSON
	CloseSlowReader
	CloseTLSOnPlainPort
	CloseTLSHandshake
	CloseInvalidAddress
	CloseWrongNetwork
	CloseTooMany
	CloseTooManyFromAddress
	CloseBanned
	CloseShareFlood
	CloseMisbehaved
	CloseTooFast
	CloseTooManyPending
	CloseProxyHeader
	CloseUntrustedProxy
	ClosePanic
	CloseShutdown
	CloseNodeDown
	CloseOperatorRequest
	CloseOwnerRequest
	numCloseReasons
)

var closeNames = [numCloseReasons]string{
	CloseUnknown:            "unknown",
	CloseByPeer:             "closed_by_miner",
	CloseReset:              "connection_lost",
	CloseHandshakeTimeout:   "handshake_timeout",
	CloseLineTooLong:        "line_too_long",
	CloseBadJSON:            "bad_json",
	CloseSlowReader:         "slow_reader",
	CloseTLSOnPlainPort:     "tls_on_plain_port",
	CloseTLSHandshake:       "tls_handshake_failed",
	CloseInvalidAddress:     "invalid_address",
	CloseWrongNetwork:       "wrong_network",
	CloseTooMany:            "too_many_connections",
	CloseTooManyFromAddress: "too_many_from_address",
	CloseBanned:             "banned",
	CloseShareFlood:         "share_flood",
	CloseMisbehaved:         "misbehaved",
	CloseTooFast:            "connecting_too_fast",
	CloseTooManyPending:     "too_many_unauthorized_from_address",
	CloseProxyHeader:        "bad_proxy_header",
	CloseUntrustedProxy:     "untrusted_proxy",
	ClosePanic:              "internal_error",
	CloseShutdown:           "shutdown",
	CloseNodeDown:           "node_not_well",
	CloseOperatorRequest:    "operator_request",
	CloseOwnerRequest:       "owner_request",
}

// String is the stable snake_case name of the reason, for counters and JSON.
func (r CloseReason) String() string {
	if r >= numCloseReasons {
		r = CloseUnknown
	}
	return closeNames[r]
}

// CloseReasons lists every reason, so that counters can be registered at zero.
func CloseReasons() []CloseReason {
	all := make([]CloseReason, numCloseReasons)
	for i := range all {
		all[i] = CloseReason(i)
	}
	return all
}
