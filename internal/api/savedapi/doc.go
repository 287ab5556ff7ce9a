// Package savedapi answers what is below /api/saved-workers: the contract's list
// and its switch for alerts, and what people do with workers that they saved or
// own. docs/api.md describes it, docs/people.md says what owning a worker takes.
package savedapi
