#include "textflag.h"

// func load(at unsafe.Pointer)
TEXT ·load(SB), NOSPLIT, $0-8
	MOVQ at+0(FP), AX
	PREFETCHT0 (AX)
	RET
