// Package conformance proves that miners as they are sold can work at the pool:
// each imitated device speaks to the real binary over real sockets, with the
// habits and the limits of its firmware. README.md tells how to add one.
//
// Nothing in here uses the pool's own code for Stratum, hashing or difficulty.
// What the pool and its tests could misunderstand together is read here by
// btcd's packages and by this package's own few lines.
package conformance
