package devnet

import (
	"context"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// What the node says it is. The version is that of the Core release whose
// RPC dialect is spoken.
const (
	nodeVersion     = 290000
	nodeSubversion  = "/poolscope-devnet:0.1.0/"
	protocolVersion = 70016
)

// networkMethods are about peers, of which a solo node has none.
func (r *rpcAPI) networkMethods() []*method {
	return []*method{
		{name: "getnetworkinfo", about: "The state of the network.", run: r.getNetworkInfo},
		{name: "getpeerinfo", about: "The connected nodes: none, ever.", run: r.getPeerInfo},
		{name: "getconnectioncount", about: "The number of connected nodes.", run: r.getConnectionCount},
		{name: "disconnectnode", params: []string{"address?", "nodeid?"}, about: "Disconnects a node.", run: r.disconnectNode},
		{name: "validateaddress", params: []string{"address"}, about: "Tells what an address is.", run: r.validateAddress},
	}
}

// networkInfo is the answer of getnetworkinfo.
type networkInfo struct {
	Version            int      `json:"version"`
	Subversion         string   `json:"subversion"`
	ProtocolVersion    int      `json:"protocolversion"`
	LocalServices      string   `json:"localservices"`
	LocalServicesNames []string `json:"localservicesnames"`
	LocalRelay         bool     `json:"localrelay"`
	TimeOffset         int      `json:"timeoffset"`
	NetworkActive      bool     `json:"networkactive"`
	Connections        int      `json:"connections"`
	ConnectionsIn      int      `json:"connections_in"`
	ConnectionsOut     int      `json:"connections_out"`
	Networks           []string `json:"networks"`
	RelayFee           amount   `json:"relayfee"`
	IncrementalFee     amount   `json:"incrementalfee"`
	LocalAddresses     []string `json:"localaddresses"`
	Warnings           []string `json:"warnings"`
}

func (r *rpcAPI) getNetworkInfo(context.Context, *args) (any, error) {
	return &networkInfo{
		Version:            nodeVersion,
		Subversion:         nodeSubversion,
		ProtocolVersion:    protocolVersion,
		LocalServices:      "0000000000000009",
		LocalServicesNames: []string{"NETWORK", "WITNESS"},
		LocalRelay:         true,
		Networks:           []string{},
		RelayFee:           minRelayFee,
		IncrementalFee:     minRelayFee,
		LocalAddresses:     []string{},
		Warnings:           []string{},
	}, nil
}

func (r *rpcAPI) getPeerInfo(context.Context, *args) (any, error) { return []string{}, nil }

func (r *rpcAPI) getConnectionCount(context.Context, *args) (any, error) { return 0, nil }

func (r *rpcAPI) disconnectNode(_ context.Context, a *args) (any, error) {
	addr := ""
	if a.has(0) {
		var err error
		if addr, err = a.text(0); err != nil {
			return nil, err
		}
	}
	if (addr != "") == a.has(1) {
		return nil, rpcErrorf(codeInvalidParams, "Only one of address and nodeid should be provided.")
	}
	return nil, rpcErrorf(codeNodeNotConnected, "Node not found in connected nodes")
}

// addressInfo is the answer of validateaddress for a good address.
type addressInfo struct {
	IsValid        bool   `json:"isvalid"`
	Address        string `json:"address"`
	ScriptPubKey   string `json:"scriptPubKey"`
	IsScript       bool   `json:"isscript"`
	IsWitness      bool   `json:"iswitness"`
	WitnessVersion *int   `json:"witness_version,omitempty"`
	WitnessProgram string `json:"witness_program,omitempty"`
}

// badAddress is the answer for any other string.
type badAddress struct {
	IsValid        bool   `json:"isvalid"`
	ErrorLocations []int  `json:"error_locations"`
	Error          string `json:"error"`
}

func (r *rpcAPI) validateAddress(_ context.Context, a *args) (any, error) {
	s, err := a.text(0)
	if err != nil {
		return nil, err
	}
	addr, err := r.engine.decodeAddress(s)
	if err != nil {
		return &badAddress{ErrorLocations: []int{}, Error: "Invalid or unsupported Segwit (Bech32) or Base58 encoding."}, nil
	}
	script, err := txscript.PayToAddrScript(addr)
	if err != nil {
		return nil, rpcErrorf(codeInvalidAddress, "Invalid address")
	}

	info := &addressInfo{IsValid: true, Address: addr.EncodeAddress(), ScriptPubKey: hexOf(script)}
	witness := func(version int) {
		info.IsWitness, info.WitnessVersion = true, &version
		info.WitnessProgram = hexOf(addr.ScriptAddress())
	}
	switch addr.(type) {
	case *address.AddressWitnessPubKeyHash:
		witness(0)
	case *address.AddressWitnessScriptHash:
		info.IsScript = true
		witness(0)
	case *address.AddressTaproot:
		info.IsScript = true // as Core has it: a taproot output may hide scripts
		witness(1)
	case *address.AddressScriptHash:
		info.IsScript = true
	}
	return info, nil
}
