package sharehash

import "fmt"

// wideKernels writes the kernels that hash many messages side by side, one in each
// 32-bit lane of the vector registers. Registers 0 to 7 hold the state, a to h;
// digests and states in memory are eight vectors of one word each.
type wideKernels struct {
	*asm
	lanes int
	set   instructionSet
}

// instructionSet is what differs between the vector extensions.
type instructionSet interface {
	register(n int) string
	setWord(j int, operand string)     // from a register or memory
	setWordAll(j int, memory string)   // one word of memory in all lanes
	round(s [8]string, j int)          // with round constant j at AX
	paddingRound(s [8]string, j int)   // the same, the word being added already
	nextWord(j int)                    // of the message schedule
	setAll(register, memory string)    // one word of memory in all lanes
	addAll(register, memory string)    // the same, added
	addVector(register, memory string) // lane by lane
	transpose()                        // the lanes' blocks at SI, R8 bytes apart, into the words
	addActive(r int, memory string)    // adds the state before the block in the lanes at R9 and stores the new one
	flipBranch()                       // 32 bytes at SI to the stack, the bytes of each word swapped
	branchWord(j int) string           // the operand where flipBranch left a word
	move() string                      // the instruction that loads and stores a vector
}

func (w *wideKernels) size() int { return 4 * w.lanes }

// state is the order of the registers in a round: they change their names in
// place of moving.
func (w *wideKernels) state(round int) (s [8]string) {
	for i := range s {
		s[i] = w.set.register((i - round%8 + 8) % 8)
	}
	return s
}

// write writes the three kernels: of messages, of merkle roots, of headers.
func (w *wideKernels) write() {
	w.messages()
	w.fold()
	w.headers()
}

func (w *wideKernels) messages() {
	w.text(fmt.Sprintf("hash%d", w.lanes), fmt.Sprintf("(digests *vectors%d, messages *byte, stride int, active *lanes%d, blocks int)", w.lanes, w.lanes), w.frame(), 40)
	w.op("MOVQ", arg("digests", 0), "DI")
	w.op("MOVQ", arg("messages", 8), "SI")
	w.op("MOVQ", arg("stride", 16), "R8")
	w.op("MOVQ", arg("active", 24), "R9")
	w.op("MOVQ", arg("blocks", 32), "DX")
	for i := range 8 {
		w.set.setAll(w.set.register(i), constant("start", i))
		w.store(i, "DI")
	}
	w.label("block")
	w.set.transpose()
	for i := range 8 {
		w.op(w.set.move(), mem(i*w.size(), "DI"), w.set.register(i))
	}
	w.rounds("message")
	for i := range 8 {
		w.set.addActive(i, mem(i*w.size(), "DI"))
	}
	w.op("ADDQ", "$64", "SI")
	w.op("ADDQ", imm(w.size()), "R9")
	w.op("DECQ", "DX")
	w.op("JNZ", "block")
	for i := range 8 {
		w.set.setWord(i, mem(i*w.size(), "DI"))
	}
	w.second("digest")
	for i := range 8 {
		w.store(i, "DI")
	}
	w.end()
}

func (w *wideKernels) fold() {
	w.text(fmt.Sprintf("fold%d", w.lanes), fmt.Sprintf("(roots *vectors%d, branches *bitcoin.Hash, n int)", w.lanes), w.frame(), 24)
	w.op("MOVQ", arg("roots", 0), "DI")
	w.op("MOVQ", arg("branches", 8), "SI")
	w.op("MOVQ", arg("n", 16), "DX")
	for i := range 8 {
		w.set.setWord(i, mem(i*w.size(), "DI"))
	}
	w.label("branch")
	w.set.flipBranch()
	for i := range 8 {
		w.set.setWordAll(8+i, w.set.branchWord(i))
	}
	w.start()
	w.rounds("nodes")
	for i := range 8 {
		w.set.addAll(w.set.register(i), constant("start", i))
		w.store(i, "DI")
	}
	w.op("LEAQ", "padding<>(SB)", "AX")
	w.op("MOVQ", "$4", "CX")
	w.label("pad")
	for j := range 16 {
		w.set.paddingRound(w.state(j), j)
	}
	w.op("ADDQ", "$64", "AX")
	w.op("DECQ", "CX")
	w.op("JNZ", "pad")
	for i := range 8 {
		w.set.addVector(w.set.register(i), mem(i*w.size(), "DI"))
		w.set.setWord(i, w.set.register(i))
	}
	w.second("digest")
	for i := range 8 {
		w.set.setWord(i, w.set.register(i))
	}
	w.op("ADDQ", "$32", "SI")
	w.op("DECQ", "DX")
	w.op("JNZ", "branch")
	for i := range 8 {
		w.store(i, "DI")
	}
	w.end()
}

func (w *wideKernels) headers() {
	w.text(fmt.Sprintf("headers%d", w.lanes), fmt.Sprintf("(hashes, roots *vectors%d, rolled *rolled%d, fixed *[9]uint32)", w.lanes, w.lanes), w.frame(), 32)
	w.op("MOVQ", arg("hashes", 0), "DI")
	w.op("MOVQ", arg("roots", 8), "SI")
	w.op("MOVQ", arg("rolled", 16), "R8")
	w.op("MOVQ", arg("fixed", 24), "R9")
	w.set.setWord(0, mem(0, "R8"))
	for i := range 8 {
		w.set.setWordAll(1+i, mem(4*i, "R9"))
	}
	for i := range 7 {
		w.set.setWord(9+i, mem(i*w.size(), "SI"))
	}
	w.start()
	w.rounds("first")
	for i := range 8 {
		w.set.addAll(w.set.register(i), constant("start", i))
		w.store(i, "DI")
	}
	w.set.setWord(0, mem(7*w.size(), "SI"))
	w.set.setWord(1, mem(w.size(), "R8"))
	w.set.setWordAll(2, mem(32, "R9"))
	w.set.setWord(3, mem(2*w.size(), "R8"))
	for i := range 12 {
		w.set.setWordAll(4+i, constant("tail", i+8))
	}
	w.rounds("last")
	for i := range 8 {
		w.set.addVector(w.set.register(i), mem(i*w.size(), "DI"))
		w.set.setWord(i, w.set.register(i))
	}
	w.second("digest")
	for i := range 8 {
		w.store(i, "DI")
	}
	w.end()
}

// second hashes the digests that are words 0 to 7.
func (w *wideKernels) second(label string) {
	w.comment("the hash of the hash")
	for i := range 8 {
		w.set.setWordAll(8+i, constant("tail", i))
	}
	w.start()
	w.rounds(label)
	for i := range 8 {
		w.set.addAll(w.set.register(i), constant("start", i))
	}
}

// rounds runs the 64 rounds of a block, 16 to a turn; the schedule keeps one
// turn ahead.
func (w *wideKernels) rounds(label string) {
	w.op("LEAQ", "k<>(SB)", "AX")
	w.op("MOVQ", "$3", "CX")
	w.label(label + "_rounds")
	for j := range 16 {
		w.set.round(w.state(j), j)
		w.set.nextWord(j)
	}
	w.op("ADDQ", "$64", "AX")
	w.op("DECQ", "CX")
	w.op("JNZ", label+"_rounds")
	for j := range 16 {
		w.set.round(w.state(j), j)
	}
}

func (w *wideKernels) start() {
	for i := range 8 {
		w.set.setAll(w.set.register(i), constant("start", i))
	}
}

func (w *wideKernels) store(i int, base string) {
	w.op(w.set.move(), w.set.register(i), mem(i*w.size(), base))
}

// frame is the stack that a kernel needs.
func (w *wideKernels) frame() int {
	if w.lanes == 8 {
		return 16*32 + 32
	}
	return 32
}

func (w *wideKernels) end() {
	w.op("VZEROUPPER")
	w.op("RET")
	w.WriteString("\n")
}

// tables are the constants of the wide kernels.
func (w *wideKernels) tables() {
	w.table("k", roundConstants())
	w.table("padding", paddingRounds())
	w.table("start", initialState())
	tail := make([]uint32, 20)
	tail[0], tail[7] = 0x80000000, 32*8  // words 8 to 15 of a digest as a message
	tail[8], tail[19] = 0x80000000, 80*8 // words 4 to 15 of a header's second block
	w.table("tail", tail)
	var flip []uint32
	for range w.lanes / 4 {
		flip = append(flip, flipMask()...)
	}
	w.table("flip", flip)
}

// avx512 writes the kernels of 16 lanes. Words are in Z16 to Z31, temporaries
// in Z8 to Z12.
func avx512() string {
	a := newAsm("Double SHA-256 of 16 messages side by side with AVX-512 (F, BW).")
	w := &wideKernels{asm: a, lanes: 16, set: zmm{a}}
	w.tables()
	w.write()
	return a.String()
}

type zmm struct{ *asm }

func (zmm) register(n int) string { return fmt.Sprintf("Z%d", n) }
func (zmm) word(j int) string     { return fmt.Sprintf("Z%d", 16+j&15) }
func (zmm) move() string          { return "VMOVDQU32" }

func (z zmm) setWord(j int, operand string)   { z.op("VMOVDQU32", operand, z.word(j)) }
func (z zmm) setWordAll(j int, memory string) { z.op("VPBROADCASTD", memory, z.word(j)) }
func (z zmm) setAll(r, memory string)         { z.op("VPBROADCASTD", memory, r) }
func (z zmm) addAll(r, memory string)         { z.op("VPADDD.BCST", memory, r, r) }
func (z zmm) addVector(r, memory string)      { z.op("VPADDD", memory, r, r) }

func (z zmm) round(s [8]string, j int) {
	z.comment("round %d", j)
	h := s[7]
	z.op("VPADDD", z.word(j), h, h)
	z.paddingRound(s, j)
}

// Immediates of VPTERNLOGD: the operands are, from the highest bit of the
// index, the destination, the second and the first one written.
const (
	ternaryXor      = "$0x96"
	ternaryChoose   = "$0xca" // destination ? second : first
	ternaryMajority = "$0xe8"
)

// Rounds wait for one another, so what the next one waits for, d as its e, is
// summed up apart from h and in the order in which its parts become known.
func (z zmm) paddingRound(s [8]string, j int) {
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	z.op("VPADDD.BCST", mem(4*j, "AX"), h, h)
	z.op("VPADDD", h, d, d)
	z.rotations(e, 6, 11, 25, "Z8", "Z9", "Z10")
	z.op("VMOVDQA32", e, "Z11")
	z.op("VPTERNLOGD", ternaryChoose, g, f, "Z11")
	z.op("VPADDD", "Z11", d, d)
	z.op("VPADDD", "Z8", d, d)
	z.op("VPADDD", "Z11", h, h)
	z.op("VPADDD", "Z8", h, h)
	z.rotations(a, 2, 13, 22, "Z8", "Z9", "Z10")
	z.op("VMOVDQA32", a, "Z11")
	z.op("VPTERNLOGD", ternaryMajority, c, b, "Z11")
	z.op("VPADDD", "Z11", h, h)
	z.op("VPADDD", "Z8", h, h)
}

// rotations leaves the exclusive or of three rotations in the first temporary.
func (z zmm) rotations(x string, r1, r2, r3 int, t1, t2, t3 string) {
	z.op("VPRORD", imm(r1), x, t1)
	z.op("VPRORD", imm(r2), x, t2)
	z.op("VPRORD", imm(r3), x, t3)
	z.op("VPTERNLOGD", ternaryXor, t3, t2, t1)
}

func (z zmm) nextWord(j int) {
	w, w1, w9, w14 := z.word(j), z.word(j+1), z.word(j+9), z.word(j+14)
	z.op("VPRORD", imm(7), w1, "Z8")
	z.op("VPRORD", imm(18), w1, "Z9")
	z.op("VPSRLD", imm(3), w1, "Z10")
	z.op("VPTERNLOGD", ternaryXor, "Z10", "Z9", "Z8")
	z.op("VPADDD", w9, w, w)
	z.op("VPADDD", "Z8", w, w)
	z.op("VPRORD", imm(17), w14, "Z8")
	z.op("VPRORD", imm(19), w14, "Z9")
	z.op("VPSRLD", imm(10), w14, "Z10")
	z.op("VPTERNLOGD", ternaryXor, "Z10", "Z9", "Z8")
	z.op("VPADDD", "Z8", w, w)
}

// transpose exchanges rows and columns of a matrix of 16 by 16 words in four
// steps: words, pairs of words, then quarters of the registers.
func (z zmm) transpose() {
	z.op("MOVQ", "SI", "BX")
	low := z.register
	high := func(i int) string { return z.register(16 + i) }
	for i := range 16 {
		z.op("VMOVDQU32", "(BX)", high(i))
		z.op("VPSHUFB", "flip<>(SB)", high(i), high(i))
		z.op("ADDQ", "R8", "BX")
	}
	for i := 0; i < 16; i += 2 {
		z.op("VPUNPCKLDQ", high(i+1), high(i), low(i))
		z.op("VPUNPCKHDQ", high(i+1), high(i), low(i+1))
	}
	for i := 0; i < 16; i += 4 {
		z.op("VPUNPCKLQDQ", low(i+2), low(i), high(i))
		z.op("VPUNPCKHQDQ", low(i+2), low(i), high(i+1))
		z.op("VPUNPCKLQDQ", low(i+3), low(i+1), high(i+2))
		z.op("VPUNPCKHQDQ", low(i+3), low(i+1), high(i+3))
	}
	for j := range 4 {
		z.op("VSHUFI32X4", "$0x44", high(4+j), high(j), low(j))
		z.op("VSHUFI32X4", "$0xee", high(4+j), high(j), low(4+j))
		z.op("VSHUFI32X4", "$0x44", high(12+j), high(8+j), low(8+j))
		z.op("VSHUFI32X4", "$0xee", high(12+j), high(8+j), low(12+j))
	}
	for j := range 4 {
		z.op("VSHUFI32X4", "$0x88", low(8+j), low(j), high(j))
		z.op("VSHUFI32X4", "$0xdd", low(8+j), low(j), high(4+j))
		z.op("VSHUFI32X4", "$0x88", low(12+j), low(4+j), high(8+j))
		z.op("VSHUFI32X4", "$0xdd", low(12+j), low(4+j), high(12+j))
	}
}

func (z zmm) addActive(r int, memory string) {
	z.op("VPANDD", "(R9)", z.register(r), z.register(r))
	z.op("VPADDD", memory, z.register(r), z.register(r))
	z.op("VMOVDQU32", z.register(r), memory)
}

func (z zmm) flipBranch() {
	z.op("VMOVDQU", "(SI)", "Y8")
	z.op("VPSHUFB", "flip<>(SB)", "Y8", "Y8")
	z.op("VMOVDQU", "Y8", "0(SP)")
}

func (zmm) branchWord(j int) string { return mem(4*j, "SP") }

// avx2 writes the kernels of 8 lanes. Words are on the stack, temporaries in Y8
// to Y11.
func avx2() string {
	a := newAsm("Double SHA-256 of 8 messages side by side with AVX2.")
	w := &wideKernels{asm: a, lanes: 8, set: ymm{a}}
	w.tables()
	w.write()
	return a.String()
}

type ymm struct{ *asm }

func (ymm) register(n int) string { return fmt.Sprintf("Y%d", n) }
func (ymm) word(j int) string     { return mem(32*(j&15), "SP") }
func (ymm) move() string          { return "VMOVDQU" }

func (y ymm) setWord(j int, operand string) {
	if operand[0] != 'Y' {
		y.op("VMOVDQU", operand, "Y8")
		operand = "Y8"
	}
	y.op("VMOVDQU", operand, y.word(j))
}

func (y ymm) setWordAll(j int, memory string) {
	y.op("VPBROADCASTD", memory, "Y8")
	y.op("VMOVDQU", "Y8", y.word(j))
}

func (y ymm) setAll(r, memory string) { y.op("VPBROADCASTD", memory, r) }

func (y ymm) addAll(r, memory string) {
	y.op("VPBROADCASTD", memory, "Y8")
	y.op("VPADDD", "Y8", r, r)
}

func (y ymm) addVector(r, memory string) { y.op("VPADDD", memory, r, r) }

func (y ymm) round(s [8]string, j int) {
	y.comment("round %d", j)
	h := s[7]
	y.op("VPADDD", y.word(j), h, h)
	y.paddingRound(s, j)
}

func (y ymm) paddingRound(s [8]string, j int) {
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	y.op("VPBROADCASTD", mem(4*j, "AX"), "Y8")
	y.op("VPADDD", "Y8", h, h)
	y.op("VPADDD", h, d, d)
	y.rotations(e, 6, 11, 25)
	y.op("VPXOR", f, g, "Y10")
	y.op("VPAND", e, "Y10", "Y10")
	y.op("VPXOR", g, "Y10", "Y10")
	y.op("VPADDD", "Y10", d, d)
	y.op("VPADDD", "Y8", d, d)
	y.op("VPADDD", "Y10", h, h)
	y.op("VPADDD", "Y8", h, h)
	y.rotations(a, 2, 13, 22)
	y.op("VPXOR", a, b, "Y10")
	y.op("VPXOR", b, c, "Y11")
	y.op("VPAND", "Y10", "Y11", "Y10")
	y.op("VPXOR", b, "Y10", "Y10")
	y.op("VPADDD", "Y10", h, h)
	y.op("VPADDD", "Y8", h, h)
}

// rotations leaves the exclusive or of three rotations in Y8.
func (y ymm) rotations(x string, r1, r2, r3 int) {
	y.op("VPSRLD", imm(r1), x, "Y8")
	for _, shift := range []struct {
		op string
		n  int
	}{{"VPSLLD", 32 - r1}, {"VPSRLD", r2}, {"VPSLLD", 32 - r2}, {"VPSRLD", r3}, {"VPSLLD", 32 - r3}} {
		y.op(shift.op, imm(shift.n), x, "Y9")
		y.op("VPXOR", "Y9", "Y8", "Y8")
	}
}

// sigma is the schedule's: two rotations and a shift, in Y8.
func (y ymm) sigma(x string, r1, r2, shift int) {
	y.op("VMOVDQU", x, "Y10")
	y.op("VPSRLD", imm(shift), "Y10", "Y8")
	for _, r := range []int{r1, r2} {
		y.op("VPSRLD", imm(r), "Y10", "Y9")
		y.op("VPXOR", "Y9", "Y8", "Y8")
		y.op("VPSLLD", imm(32-r), "Y10", "Y9")
		y.op("VPXOR", "Y9", "Y8", "Y8")
	}
}

func (y ymm) nextWord(j int) {
	y.sigma(y.word(j+1), 7, 18, 3)
	y.op("VMOVDQA", "Y8", "Y11")
	y.sigma(y.word(j+14), 17, 19, 10)
	y.op("VPADDD", "Y11", "Y8", "Y8")
	y.op("VPADDD", y.word(j), "Y8", "Y8")
	y.op("VPADDD", y.word(j+9), "Y8", "Y8")
	y.op("VMOVDQU", "Y8", y.word(j))
}

// transpose exchanges rows and columns of two matrices of 8 by 8 words.
func (y ymm) transpose() {
	for half := range 2 {
		y.op("MOVQ", "SI", "BX")
		r := y.register
		for i := range 8 {
			y.op("VMOVDQU", mem(32*half, "BX"), r(i))
			y.op("VPSHUFB", "flip<>(SB)", r(i), r(i))
			y.op("ADDQ", "R8", "BX")
		}
		for i := 0; i < 8; i += 2 {
			y.op("VPUNPCKLDQ", r(i+1), r(i), r(8+i))
			y.op("VPUNPCKHDQ", r(i+1), r(i), r(8+i+1))
		}
		for i := 0; i < 8; i += 4 {
			y.op("VPUNPCKLQDQ", r(8+i+2), r(8+i), r(i))
			y.op("VPUNPCKHQDQ", r(8+i+2), r(8+i), r(i+1))
			y.op("VPUNPCKLQDQ", r(8+i+3), r(8+i+1), r(i+2))
			y.op("VPUNPCKHQDQ", r(8+i+3), r(8+i+1), r(i+3))
		}
		for j := range 4 {
			y.op("VPERM2I128", "$0x20", r(4+j), r(j), "Y8")
			y.op("VPERM2I128", "$0x31", r(4+j), r(j), "Y9")
			y.op("VMOVDQU", "Y8", y.word(8*half+j))
			y.op("VMOVDQU", "Y9", y.word(8*half+4+j))
		}
	}
}

func (y ymm) addActive(r int, memory string) {
	y.op("VPAND", "(R9)", y.register(r), y.register(r))
	y.op("VPADDD", memory, y.register(r), y.register(r))
	y.op("VMOVDQU", y.register(r), memory)
}

func (y ymm) flipBranch() {
	y.op("VMOVDQU", "(SI)", "Y8")
	y.op("VPSHUFB", "flip<>(SB)", "Y8", "Y8")
	y.op("VMOVDQU", "Y8", mem(16*32, "SP"))
}

func (ymm) branchWord(j int) string { return mem(16*32+4*j, "SP") }
