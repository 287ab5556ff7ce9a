package devnet

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/go-zeromq/zmq4"
)

// subscribe connects an independent implementation's SUB socket and waits
// until the publisher knows its topics.
func subscribe(t *testing.T, n *Node, topics ...string) zmq4.Socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	sub := zmq4.NewSub(ctx)
	t.Cleanup(func() { _ = sub.Close() })
	if err := sub.Dial("tcp://" + n.ZMQAddr()); err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if err := sub.SetOption(zmq4.OptionSubscribe, topic); err != nil {
			t.Fatal(err)
		}
	}
	waitTopics(t, n, 1, len(topics))
	return sub
}

// waitTopics waits until the publisher has so many peers with so many topics
// each.
func waitTopics(t *testing.T, n *Node, peers, topics int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		n.zmq.mu.Lock()
		ready := 0
		for s := range n.zmq.peers {
			s.mu.Lock()
			if len(s.topics) >= topics {
				ready++
			}
			s.mu.Unlock()
		}
		n.zmq.mu.Unlock()
		if ready >= peers {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d subscribers are ready", ready, peers)
		}
		time.Sleep(time.Millisecond)
	}
}

// receive reads one message and checks its framing.
func receive(t *testing.T, sub zmq4.Socket) (topic string, body []byte, counter uint32) {
	t.Helper()
	msg, err := sub.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if len(msg.Frames) != 3 || len(msg.Frames[2]) != 4 {
		t.Fatalf("%d frames: %x", len(msg.Frames), msg.Frames)
	}
	return string(msg.Frames[0]), msg.Frames[1], binary.LittleEndian.Uint32(msg.Frames[2])
}

func zmqConfig(t *testing.T) Config {
	cfg := easy(t)
	cfg.ZMQListen = "127.0.0.1:0"
	return cfg
}

func TestZMQBlocks(t *testing.T) {
	n := start(t, zmqConfig(t))
	sub := subscribe(t, n, "hashblock", "rawblock", "sequence", "hashtx", "rawtx")
	for round := range uint32(2) {
		hash := mine(t, n, 1)[0]
		block := call[string](t, n, "getblock", hash, 0)
		coinbase := call[struct{ Tx []string }](t, n, "getblock", hash, 1).Tx[0]
		want := map[string]string{
			"hashtx":    coinbase,
			"rawtx":     block[162:], // header and a count of one before it
			"sequence":  hash + hex.EncodeToString([]byte("C")),
			"hashblock": hash, // in display order, as Core publishes it
			"rawblock":  block,
		}
		for range len(want) {
			topic, body, counter := receive(t, sub)
			if got := hex.EncodeToString(body); got != want[topic] {
				t.Errorf("%s: %s, want %s", topic, got, want[topic])
			}
			if counter != round {
				t.Errorf("%s: counter %d, want %d", topic, counter, round)
			}
			delete(want, topic)
		}
		if len(want) != 0 {
			t.Errorf("nothing on %v", want)
		}
	}
	if rows := call[[]zmqTopic](t, n, "getzmqnotifications"); len(rows) != 5 || rows[0].Address != "tcp://"+n.ZMQAddr() {
		t.Errorf("getzmqnotifications %v", rows)
	}
}

func TestZMQSequence(t *testing.T) {
	n := start(t, zmqConfig(t))
	sub := subscribe(t, n, "sequence", "hashblock")
	expect := func(what, hash string, label byte, seq uint64) {
		t.Helper()
		topic, body, _ := receive(t, sub)
		want := hash
		if label != 0 {
			want += hex.EncodeToString([]byte{label})
		}
		if label == 'A' || label == 'R' {
			want += hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, seq))
		}
		if got := hex.EncodeToString(body); got != want {
			t.Fatalf("%s: %s %s, want %s", what, topic, got, want)
		}
	}

	if err := n.traffic.send(); err != nil {
		t.Fatal(err)
	}
	tx := n.engine.pool.TxDescs()[0].Tx
	expect("transaction added", tx.Hash().String(), 'A', 1)
	first := mine(t, n, 1)[0]
	expect("block connected", first, 'C', 0)
	expect("tip", first, 0, 0)

	// A block that goes takes its transactions back to the mempool, and no
	// tip is announced, as in Core.
	call[any](t, n, "invalidateblock", first)
	expect("block disconnected", first, 'D', 0)
	expect("transaction back", tx.Hash().String(), 'A', 2)

	// A transaction that another replaces is announced as removed.
	msg := tx.MsgTx().Copy()
	coins := make([]coin, len(msg.TxIn))
	for i, in := range msg.TxIn {
		entry, err := n.engine.unspent(in.PreviousOutPoint)
		if err != nil || entry == nil {
			t.Fatal("the coin is gone", err)
		}
		kind, _ := n.wallet.owns(entry.PkScript())
		coins[i] = coin{point: in.PreviousOutPoint, value: entry.Amount(), kind: kind}
	}
	msg.TxOut[0].Value -= 200_000
	if err := n.wallet.sign(msg, coins); err != nil {
		t.Fatal(err)
	}
	replacement := call[string](t, n, "sendrawtransaction", hex.EncodeToString(txBytes(msg)))
	expect("replaced", tx.Hash().String(), 'R', 3)
	expect("replacement", replacement, 'A', 4)
	pool := call[mempoolSequenced](t, n, "getrawmempool", false, true)
	if pool.Sequence != 5 || !slices.Equal(pool.TxIDs, []string{replacement}) {
		t.Errorf("getrawmempool %+v", pool)
	}
}

// A subscriber that stops reading loses messages and nothing else happens.
func TestZMQStalledSubscriber(t *testing.T) {
	n := start(t, zmqConfig(t))
	stalled, err := net.Dial("tcp", n.ZMQAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stalled.Close() }()
	in := bufio.NewReader(stalled)
	greeting := zmtpGreeting()
	ready := zmtpReady("SUB")
	hello := slices.Concat(greeting, []byte{zmtpCommand, byte(len(ready))}, ready, []byte{0, 1, 1}) // subscribe to all
	if _, err := stalled.Write(hello); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Peek(zmtpGreetingSize); err != nil {
		t.Fatal(err)
	}
	good := subscribe(t, n, "hashblock")
	waitTopics(t, n, 2, 1)

	body := make([]byte, 1<<20)
	const messages = 200
	for range messages {
		n.zmq.announce(topicRawTx, body)
	}
	if n.Status().ZMQDrops == 0 {
		t.Error("no drop was counted")
	}
	n.zmq.mu.Lock()
	for s := range n.zmq.peers {
		if q := s.queued.Load(); q > zmqQueueBytes {
			t.Errorf("%d bytes are queued, limit %d", q, zmqQueueBytes)
		}
	}
	n.zmq.mu.Unlock()

	hash := mine(t, n, 1)[0]
	if _, got, _ := receive(t, good); hex.EncodeToString(got) != hash {
		t.Errorf("the other subscriber got %x, want %s", got, hash)
	}
}

func TestZMQRefusesOthers(t *testing.T) {
	n := start(t, zmqConfig(t))
	ready := zmtpReady("PUSH")
	for name, hello := range map[string][]byte{
		"http":       []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + string(make([]byte, 64))),
		"wrong type": slices.Concat(zmtpGreeting(), []byte{zmtpCommand, byte(len(ready))}, ready),
		"huge frame": slices.Concat(zmtpGreeting(), []byte{zmtpCommand | zmtpLong, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"no ready":   slices.Concat(zmtpGreeting(), []byte{0, 1, 1}),
	} {
		conn, err := net.Dial("tcp", n.ZMQAddr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(hello); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		for err == nil {
			_, err = conn.Read(buf)
		}
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			t.Errorf("%s: the connection stays open", name)
		}
		_ = conn.Close()
	}
}

func TestSequenceBody(t *testing.T) {
	h := chainhash.Hash{0: 1, 31: 0xff}
	got := sequenceBody(&h, 'A', 0x0102030405060708)
	want := "ff" + hex.EncodeToString(make([]byte, 30)) + "01" + "41" + "0807060504030201"
	if hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
	if got := sequenceBody(&h, 'C', 5); len(got) != 33 {
		t.Errorf("block message of %d bytes, want 33", len(got))
	}
}

func BenchmarkAnnounceTx(b *testing.B) {
	p := newPublisher(nil, quiet())
	s := &subscriber{queue: make(chan []byte, zmqQueueMessages), topics: map[string]struct{}{"rawtx": {}}}
	p.peers[s] = struct{}{}
	tx := btcutil.NewTx(spend(coin{}.point, 1, 2, 3))
	b.ReportAllocs()
	for b.Loop() {
		announceTx(p, tx)
		for len(s.queue) > 0 {
			s.queued.Add(-int64(len(<-s.queue)))
		}
	}
}
