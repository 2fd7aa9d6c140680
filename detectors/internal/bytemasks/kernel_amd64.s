#include "textflag.h"

#define ROW 544 // the bytes between the masks of two classes: row
#define UPPER 0*ROW
#define WORD 1*ROW
#define SEXTET 2*ROW
#define RUN 3*ROW

#define CAPITALS 0*512 // the bytes between the shapes of two kinds
#define BASE64 1*512
#define WIDE 2*512

// CLASSES replaces the 32 bytes in V by their classes, with T, U and W as scratch. VPSHUFB
// looks up 32 bytes at once in a table of 16: the lower halves in one table, the upper halves
// in another. Where both say yes, the byte is in a rectangle. Three make up a class.
#define CLASSES(V, T, U, W) \
	VPSRLW  $4, V, T   \
	VPAND   Y9, T, T   \ // upper halves
	VPSHUFB V, Y10, U  \ // by the lower half; zero if the byte is not ASCII
	VPSHUFB T, Y11, W  \
	VPAND   U, W, U    \ // in the first rectangle
	VPSHUFB V, Y12, W  \
	VPSHUFB T, Y13, Y8 \
	VPAND   W, Y8, W   \
	VPOR    U, W, U    \ // or in the second
	VPSHUFB V, Y14, W  \
	VPSHUFB T, Y15, Y8 \
	VPAND   W, Y8, W   \
	VPOR    U, W, V      // or in the third

// MASK stores the mask of a class for 64 bytes: the top bits of all bytes of Y0 and Y1.
#define MASK(class) \
	VPMOVMSKB Y0, AX        \
	VPMOVMSKB Y1, BX        \
	MOVL      AX, class(DI) \
	MOVL      BX, class+4(DI)

// NEXT moves the bits of the next class to the top, by adding each byte to itself.
#define NEXT \
	VPADDB Y0, Y0, Y0 \
	VPADDB Y1, Y1, Y1

// func classifyBlocks(m *byte, text *byte, n int, t *tables) bool
TEXT ·classifyBlocks(SB), NOSPLIT, $0-33
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
	VMOVD AX, X9               // not MOVQ, which is SSE: it waits while upper halves are in use
	VPBROADCASTB X9, Y9
	VMOVDQU 0(SI), Y7          // Y7 has the least bytes so far

block:
	VMOVDQU 0(SI), Y0
	VMOVDQU 32(SI), Y1
	VPMINUB Y0, Y7, Y7
	VPMINUB Y1, Y7, Y7
	CLASSES(Y0, Y2, Y3, Y4)
	CLASSES(Y1, Y5, Y6, Y4)
	MASK(UPPER)
	NEXT
	MASK(WORD)
	MOVL AX, R8
	MOVL BX, R9
	NEXT
	MASK(SEXTET)
	NEXT
	VPMOVMSKB Y0, AX           // the others of a run, beside letters and digits
	VPMOVMSKB Y1, BX
	ORL  R8, AX
	ORL  R9, BX
	MOVL AX, RUN(DI)
	MOVL BX, RUN+4(DI)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ  block

	VPXOR     Y0, Y0, Y0
	VPCMPEQB  Y0, Y7, Y7
	VPMOVMSKB Y7, AX
	TESTL     AX, AX
	SETNE     ret+32(FP)
	VZEROUPPER
	RET

// TEST stores the mask of a class for 64 bytes: those of Z0 with the bit in V.
#define TEST(V, class) \
	VPTESTMB V, Z0, K2 \
	KMOVQ    K2, class(DI)

// func classifyWide(m *byte, text *byte, n int, t *[128]byte) bool
//
// AVX-512 looks up 64 bytes at once in a table of 128, and has registers for masks.
TEXT ·classifyWide(SB), NOSPLIT, $0-33
	MOVQ m+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ t+24(FP), DX
	VMOVDQU64 0(DX), Z16
	VMOVDQU64 64(DX), Z17
	MOVL $1, AX
	VPBROADCASTB AX, Z18
	VPADDB Z18, Z18, Z19
	VPADDB Z19, Z19, Z20
	VPADDB Z20, Z20, Z21
	VMOVDQU64 0(SI), Z22       // the least bytes so far

wide:
	VMOVDQU64 0(SI), Z0
	VPMINUB   Z0, Z22, Z22
	VPMOVB2M  Z0, K1
	KNOTQ     K1, K1           // which bytes are ASCII
	VPERMI2B.Z Z17, Z16, K1, Z0
	TEST(Z18, UPPER)
	TEST(Z19, WORD)
	TEST(Z20, SEXTET)
	TEST(Z21, RUN)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ  wide

	VPTESTNMB Z22, Z22, K1
	KTESTQ    K1, K1
	SETNE     ret+32(FP)
	VZEROUPPER
	RET

// AND keeps the bits of V of which the n-th next one is set too, with T as scratch.
#define AND(n, V, T) \
	VPSRLQ $n, V, T \
	VPAND  T, V, V

// SHAPES finds the shapes as shapesIn does, in four words of 64 bits at once: capitals in Y4,
// base64 in Y2, base64 of UTF-16 in Y5. at is 0 or 4. The upper half of each word does not
// count, since it lacks the bits behind it.
#define SHAPES(at) \
	VMOVDQU WORD+at(DI), Y0   \
	AND(1, Y0, Y1)            \
	AND(2, Y0, Y1)            \
	AND(4, Y0, Y1)            \
	AND(8, Y0, Y1)            \ // Y0: sixteen letters and digits
	VMOVDQU SEXTET+at(DI), Y2 \
	AND(4, Y2, Y3)            \
	AND(8, Y2, Y3)            \
	VPAND   Y0, Y2, Y2        \
	VMOVDQU UPPER+at(DI), Y4  \
	VPSRLQ  $3, Y4, Y5        \
	VPAND   Y4, Y5, Y5        \
	AND(8, Y5, Y6)            \
	VPAND   Y0, Y5, Y5        \
	AND(1, Y4, Y6)            \
	AND(2, Y4, Y6)            \
	AND(3, Y4, Y6)

// JOIN makes words of the lower halves of those in A and in B, and stores them.
#define JOIN(A, B, to) \
	VPSLLQ   $32, B, B        \
	VPBLENDD $0xaa, B, A, A   \
	VMOVDQU  A, to

// func findVector(m *masks, n int, f *findings)
TEXT ·findVector(SB), NOSPLIT, $0-24
	MOVQ m+0(FP), DI
	MOVQ n+8(FP), CX
	MOVQ f+16(FP), DX
	MOVQ DX, SI              // shapes, one byte a group
	LEAQ 80(DX), BX          // the shapes of each block
	ADDQ $16, DX             // runs, four bytes a group
	VPXOR    Y14, Y14, Y14   // zeros
	VPCMPEQB Y15, Y15, Y15   // ones

group:
	SHAPES(0)
	VMOVDQA Y4, Y8
	VMOVDQA Y2, Y9
	VMOVDQA Y5, Y10
	SHAPES(4)
	JOIN(Y8, Y4, CAPITALS(BX))
	JOIN(Y9, Y2, BASE64(BX))
	JOIN(Y10, Y5, WIDE(BX))
	VPOR      Y8, Y9, Y7
	VPOR      Y7, Y10, Y7
	VPCMPEQQ  Y7, Y14, Y7        // which of the four words are zero
	VMOVMSKPD Y7, AX
	XORL $15, AX
	MOVB AX, 0(SI)
	VMOVDQU   RUN(DI), Y0        // bytes of the mask of which it and the next three are all ones
	VPAND     RUN+1(DI), Y0, Y0
	VPAND     RUN+2(DI), Y0, Y0
	VPAND     RUN+3(DI), Y0, Y0
	VPCMPEQB  Y0, Y15, Y0
	VPMOVMSKB Y0, AX
	MOVL      AX, 0(DX)
	INCQ SI
	ADDQ $4, DX
	ADDQ $32, BX
	ADDQ $32, DI
	DECQ CX
	JNZ  group
	VZEROUPPER
	RET
