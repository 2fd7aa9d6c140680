#include "textflag.h"

// PROBE shifts the bit of the gram at SI+at into AX, as mayHave finds it: the hash of the gram
// chooses a word of the bitmap at DI, and the lowest bits of the gram its bit.
#define PROBE(at) \
	MOVL   at(SI), CX           \
	IMUL3L $-1640531535, CX, BX \ // 0x9e3779b1, as in gramHash
	SHRL   $20, BX              \
	MOVL   (DI)(BX*4), BX       \
	BTL    CX, BX               \
	ADCL   AX, AX

// func probe(bits *[bitWords]uint32, text *byte, n int, hits *byte)
TEXT ·probe(SB), NOSPLIT, $0-32
	MOVQ bits+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ n+16(FP), DX
	MOVQ hits+24(FP), R8

stretch:
	XORL AX, AX
	PROBE(56)
	PROBE(48)
	PROBE(40)
	PROBE(32)
	PROBE(24)
	PROBE(16)
	PROBE(8)
	PROBE(0)
	MOVB AX, (R8)
	ADDQ $64, SI
	INCQ R8
	DECQ DX
	JNZ  stretch
	RET
