package stratum

import "bytes"

// Method is a method that a miner may call.
type Method uint8

// The methods that miners send (requirement section 1.1 of the protocol
// dossier). MethodNone is a line without a method: a response.
const (
	MethodNone Method = iota
	MethodUnknown
	MethodSubscribe
	MethodAuthorize
	MethodSubmit
	MethodConfigure
	MethodSuggestDifficulty
	MethodSuggestTarget
	MethodExtranonceSubscribe
	MethodGetTransactions
	MethodCapabilities
	MethodMultiVersion
	MethodPing
	MethodPong
	MethodGetVersion
	MethodIgnored // a method of the pool's own, sent back by a confused proxy
)

var methodNames = []struct {
	name   string
	method Method
}{
	{"mining.submit", MethodSubmit},
	{"mining.subscribe", MethodSubscribe},
	{"mining.configure", MethodConfigure},
	{"mining.suggest_difficulty", MethodSuggestDifficulty},
	{"mining.suggest_target", MethodSuggestTarget},
	{"mining.set_difficulty", MethodSuggestDifficulty},
	{"mining.set_target", MethodSuggestTarget},
	{"mining.extranonce.subscribe", MethodExtranonceSubscribe},
	{"mining.subscribe_extranonce", MethodExtranonceSubscribe},
	{"mining.get_transactions", MethodGetTransactions},
	{"mining.capabilities", MethodCapabilities},
	{"mining.multi_version", MethodMultiVersion},
	{"mining.ping", MethodPing},
	{"client.ping", MethodPing},
	{"mining.pong", MethodPong},
	{"pong", MethodPong},
	{"client.get_version", MethodGetVersion},
	{"client.show_message", MethodIgnored},
	{"client.reconnect", MethodIgnored},
}

// authPrefix is matched as a prefix: mining.auth, mining.authorize and what
// else firmware makes of it (requirement R-F9).
const authPrefix = "mining.auth"

// methodOf finds a method by name, ignoring case.
func methodOf(name []byte) Method {
	if string(name) == "mining.submit" {
		return MethodSubmit
	}
	if len(name) >= len(authPrefix) && bytes.EqualFold(name[:len(authPrefix)], []byte(authPrefix)) {
		return MethodAuthorize
	}
	for i := range methodNames {
		if bytes.EqualFold(name, []byte(methodNames[i].name)) {
			return methodNames[i].method
		}
	}
	return MethodUnknown
}
