#include "textflag.h"

#define ROW 544 // the bytes between the masks of two classes: row

// CLASSES sets C to the classes of the 16 bytes in V, and changes V. VTBL looks up 16 bytes at
// once in a table of 64, and gives zero for the others. VTBX leaves the others as they are.
#define CLASSES(V, C) \
	VTBL V.B16, [V16.B16, V17.B16, V18.B16, V19.B16], C.B16 \ // bytes below 64
	VEOR V24.B16, V.B16, V.B16                              \
	VTBX V.B16, [V20.B16, V21.B16, V22.B16, V23.B16], C.B16   // and those from 64 on

// func classifyBlocks(m *byte, text *byte, n int, t *[128]byte) bool
//
// NEON cannot gather the top bits of all bytes as AVX2 can. Instead the bits come together by
// shifts of whole vectors. VLD4 makes that easy: it deals 64 bytes out to four vectors, so
// four neighbours are at the same place of the four. This happens to their bits, 0 to 3, in
// each class; a dot is a zero:
//
//	class     0 1 2 3     0 1 2 3     0 1 2 3     0 1 2 3
//	bytes     0.0.0.0.    1.1.1.1.    2.2.2.2.    3.3.3.3.    a vector for each neighbour
//	pairs     10101010    32323232                            a vector for each two
//	halves    32103210    of class 0 and 2, 32103210 of class 1 and 3
//
// At last, two halves of one class make a byte of its mask.
TEXT ·classifyBlocks(SB), NOSPLIT, $0-33
	MOVD m+0(FP), R0
	MOVD text+8(FP), R4
	MOVD n+16(FP), R5
	MOVD t+24(FP), R6
	ADD  $(1*ROW), R0, R1
	ADD  $(2*ROW), R0, R2
	ADD  $(3*ROW), R0, R3
	VLD1.P 64(R6), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1   (R6), [V20.B16, V21.B16, V22.B16, V23.B16]
	VMOVI  $64, V24.B16
	VMOVI  $0x33, V25.B16       // the lower pair of each half of a byte
	VMOVI  $0xff, V26.B16       // the least bytes so far

block:
	VLD4.P 64(R4), [V0.B16, V1.B16, V2.B16, V3.B16]
	VUMIN V0.B16, V1.B16, V27.B16
	VUMIN V2.B16, V3.B16, V28.B16
	VUMIN V27.B16, V26.B16, V26.B16
	VUMIN V28.B16, V26.B16, V26.B16
	CLASSES(V0, V4)
	CLASSES(V1, V5)
	CLASSES(V2, V6)
	CLASSES(V3, V7)

	// Of four neighbours, V5 gets the pairs 10 of each class, and V7 the pairs 32.
	VUSRA $1, V4.B16, V5.B16    // adds V4>>1; no bit is set in both
	VUSRA $1, V6.B16, V7.B16

	// V7 gets 3210 of class 0 and of class 2, V5 those of class 1 and 3.
	VUSHR $2, V5.B16, V0.B16
	VSHL  $2, V7.B16, V1.B16
	VBIT  V25.B16, V0.B16, V7.B16 // takes the lower pairs from V0
	VBIF  V25.B16, V1.B16, V5.B16 // takes the upper pairs from V1

	// The four neighbours in a byte with an even number are the lower half of a byte of the
	// mask, and the next four its upper half.
	VUZP1 V5.B16, V7.B16, V0.B16 // the even bytes of V7, then those of V5
	VUZP2 V5.B16, V7.B16, V1.B16 // the odd ones
	VMOV  V1.B16, V2.B16
	VSRI  $4, V0.B16, V2.B16     // the upper halves: masks of class 0 and 1
	VSLI  $4, V1.B16, V0.B16     // the lower halves: masks of class 2 and 3
	VST1.P V2.D[0], 8(R0)
	VST1.P V2.D[1], 8(R1)
	VST1.P V0.D[0], 8(R2)
	VST1.P V0.D[1], 8(R3)
	SUBS $1, R5
	BNE  block

	VEOR   V0.B16, V0.B16, V0.B16
	VCMEQ  V0.B16, V26.B16, V26.B16
	VMOV   V26.D[0], R0
	VMOV   V26.D[1], R1
	ORR    R0, R1
	CMP    $0, R1
	CSET   NE, R1
	MOVB   R1, ret+32(FP)
	RET
