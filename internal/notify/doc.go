// Package notify tells people what happened: workers that went away, best
// shares, blocks, nodes in trouble.
//
//	read models ──▶ Watcher ──▶ what was noticed + outbox ──▶ Courier ──▶ Channel ──▶ a chat, a mailbox
//	 every 2 s       rules       one transaction (alert.Store)   batches, back-off, quiet hours
//
// The watcher looks at the pool's read models from a goroutine of its own; no
// miner and no share ever waits for it. What it noticed, and what is to be sent
// because of it, is written together, so that a program that is killed at any
// moment neither forgets an event nor tells it twice.
//
// The courier sends. It puts events of one channel that come together into one
// message, marks the message as being sent before it leaves, and writes down what
// became of it. Nobody can do that in one step together with a foreign server: a
// message that was being sent when the program was killed is sent again, under
// the same id. Services that know ids (our own webhook, Matrix, mail by its
// Message-ID) show it once; to the others it goes with the remark
// that it may be a repetition. docs/alerts.md has what each of them does.
package notify
