// Package telemetry is what the program knows about itself: how it was built,
// what it uses of the machine, and how it logs.
package telemetry
