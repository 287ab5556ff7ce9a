package sharehash

import "fmt"

// niStream is one of the hashes that the SHA extensions compute side by side.
// state holds a, b, e, f in its first register and c, d, g, h in the second, as
// SHA256RNDS2 wants them; words are the 16 words of message that are in use.
type niStream struct {
	state [2]string
	words [4]string
	saved int // offset of the state before the block on the stack
}

// X0 is the operand that SHA256RNDS2 does not name, X7 and X15 are everybody's.
var niStreams = []niStream{
	{state: [2]string{"X1", "X2"}, words: [4]string{"X3", "X4", "X5", "X6"}, saved: 0},
	{state: [2]string{"X8", "X9"}, words: [4]string{"X10", "X11", "X12", "X13"}, saved: 32},
}

const niTemp, niFlip = "X7", "X15"

// shaNI writes the kernels for CPUs with SHA extensions, for one hash and for
// two at a time: an instruction of two rounds takes four cycles, and two may be
// under way.
func shaNI() string {
	a := newAsm("Double SHA-256 with the SHA extensions of x86, for one hash and for two side by side.")
	iv := initialState()
	a.table("k", roundConstants())
	a.table("padding", paddingRounds())
	a.table("start", []uint32{iv[5], iv[4], iv[1], iv[0], iv[7], iv[6], iv[3], iv[2]})
	a.table("tail", []uint32{0x80000000, 0, 0, 0, 0, 0, 0, 32 * 8})
	a.table("flip", flipMask())
	for n := 1; n <= 2; n++ {
		niHash(a, niStreams[:n])
		niFold(a, niStreams[:n])
	}
	return a.String()
}

// niHash hashes a padded message of n blocks, and the result once more.
func niHash(a *asm, streams []niStream) {
	dst, block := []string{"DI", "R8"}, []string{"SI", "R9"}
	if len(streams) == 1 {
		a.text("hashNI", "(dst *bitcoin.Hash, blocks *byte, n int)", 64, 24)
		a.op("MOVQ", arg("dst", 0), dst[0])
		a.op("MOVQ", arg("blocks", 8), block[0])
		a.op("MOVQ", arg("n", 16), "CX")
	} else {
		a.text("hashNI2", "(dst0, dst1 *bitcoin.Hash, blocks0, blocks1 *byte, n int)", 64, 40)
		for i := range 2 {
			a.op("MOVQ", arg(fmt.Sprintf("dst%d", i), 8*i), dst[i])
			a.op("MOVQ", arg(fmt.Sprintf("blocks%d", i), 16+8*i), block[i])
		}
		a.op("MOVQ", arg("n", 32), "CX")
	}
	a.op("MOVOU", "flip<>(SB)", niFlip)
	for _, s := range streams {
		niStart(a, s)
	}
	a.label("block")
	for i, s := range streams {
		niSave(a, s)
		for j, w := range s.words {
			a.op("MOVOU", mem(16*j, block[i]), w)
			a.op("PSHUFB", niFlip, w)
		}
		a.op("ADDQ", "$64", block[i])
	}
	niRounds(a, streams)
	for _, s := range streams {
		niAddSaved(a, s)
	}
	a.op("DECQ", "CX")
	a.op("JNZ", "block")
	niSecond(a, streams)
	for i, s := range streams {
		niStore(a, s, dst[i])
	}
	a.op("RET")
	a.WriteString("\n")
}

// niFold folds merkle roots with branches. The root stays in registers.
func niFold(a *asm, streams []niStream) {
	root := []string{"DI", "R8"}
	if len(streams) == 1 {
		a.text("foldNI", "(root *bitcoin.Hash, branches *bitcoin.Hash, n int)", 64, 24)
		a.op("MOVQ", arg("root", 0), root[0])
		a.op("MOVQ", arg("branches", 8), "SI")
		a.op("MOVQ", arg("n", 16), "CX")
	} else {
		a.text("foldNI2", "(root0, root1 *bitcoin.Hash, branches *bitcoin.Hash, n int)", 64, 32)
		a.op("MOVQ", arg("root0", 0), root[0])
		a.op("MOVQ", arg("root1", 8), root[1])
		a.op("MOVQ", arg("branches", 16), "SI")
		a.op("MOVQ", arg("n", 24), "CX")
	}
	a.op("MOVOU", "flip<>(SB)", niFlip)
	for i, s := range streams {
		for j, w := range s.words[:2] {
			a.op("MOVOU", mem(16*j, root[i]), w)
			a.op("PSHUFB", niFlip, w)
		}
	}
	a.label("branch")
	for _, s := range streams {
		for j, w := range s.words[2:] {
			a.op("MOVOU", mem(16*j, "SI"), w)
			a.op("PSHUFB", niFlip, w)
		}
		niStart(a, s)
	}
	niRounds(a, streams)
	for _, s := range streams {
		niAddStart(a, s)
		niSave(a, s)
	}
	a.comment("the block of padding")
	for i := range 16 {
		for _, s := range streams {
			a.op("MOVOU", constant("padding", 4*i), "X0")
			a.op("SHA256RNDS2", "X0", s.state[0], s.state[1])
			a.op("PSHUFD", "$0x0e", "X0", "X0")
			a.op("SHA256RNDS2", "X0", s.state[1], s.state[0])
		}
	}
	for _, s := range streams {
		niAddSaved(a, s)
	}
	niSecond(a, streams)
	for _, s := range streams {
		niToWords(a, s)
		a.op("MOVO", s.state[0], s.words[0])
		a.op("MOVO", s.state[1], s.words[1])
	}
	a.op("ADDQ", "$32", "SI")
	a.op("DECQ", "CX")
	a.op("JNZ", "branch")
	for i, s := range streams {
		for j, w := range s.words[:2] {
			a.op("PSHUFB", niFlip, w)
			a.op("MOVOU", w, mem(16*j, root[i]))
		}
	}
	a.op("RET")
	a.WriteString("\n")
}

// niRounds runs the 64 rounds of a block whose words are in registers.
func niRounds(a *asm, streams []niStream) {
	for i := range 16 {
		a.comment("rounds %d to %d", 4*i, 4*i+3)
		for _, s := range streams {
			w := func(j int) string { return s.words[(i+j+4)%4] }
			a.op("MOVOU", constant("k", 4*i), "X0")
			a.op("PADDD", w(0), "X0")
			a.op("SHA256RNDS2", "X0", s.state[0], s.state[1])
			if i >= 3 && i < 15 {
				a.op("MOVO", w(0), niTemp)
				a.op("PALIGNR", "$4", w(-1), niTemp)
				a.op("PADDD", niTemp, w(1))
				a.op("SHA256MSG2", w(0), w(1))
			}
			a.op("PSHUFD", "$0x0e", "X0", "X0")
			a.op("SHA256RNDS2", "X0", s.state[1], s.state[0])
			if i >= 1 && i < 13 {
				a.op("SHA256MSG1", w(0), w(-1))
			}
		}
	}
}

// niSecond hashes the digests that are in the states.
func niSecond(a *asm, streams []niStream) {
	a.comment("the hash of the hash")
	for _, s := range streams {
		niToWords(a, s)
		a.op("MOVO", s.state[0], s.words[0])
		a.op("MOVO", s.state[1], s.words[1])
		a.op("MOVOU", constant("tail", 0), s.words[2])
		a.op("MOVOU", constant("tail", 4), s.words[3])
		niStart(a, s)
	}
	niRounds(a, streams)
	for _, s := range streams {
		niAddStart(a, s)
	}
}

func niStart(a *asm, s niStream) {
	a.op("MOVOU", constant("start", 0), s.state[0])
	a.op("MOVOU", constant("start", 4), s.state[1])
}

func niAddStart(a *asm, s niStream) {
	for i, r := range s.state {
		a.op("MOVOU", constant("start", 4*i), niTemp)
		a.op("PADDD", niTemp, r)
	}
}

func niSave(a *asm, s niStream) {
	for i, r := range s.state {
		a.op("MOVOU", r, fmt.Sprintf("saved%d-%d(SP)", (s.saved/16)+i, 64-s.saved-16*i))
	}
}

func niAddSaved(a *asm, s niStream) {
	for i, r := range s.state {
		a.op("MOVOU", fmt.Sprintf("saved%d-%d(SP)", (s.saved/16)+i, 64-s.saved-16*i), niTemp)
		a.op("PADDD", niTemp, r)
	}
}

// niToWords turns a state from the order of SHA256RNDS2 into that of the words
// of a message, abcd and efgh.
func niToWords(a *asm, s niStream) {
	a.op("PSHUFD", "$0xb1", s.state[1], s.state[1])
	a.op("PSHUFD", "$0x1b", s.state[0], s.state[0])
	a.op("MOVO", s.state[0], niTemp)
	a.op("PBLENDW", "$0xf0", s.state[1], s.state[0])
	a.op("PALIGNR", "$8", niTemp, s.state[1])
}

func niStore(a *asm, s niStream, dst string) {
	niToWords(a, s)
	for i, r := range s.state {
		a.op("PSHUFB", niFlip, r)
		a.op("MOVOU", r, mem(16*i, dst))
	}
}
