package node

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/go-zeromq/zmq4"
	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// publisher is a real PUB socket.
type publisher struct {
	t        *testing.T
	socket   zmq4.Socket
	address  string
	sequence uint32
}

func newPublisher(t *testing.T, address string) *publisher {
	t.Helper()
	socket := zmq4.NewPub(t.Context())
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := socket.Listen(address)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p := &publisher{t: t, socket: socket, address: "tcp://" + socket.Addr().String()}
	t.Cleanup(func() { _ = socket.Close() })
	return p
}

// publish sends a message as Bitcoin Core frames it.
func (p *publisher) publish(topic string, body []byte) {
	p.t.Helper()
	number := binary.LittleEndian.AppendUint32(nil, p.sequence)
	p.sequence++
	if err := p.socket.SendMulti(zmq4.NewMsgFrom([]byte(topic), body, number)); err != nil {
		p.t.Fatal(err)
	}
}

// subscribed waits until a subscriber has asked for the topics.
func (p *publisher) subscribed(topics ...string) {
	p.t.Helper()
	eventually(p.t, "subscription", func() bool {
		return cmp.Equal(p.socket.(zmq4.Topics).Topics(), topics)
	})
}

// eventually waits for something that other goroutines and real sockets bring
// about.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func display(h bitcoin.Hash) []byte {
	slices.Reverse(h[:])
	return h[:]
}

// rawBlockOf serializes a block with btcd's code; its coinbase says the height.
func rawBlockOf(previous bitcoin.Hash, script []byte, witness bool, filler int) ([]byte, bitcoin.Hash) {
	coinbase := wire.NewMsgTx(2)
	in := wire.NewTxIn(&wire.OutPoint{Index: 0xffffffff}, script, nil)
	if witness {
		in.Witness = wire.TxWitness{make([]byte, 32)}
	}
	coinbase.AddTxIn(in)
	coinbase.AddTxOut(wire.NewTxOut(50, make([]byte, 22)))
	block := wire.NewMsgBlock(&wire.BlockHeader{Version: 0x20000000, PrevBlock: [32]byte(previous), Timestamp: time.Unix(1_700_000_123, 0), Bits: 0x207fffff})
	_ = block.AddTransaction(coinbase)
	for _, tx := range makeTxs(filler, 0) {
		_ = block.AddTransaction(tx)
	}
	var buf bytes.Buffer
	_ = block.Serialize(&buf)
	return buf.Bytes(), bitcoin.Hash(block.BlockHash())
}

// Real sockets: a hint within the second, early tips, gaps, and a publisher
// that is restarted.
func TestZMQ(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:0")
	f := newFakeNode(bitcoin.Regtest, 10)
	f.forgetful = true // the long poll is of no help
	n := newZMQNodes(t, NodeConfig{ZMQHashBlock: p.address, ZMQRawBlock: p.address}, f)
	run(t, n)
	next(t, n, 5*time.Second)
	<-n.Tips()
	p.subscribed(topicHashBlock, topicRawBlock)
	if s := n.Status(); !s.ZMQ.Healthy || !s.Nodes[0].ZMQ || s.ZMQ.Reconnects != 0 || s.ZMQ.Disconnects != 0 {
		t.Errorf("zmq %+v", s.ZMQ)
	}

	// A raw block brings the tip before the template.
	before := f.tip()
	block, hash := rawBlockOf(before, []byte{1, 11, 0}, true, 200)
	f.with(func(f *fakeNode) {
		f.blocks = append(f.blocks, fakeHeader{hash: hash, previous: f.tipLocked(), time: 1_700_000_123})
		f.delay["getblocktemplate"] = 300 * time.Millisecond
	})
	p.publish(topicRawBlock, block)
	want := Tip{Hash: hash, Height: 11, Time: time.Unix(1_700_000_123, 0), Bits: 0x207fffff}
	tipNow := <-n.Tips()
	if tipNow.SeenAt.IsZero() || time.Since(tipNow.SeenAt) > time.Minute {
		t.Errorf("the tip was seen at %v", tipNow.SeenAt)
	}
	want.SeenAt, want.Previous = tipNow.SeenAt, before
	if tipNow != want {
		t.Errorf("tip %+v, want %+v", tipNow, want)
	}
	select {
	case <-n.Templates():
		t.Error("the template came before the tip")
	default:
	}
	if tmpl := next(t, n, 5*time.Second); tmpl.PrevHash != hash {
		t.Error("template of another tip")
	}
	s := n.Status()
	if s.ZMQ.LastRawBlockBytes != len(block) || s.ZMQ.LastRawBlockAt.IsZero() || *s.ZMQ.Tip != want {
		t.Errorf("zmq %+v", s.ZMQ)
	}
	f.with(func(f *fakeNode) { f.delay["getblocktemplate"] = 0 })

	// A hash suffices; the header is asked for afterwards. A lost message is
	// counted.
	p.sequence += 2
	tip := f.mine(1)
	p.publish(topicHashBlock, display(tip))
	p.publish("nonsense", []byte{1})
	p.publish(topicHashBlock, []byte{1, 2, 3})
	p.publish(topicRawBlock, []byte{1, 2, 3})
	if tmpl := next(t, n, 5*time.Second); tmpl.PrevHash != tip {
		t.Error("template of another tip")
	}
	if got := <-n.Tips(); got.Hash != tip || got.Height != 12 || got.Bits == 0 {
		t.Errorf("tip %+v", got)
	}
	eventually(t, "gaps", func() bool { return n.Status().ZMQ.Gaps > 0 })

	// The publisher goes, and another one comes.
	_ = p.socket.Close()
	eventually(t, "the disconnect", func() bool { return n.Status().ZMQ.Disconnects == 1 })
	if s := n.Status(); s.ZMQ.Healthy {
		t.Error("healthy without a publisher")
	}
	p = newPublisher(t, p.address)
	p.subscribed(topicHashBlock, topicRawBlock)
	eventually(t, "the reconnect", func() bool { s := n.Status().ZMQ; return s.Healthy && s.Reconnects == 1 })
	tip = f.mine(1)
	p.publish(topicHashBlock, display(tip))
	if tmpl := next(t, n, 5*time.Second); tmpl.PrevHash != tip {
		t.Error("template of another tip")
	}
	if s := n.Status(); s.ZMQ.Disconnects != 1 || s.ZMQ.Reconnects != 1 || len(s.Feed.History) != maxFeedHistory || !strings.Contains(s.Feed.History[2], "zmq connected (tcp://") {
		t.Errorf("zmq %+v, feed %+v", s.ZMQ, s.Feed)
	}
}

// newZMQNodes is a client of one fake in memory, with real ZMQ sockets.
func newZMQNodes(t *testing.T, nc NodeConfig, f *fakeNode) *Nodes {
	t.Helper()
	nc.URL = "http://a.example"
	n, err := newNodes(Config{Nodes: []NodeConfig{nc}}, discard(), deps{
		transport: func(NodeConfig) http.RoundTripper { return f },
		dial:      newDialer().DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What listens but is no publisher never counts as healthy.
func TestZMQNotAPublisher(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n"+strings.Repeat("x", 100))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-served })

	f := newFakeNode(bitcoin.Regtest, 10)
	n := newZMQNodes(t, NodeConfig{ZMQHashBlock: "tcp://" + l.Addr().String()}, f)
	run(t, n)
	eventually(t, "the complaint", func() bool {
		return slices.ContainsFunc(n.Status().Errors, func(e Event) bool {
			return e.Type == "zmq" && strings.Contains(e.Message, "does not answer as a ZMQ publisher")
		})
	})
	if s := n.Status(); s.ZMQ.Healthy || s.ZMQ.Reconnects != 0 || s.ZMQ.Disconnects != 0 {
		t.Errorf("zmq %+v", s.ZMQ)
	}
}

// A server that accepts and says nothing is given up after a while.
func TestZMQSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		var dials atomic.Int32
		n, err := newNodes(Config{Nodes: []NodeConfig{{URL: "http://a.example", ZMQHashBlock: "tcp://127.0.0.1:1"}}}, discard(), deps{
			transport: func(NodeConfig) http.RoundTripper { return f },
			dial: func(context.Context, string, string) (net.Conn, error) {
				dials.Add(1)
				client, server := net.Pipe()
				t.Cleanup(func() { _ = server.Close() })
				return client, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		run(t, n)
		time.Sleep(time.Minute)
		if got := dials.Load(); got < 2 || got > 8 {
			t.Errorf("%d connections in a minute", got)
		}
		if s := n.Status(); s.ZMQ.Healthy || len(s.Errors) > 2 {
			t.Errorf("zmq %+v, events %+v", s.ZMQ, s.Errors)
		}
	})
}

// A publisher that is connected but says nothing about a new tip is dropped.
func TestZMQMissedBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNode(bitcoin.Regtest, 10)
		n := newTestNodes(t, Config{Nodes: []NodeConfig{{ZMQHashBlock: "tcp://127.0.0.1:1"}}}, f)
		n.dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		run(t, n)
		next(t, n, time.Second)
		time.Sleep(20 * time.Second)

		s := n.members[0].zmq[0]
		dropped := make(chan struct{})
		n.publisherFound(n.members[0], s, func() { close(dropped) })
		time.Sleep(20 * time.Second)
		f.mine(1)
		time.Sleep(2 * time.Second)
		n.announced(n.members[0], s, []frame{{start: []byte(topicHashBlock)}, {start: display(f.tip())}}, map[string]uint32{}, time.Now())
		time.Sleep(20 * time.Second)
		select {
		case <-dropped:
			t.Fatal("dropped although it announced the block")
		default:
		}
		f.mine(1)
		time.Sleep(20 * time.Second)
		select {
		case <-dropped:
		default:
			t.Error("not dropped")
		}
	})
}

func TestZMQAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"tcp://127.0.0.1:28332": "tcp 127.0.0.1:28332",
		"tcp://[::1]:28332":     "tcp [::1]:28332",
		"ipc:///run/zmq.sock":   "unix /run/zmq.sock",
		"127.0.0.1:28332":       "", "tcp://127.0.0.1": "", "http://a:1": "", "ipc://": "", "tcp://": "", "tcp://u@h:1": "",
	} {
		network, target, err := parseZMQAddress(address)
		if got := strings.TrimSpace(network + " " + target); got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrZMQAddress) {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
	two, err := newSubscriptions(NodeConfig{ZMQHashBlock: "tcp://h:1", ZMQRawBlock: "tcp://h:2"})
	if err != nil || len(two) != 2 {
		t.Errorf("%v, %v", two, err)
	}
}

func TestParseRawBlock(t *testing.T) {
	for name, c := range map[string]struct {
		script []byte
		want   int64
	}{
		"OP_1":            {[]byte{0x51, 0}, 1},
		"OP_16":           {[]byte{0x60, 0}, 16},
		"OP_0":            {[]byte{0x00, 0}, 0},
		"17":              {[]byte{1, 17, 0}, 17},
		"127":             {[]byte{1, 0x7f}, 127},
		"128":             {[]byte{2, 0x80, 0}, 128},
		"mainnet":         {append([]byte{3, 0x40, 0x42, 0x0f}, make([]byte, 90)...), 1_000_000},
		"before BIP34":    {[]byte{4, 0xff, 0xff, 0, 0x1d}, 0x1d00ffff}, // no height, but nobody can tell
		"negative":        {[]byte{1, 0x80}, -1},
		"push too long":   {[]byte{9, 1, 2, 3, 4, 5, 6, 7, 8, 9}, -1},
		"push without it": {[]byte{3, 1}, -1},
		"other opcode":    {[]byte{0x61, 0x61}, -1},
	} {
		for _, witness := range []bool{false, true} {
			if name == "push without it" && !witness {
				continue // reads on into the sequence; harmless
			}
			block, hash := rawBlockOf(someHash, c.script, witness, 3)
			got, ok := parseRawBlock(block[:min(len(block), rawBlockPrefix)])
			if !ok || got.hash != hash || got.header.PrevHash != someHash || got.header.Bits != 0x207fffff {
				t.Errorf("%s: got %+v, %v", name, got, ok)
			}
			if got.height != c.want && name != "push without it" {
				t.Errorf("%s: height %d, want %d", name, got.height, c.want)
			}
		}
	}
	if _, ok := parseRawBlock(make([]byte, 79)); ok {
		t.Error("79 bytes are no header")
	}
}

// The oracle is btcd's deserialization of the whole block.
func FuzzParseRawBlock(f *testing.F) {
	for _, script := range [][]byte{{0x51, 0}, {2, 0x80, 0}, {3, 0x40, 0x42, 0x0f}} {
		block, _ := rawBlockOf(someHash, script, true, 2)
		f.Add(block)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := parseRawBlock(data)
		var block wire.MsgBlock
		if block.Deserialize(bytes.NewReader(data)) != nil {
			return
		}
		if !ok || got.hash != bitcoin.Hash(block.BlockHash()) {
			t.Fatalf("hash %v of %x", got.hash, data)
		}
		if len(block.Transactions) == 0 || len(block.Transactions[0].TxIn) != 1 {
			return
		}
		script := block.Transactions[0].TxIn[0].SignatureScript
		if len(script) < 2 || script[0] > 4 || script[0] == 0 || len(script) < 1+int(script[0]) || script[script[0]]&0x80 != 0 {
			return
		}
		want := int64(0)
		for i, b := range script[1 : 1+script[0]] {
			want += int64(b) << (8 * i)
		}
		if len(script) < 0xfd && got.height != want {
			t.Errorf("height %d, want %d", got.height, want)
		}
	})
}

// readAll reads messages until the end.
func readAll(data []byte) (messages [][]frame, commands [][]byte, err error) {
	r := frameReader{r: bufio.NewReaderSize(bytes.NewReader(data), 16)}
	for {
		m, err := r.message(func(body []byte) error { commands = append(commands, body); return nil })
		if err != nil {
			return messages, commands, err
		}
		messages = append(messages, m)
	}
}

func TestFrames(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 70_000)
	data := []byte{frameMore, 2, 'h', 'i', frameMore | frameLong, 0, 0, 0, 0, 0, 1, 0x11, 0x70}
	data = append(data, long...)
	data = append(data, 0, 0)
	data = append(data, frameCommand, 9, 4, 'P', 'I', 'N', 'G', 0, 1, 'c', 'x')
	data = append(data, 0, 1, 'z')
	messages, commands, err := readAll(data)
	if !errors.Is(err, io.EOF) || len(messages) != 2 || len(commands) != 1 {
		t.Fatalf("%d messages, %d commands, %v", len(messages), len(commands), err)
	}
	if m := messages[0]; len(m) != 3 || string(m[0].start) != "hi" || m[1].size != 70_000 || len(m[1].start) != keptOfFrame || m[2].size != 0 {
		t.Errorf("first message: %d frames", len(m))
	}
	if echo, ok := pingContext(commands[0]); !ok || string(echo) != "cx" {
		t.Errorf("context %q, %v", echo, ok)
	}
	for name, bad := range map[string][]byte{
		"flags":       {0x80, 1, 0},
		"size":        {frameLong, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"inner order": {frameMore, 0, frameCommand, 0},
		"endless":     bytes.Repeat([]byte{frameMore, 0}, 100),
	} {
		if _, _, err := readAll(bad); !errors.Is(err, errFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{frameMore, 2, 'h', 'i', 0, 1, 0})
	f.Add([]byte{frameCommand, 9, 4, 'P', 'I', 'N', 'G', 0, 1, 'c', 'x'})
	f.Add([]byte{frameLong, 0, 0, 0, 0, 0, 0, 0, 1, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		messages, _, err := readAll(data)
		if err == nil {
			t.Fatal("no end")
		}
		total := 0
		for _, m := range messages {
			for _, fr := range m {
				total += fr.size
				if len(fr.start) != min(fr.size, keptOfFrame) {
					t.Errorf("kept %d of %d", len(fr.start), fr.size)
				}
			}
		}
		if total > len(data) {
			t.Errorf("%d bytes from %d", total, len(data))
		}
	})
}
