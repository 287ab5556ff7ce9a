package pool

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Bounds of what a banned address may cost.
const (
	maxFarewells    = 64 // at a time
	farewellTimeout = 5 * time.Second
	farewellLines   = 16
	farewellBuffer  = 2048
)

// turnAway tells a banned miner why it is not let in: its handshake goes on
// until it authorizes, since that is the answer whose error firmware shows.
func (p *Pool) turnAway(nc net.Conn, ban abuse.Ban, from *port) {
	defer func() { _ = nc.Close() }()
	if nc.SetDeadline(time.Now().Add(farewellTimeout)) != nil {
		return
	}
	if from.TLS != nil {
		secure := tls.Server(nc, from.TLS)
		ctx, cancel := context.WithTimeout(context.Background(), farewellTimeout)
		defer cancel()
		if secure.HandshakeContext(ctx) != nil {
			return
		}
		nc = secure
	}
	lines := bufio.NewReaderSize(nc, farewellBuffer)
	var r stratum.Request
	for range farewellLines {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		if stratum.ScanRequest(line[:len(line)-1], &r) != nil || !r.WantsReply() {
			continue
		}
		if _, err := nc.Write(farewell(&r, ban)); err != nil {
			return
		}
	}
}

// farewell answers one request of a banned miner.
func farewell(r *stratum.Request, ban abuse.Ban) []byte {
	switch r.Method {
	case stratum.MethodConfigure:
		return stratum.AppendResult(nil, r.ID, `{"version-rolling":false}`)
	case stratum.MethodSubscribe:
		return stratum.AppendSubscribed(nil, r.ID, "00000000", "00000000", extranonce2Size)
	}
	text := "Banned"
	if !ban.Until.IsZero() {
		text += " until " + ban.Until.UTC().Format(time.RFC3339)
	}
	return stratum.AppendError(nil, r.ID, stratum.RejectBanned.Code(), text)
}
