// Package top shows a running poolscope in a terminal: headline figures,
// workers, scope sessions, blocks and alarms, live. It is a client of the HTTP
// interface (docs/api.md), as the page is, and knows nothing that a page could
// not know.
//
//	/api/live ──WebSocket──▶ feed ─┐
//	                               ├─▶ model ──▶ view: lines of text
//	/api/workers, … ──poll──▶ Client ┘
//
// The feed connects again by itself when it is cut, and the screen says so. The
// lists are asked for every few seconds, and those that nobody looks at less
// often.
//
// Whatever a server sends comes in as type text, which holds nothing that could
// steer a terminal or that terminals measure differently: miners choose their
// own names.
package top
