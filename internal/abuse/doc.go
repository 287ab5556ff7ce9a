// Package abuse decides who may connect to the pool. What goes wrong on a
// connection is answered there, and only what a block of addresses does again
// and again is answered by a ban of the block. Names and payout addresses play
// no part: anybody can use anybody's.
//
//	wrong lines, junk shares ──▶ Strikes of the connection ──▶ new work, a warning, the end of the connection
//	                                                                                     │
//	                          Watch: one record per block of addresses ◀── counts it ────┘
//	                            │  several within a while, and nobody honest there
//	                            ▼
//	                          Ban: for a time, longer at each repetition ──▶ Store
//
// A block is one IPv4 address or one IPv6 network of 64 bits, which is what
// one customer of a provider has at least.
//
// [Strikes] is a value of the connection's own. [Watch] has one lock that is
// taken when a connection comes, signs in, ends, and once a minute while it
// does honest work; never for a share.
package abuse
