package export

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// lookAhead is how many messages are kept back until the pool says its first
// line: those of the miner do not tell which pool they went to.
const lookAhead = 64

// PCAPNG writes a session's messages as the packets that would have carried
// them, and returns the number of messages. It ends at the first error of the
// messages or of w.
func PCAPNG(w io.Writer, about About, messages iter.Seq2[*capture.Message, error]) (written uint64, err error) {
	s := &about.Session
	file, err := pcapgo.NewNgWriterInterface(w,
		pcapgo.NgInterface{
			Name: "poolscope", LinkType: layers.LinkTypeEthernet,
			Description: "Packets made up around captured Stratum lines",
		},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{
			Application: about.Tool,
			Comment: fmt.Sprintf("Stratum session %s of %s. The lines were captured by %s; the headers of Ethernet, IP and TCP around them are made up.",
				s.ID, s.Miner, about.Tool),
		}})
	if err != nil {
		return 0, err
	}
	d := &dialogue{packets: packets{file: file}, session: s, at: s.At}
	for m, err := range messages {
		if err != nil {
			return written, fmt.Errorf("reading messages: %w", err)
		}
		written++
		if d.take(m); d.err != nil {
			return written, d.err
		}
	}
	d.end()
	if d.err == nil {
		d.err = file.Flush()
	}
	return written, d.err
}

// dialogue makes TCP streams of a session's messages.
type dialogue struct {
	packets
	session *capture.Session
	at      time.Time // of the newest packet, or of the session's begin
	waiting []*capture.Message
	pool    string  // ip:port that the miner is connected to; "" while that is unknown
	miner   *stream // between miner and pool; nil before the first line
	own     *stream // of the scope's own lines
}

// take writes a message, as soon as it is known which pool it belongs to.
func (d *dialogue) take(m *capture.Message) {
	if d.pool != "" {
		d.message(m)
		return
	}
	d.waiting = append(d.waiting, m)
	switch {
	case m.Direction == capture.PoolToMiner && m.Peer != "":
		d.settle(m.Peer)
	case len(d.waiting) == lookAhead, d.session.PoolPeer == "":
		d.settle(d.server())
	}
}

// server is who the session was with, as far as the session itself tells: the
// pool that it was connected to last, or for a tap our own listener.
func (d *dialogue) server() string { return cmp.Or(d.session.PoolPeer, d.session.Listener) }

// settle writes what waited for the pool's address.
func (d *dialogue) settle(pool string) {
	if d.pool = pool; pool == "" {
		d.pool = unknownPool
	}
	for _, m := range d.waiting {
		d.message(m)
	}
	d.waiting = nil
}

// Addresses of those who have none that is known, and of the scope itself.
const (
	unknownMiner = "192.0.2.1:49152"
	unknownPool  = "192.0.2.2:3333"
	scope        = "192.0.2.9:49153"
	scope6       = "[2001:db8::9]:49153"
)

func (d *dialogue) message(m *capture.Message) {
	at := m.Received
	if m.Direction == capture.ScopeToPool {
		d.replay(m)
		return
	}
	fromPool := m.Direction == capture.PoolToMiner
	if fromPool && m.Peer != "" && m.Peer != d.pool && d.miner != nil {
		// The session was connected to another pool.
		d.finish(d.miner, at, true)
		d.miner, d.pool = nil, m.Peer
	}
	if d.miner == nil {
		begin := at
		if !d.at.IsZero() && d.at.Before(at) {
			begin = d.at
		}
		d.miner = d.open(endpoint(d.session.Miner, unknownMiner), endpoint(d.pool, unknownPool), begin, "session "+d.session.ID)
	}
	d.at = at
	d.line(d.miner, fromPool, m, m.MessageID(), nil)
}

// replay writes a line of the scope's own, and its answer.
func (d *dialogue) replay(m *capture.Message) {
	pool := endpoint(d.pool, unknownPool)
	if d.own == nil {
		from := endpoint(scope, scope)
		if pool.Addr().Is6() {
			from = endpoint(scope6, scope6)
		}
		d.own = d.open(from, pool, m.Received, "lines of the scope's own in session "+d.session.ID)
	}
	var notes []string
	if m.WireID != "" && m.WireID != m.ID {
		notes = append(notes, "on the wire its id was "+m.WireID)
	}
	if m.ReplayOf > 0 {
		notes = append(notes, "sent again: "+capture.MessageID(m.Session, m.ReplayOf))
	}
	if m.Failure != "" {
		notes = append(notes, m.Failure)
	}
	d.at = m.Received
	d.line(d.own, false, m, m.MessageID(), notes)
	if r := m.Response; r != nil {
		d.at = r.Received
		d.line(d.own, true, r, "answer to "+m.MessageID(), nil)
	}
}

// end writes the rest, and the end of a session that has ended.
func (d *dialogue) end() {
	if d.pool == "" {
		d.settle(d.server())
	}
	if d.session.Live() {
		return
	}
	at := d.session.EndedAt
	if at.Before(d.at) {
		at = d.at
	}
	if d.own != nil {
		d.finish(d.own, at, false)
	}
	if d.miner == nil {
		return
	}
	who, how, _ := strings.Cut(d.session.Reason, "_")
	if how == "reset" {
		d.reset(d.miner, at, who == "pool")
		return
	}
	d.finish(d.miner, at, who == "pool")
}
