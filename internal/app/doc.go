// Package app is the one place where components are built and wired: it opens
// the data folder, binds every address, starts the parts in order, and ends
// them in order when its context ends.
package app
