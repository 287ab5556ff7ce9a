// Package alert has what is kept about alerts: where messages go (channels),
// what is worth one (rules), what was noticed so far, and the outbox of what is
// still to be delivered. They are values; what happens with them is the matter
// of [github.com/poolscope/poolscope/internal/notify].
//
// # A restart loses nothing and doubles nothing
//
// What was noticed and what is to be sent because of it are written in one
// transaction ([Store.Commit]), and every entry of the outbox has a key that is
// there once only. Before a message leaves, its entries are marked as being sent
// under the message's id ([Store.Begin]), so that a program that died meanwhile
// sends the same message under the same id again.
package alert
