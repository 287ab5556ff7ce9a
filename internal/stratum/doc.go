// Package stratum speaks Stratum V1, the protocol between Bitcoin miners and
// pools: a scanner and an encoder for its lines, the table of rejects, and a
// line connection that never blocks on a slow peer.
//
// # The protocol
//
// Stratum V1 is JSON, one message per line, over TCP or TLS. A message with a
// method and an id is a request and is answered with that id; a message with a
// method and a null id is a notification and is never answered:
//
//	> {"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}
//	> {"id":2,"method":"mining.subscribe","params":["bitaxe/BM1370/v2.15.0"]}
//	> {"id":3,"method":"mining.authorize","params":["bc1q….rig1","x"]}
//	< {"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}
//	< {"id":2,"result":[[["mining.set_difficulty","1a2b3c4d"],["mining.notify","1a2b3c4d"]],"1a2b3c4d",8],"error":null}
//	< {"id":3,"result":true,"error":null}
//	< {"id":null,"method":"mining.set_difficulty","params":[1024]}
//	< {"id":null,"method":"mining.notify","params":["3f1","<prev>","<coinb1>","<coinb2>",["<branch>",…],"20000000","17…","68…",true]}
//	> {"id":6,"method":"mining.submit","params":["bc1q….rig1","3f1","0000000000000000","68…","58f90070","083ac000"]}
//	< {"id":6,"result":true,"error":null}
//
// The miner builds a block header from a job like this:
//
//	coinbase = coinb1 ‖ extranonce1 ‖ extranonce2 ‖ coinb2
//	root     = sha256d(coinbase), then root = sha256d(root ‖ branch) for each branch
//	version  = (job version and not mask) or (submitted bits and mask)      BIP310
//	header   = version ‖ prevhash ‖ root ‖ ntime ‖ nbits ‖ nonce            80 bytes
//
// Extranonce1 is given by the pool and differs for every connection, so no two
// miners search the same space; extranonce2 is the miner's to count. The hash
// of the header, read as a little-endian number, must not exceed the share
// target 0xffff·2^208 / difficulty.
//
// # What real miners need
//
// Lines end with LF or CR LF; several arrive in one segment and one arrives in
// several. An id is echoed byte for byte, since some firmware uses strings and
// some compares numbers as text. Requests with a null id get no reply. A reply
// always has all three members id, result and error. A difficulty takes effect
// with the next notify, so the two are sent as a pair, and a share is judged by
// the difficulty of its own job. Prevhash on the wire is the header's 32 bytes
// with each 4-byte word reversed; version, nbits, ntime and nonce are
// big-endian hex; merkle branches are plain hex of the hash bytes.
package stratum
