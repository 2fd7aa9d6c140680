#include "textflag.h"

// The masks of a class lie ROW bytes apart: 8 * (blocks + 1).
#define ROW 400

// CLASSES(V, T, U) replaces the 32 bytes in V by their classes. VPSHUFB looks up 32 bytes at
// once in a table of 16: the lower halves in one, the upper halves in another. Where both say
// yes, the byte is in a rectangle; a class is any of three.
#define CLASSES(V, T, U, W) \
	VPSRLW  $4, V, T   \ // upper halves
	VPAND   Y9, T, T   \
	VPAND   Y9, V, V   \ // lower halves
	VPSHUFB V, Y10, U  \
	VPSHUFB T, Y11, W  \
	VPAND   U, W, U    \ // first rectangle
	VPSHUFB V, Y12, W  \
	VPSHUFB T, Y13, Y8 \
	VPAND   W, Y8, W   \
	VPOR    U, W, U    \ // or the second
	VPSHUFB V, Y14, W  \
	VPSHUFB T, Y15, Y8 \
	VPAND   W, Y8, W   \
	VPOR    U, W, V      // or the third

// MASK stores the mask of one class for 64 bytes: the top bits of all bytes of Y0 and Y1.
// Adding a vector to itself moves the next class to the top bits.
#define MASK(class) \
	VPMOVMSKB Y0, AX       \
	VPMOVMSKB Y1, BX       \
	SHLQ $32, BX           \
	ORQ  AX, BX            \
	MOVQ BX, class*ROW(DI) \
	VPADDB Y0, Y0, Y0      \
	VPADDB Y1, Y1, Y1

// func classifyVector(m *byte, text *byte, n int, t *[tables][2][16]byte)
TEXT ·classifyVector(SB), NOSPLIT, $0-32
	MOVQ m+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ t+24(FP), DX
	VBROADCASTI128 0(DX), Y10  // the tables, each in both halves of a register
	VBROADCASTI128 16(DX), Y11
	VBROADCASTI128 32(DX), Y12
	VBROADCASTI128 48(DX), Y13
	VBROADCASTI128 64(DX), Y14
	VBROADCASTI128 80(DX), Y15
	MOVL $15, AX               // Y9 is 15 in each byte
	MOVQ AX, X9
	VPBROADCASTB X9, Y9

block:
	VMOVDQU 0(SI), Y0
	VMOVDQU 32(SI), Y1
	CLASSES(Y0, Y2, Y3, Y4)
	CLASSES(Y1, Y5, Y6, Y7)
	MASK(0)
	MASK(1)
	MASK(2)
	MASK(3)
	MASK(4)
	MASK(5)
	MASK(6)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ  block
	VZEROUPPER
	RET
