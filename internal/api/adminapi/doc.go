// Package adminapi is the operators' part of the HTTP interface: open
// connections, notes on workers, the log, the audit trail, the configuration, and
// the state of the program. docs/api.md describes it.
//
// Everything goes through the gate: reading and what can be undone is for
// operators, what can stop a pool or move its fee is for operators who gave their
// password lately. Each action is kept in the audit trail, refused ones too.
package adminapi
