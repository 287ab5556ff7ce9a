// Package discord is a Discord bot: people link their accounts by a slash
// command, and are told what happened in a channel of the pool's server.
//
//	Run ── gateway ◀── WebSocket ── Discord: /notify, /notify-stop
//	 │        └─ interactions ─▶ link.Service
//	 └── poster ─── REST ─────────▶ Discord: one message, every ten seconds at most
//	       ▲
//	   Channel.Send, from the outbox of alerts
//
// REST calls, their rate limits and the types of Discord's API are discordgo's.
// Its gateway client is not used: it runs in goroutines of its own, in which odd
// frames panic (JSON null; a heartbeat interval of 0) with nobody there to
// recover, which would end the mining, too; while it opens a connection it waits
// for ever, without a deadline, and an opcode 7 then is a deadlock; and it keeps
// to itself why the gateway closed a connection. Package discord speaks the
// gateway's few messages itself (https://discord.com/developers/docs/events/gateway).
//
// Discord may be down at any time, at the start too: the bot tries again with
// growing pauses, and messages wait in the outbox. What others chose, such as
// names of workers, is escaped, and each message names the accounts that it may
// ping: a worker called @everyone pings nobody.
package discord
