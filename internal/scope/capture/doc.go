// Package capture keeps what was said on Stratum lines, by whoever relays or
// serves them: the proxy of package relay, and the tap on our own pool.
//
//	relay ─ chunk ─┐                             ┌─▶ Store (ring in memory) ─▶ API
//	               ├─▶ Tape ─▶ queue ─▶ Recorder ─┼─▶ Sink: journal on disk
//	tap ─── line ──┘                             └─▶ Sink: live feed, analysis
//
// Whoever moves bytes must never wait for whoever looks at them. A Tape takes a
// copy of the bytes when they are read and puts it into a bounded queue; when
// that is full the copy is dropped, counted, and the session shows a gap. One
// goroutine, the Recorder's, takes chunks off the queue, splits them into lines,
// parses, pairs requests with their responses, and keeps the messages.
//
// A chunk enters the queue before it is forwarded. So a pool's answer, however
// fast it is, comes after the miner's question: nobody can answer what was not
// yet sent. The time of forwarding is entered by the relay after the write.
//
// # Messages
//
// Every line is a Message of its own, with an id of its session and a number
// that counts from 1 without holes. Messages are immutable: when a response
// comes, the request is replaced in the store by a copy that knows it.
package capture
