// Package playback plays one side of a recorded session against a live peer.
//
//	recorded miner ──▶ live pool     its answers beside the recorded ones
//	recorded pool  ──▶ live miner    its requests answered as they were then
//
// The peer is somebody who reacts, so a recording cannot be played by the clock
// alone: what was said after an answer is said after the answer again, or when
// it is clear that none will come. Between two lines goes the time that went
// then, divided by the speed.
//
// Towards a pool the lines go out as they were recorded, ids included. Towards a
// miner the recorded answers are given to his own requests: the first
// mining.subscribe gets the answer to the first mining.subscribe, with his id,
// whatever order he has.
package playback
