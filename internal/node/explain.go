package node

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// explain turns an error of a call to the node at address into the node's
// state and words that help the person who runs it. The words hold neither
// credentials nor paths.
func explain(err error, address string) (state, reason string) {
	var rpc *RPCError
	if errors.As(err, &rpc) {
		return explainRPC(rpc)
	}
	var status *HTTPError
	if errors.As(err, &status) {
		return explainStatus(status, address)
	}
	switch {
	case errors.Is(err, ErrFault):
		return StateRefused, "This program has a fault and could not read the node's answer. Its log holds the details; please report them."
	case errors.Is(err, ErrSyncing):
		return StateSyncing, "The node is still downloading the block chain. Mining starts by itself when it is done."
	case errors.Is(err, ErrWrongNetwork), errors.Is(err, ErrNoSegwit):
		return StateWrongNetwork, sentence(err.Error())
	case errors.Is(err, ErrUnknownRule):
		return StateRefused, sentence(err.Error()) + " The node enforces something newer than this program. Update poolscope."
	case errors.Is(err, ErrSignetChallenge):
		return StateRefused, "Blocks of this signet have to be signed by whoever runs it, which this program cannot do. Only a private signet whose challenge is 51 (OP_TRUE) can be mined on; for tests there are regtest and testnet4 too."
	case errors.Is(err, ErrTemplate):
		return StateRefused, "The node's block template was refused: " + sentence(err.Error())
	case errors.Is(err, ErrCookie):
		return StateUnauthorized, explainCookie(err)
	case errors.Is(err, ErrRedirect):
		return StateUnreachable, "The server at " + address + " redirects to another address, which a Bitcoin node does not do. Check the node's URL."
	case errors.Is(err, ErrNotJSON):
		return StateUnreachable, "Something that is not a Bitcoin node answers at " + address + ". Check host and port of the node's URL."
	case errors.Is(err, ErrMalformed):
		return StateUnreachable, "The answer of the node was cut off or garbled."
	case errors.Is(err, ErrTooLarge):
		return StateUnreachable, "The answer of the node was larger than any valid answer."
	}
	return StateUnreachable, explainNetwork(err, address)
}

func explainRPC(e *RPCError) (state, reason string) {
	switch e.Code {
	case codeWarmUp:
		return StateWarmingUp, "The node has just started: " + sentence(e.Message)
	case codeNotConnected:
		return StateNoPeers, "The node has no connection to other nodes, so it cannot know the best chain. Check its network."
	case codeInDownload:
		return StateSyncing, "The node is still downloading the block chain. Mining starts by itself when it is done."
	case codeMethodNotFound:
		return StateRefused, "The node does not know a method that mining needs. It may be too old, built without mining, or its rpcwhitelist forbids it."
	}
	return StateRefused, fmt.Sprintf("The node answered with error %d: %s", e.Code, sentence(e.Message))
}

func explainStatus(e *HTTPError, address string) (state, reason string) {
	switch e.Status {
	case http.StatusUnauthorized:
		return StateUnauthorized, "The node refuses the user name and password, or the cookie (HTTP 401)."
	case http.StatusForbidden:
		return StateUnauthorized, "The node does not allow calls from this machine, or not this method (HTTP 403). Check rpcallowip and rpcwhitelist in bitcoin.conf."
	case http.StatusNotFound:
		return StateUnreachable, "The server at " + address + " does not know the path of the node's URL (HTTP 404)."
	case http.StatusServiceUnavailable:
		return StateUnreachable, "The node is overloaded (HTTP 503). Raise rpcworkqueue in bitcoin.conf if it stays."
	}
	if e.HTML {
		return StateUnreachable, fmt.Sprintf("A web server that is not a Bitcoin node answers at %s (HTTP %d). Check host and port of the node's URL.", address, e.Status)
	}
	return StateUnreachable, fmt.Sprintf("The server at %s answered with HTTP status %d.", address, e.Status)
}

func explainCookie(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "The node's cookie file is not there. The node writes it when it starts; is it running, and is the path right?"
	case errors.Is(err, fs.ErrPermission):
		return "The node's cookie file may not be read by this program. Add it to the node's group, or set rpccookieperms=group in bitcoin.conf."
	}
	return "The node's cookie file could not be read, or does not hold a cookie."
}

func explainNetwork(err error, address string) string {
	var (
		dns     *net.DNSError
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		timeout interface{ Timeout() bool }
	)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens at " + address + ". Is the node running, with server=1, and is the port right?"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "There is no route to " + address + "."
	case errors.As(err, &dns):
		return "The host name of " + address + " cannot be resolved."
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "The node's URL says https, but " + address + " speaks plain http."
	case errors.As(err, &unknown), errors.As(err, &name):
		return "The TLS certificate of " + address + " is not trusted by this machine."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "The node at " + address + " did not answer in time."
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "The node at " + address + " closed the connection."
	case strings.Contains(err.Error(), "malformed HTTP"):
		return "Something that does not speak HTTP answers at " + address + ". If the node uses TLS, its URL has to start with https."
	}
	return "The node at " + address + " cannot be reached."
}

// connectivity reports whether err says that the node is not there, rather
// than that it does not like the call. A wrong password counts: the node
// behind it cannot be used.
func connectivity(err error) bool {
	if err == nil {
		return false
	}
	var rpc *RPCError
	if errors.As(err, &rpc) {
		return false
	}
	for _, refusal := range []error{ErrTemplate, ErrUnknownRule, ErrNoSegwit, ErrSignetChallenge, ErrFault, ErrWrongNetwork, ErrSyncing} {
		if errors.Is(err, refusal) {
			return false
		}
	}
	return true
}

// sentence gives node or error text a capital and a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if last := text[len(text)-1]; last != '.' && last != '!' && last != '?' && !strings.HasSuffix(text, "…") {
		text += "."
	}
	return text
}
