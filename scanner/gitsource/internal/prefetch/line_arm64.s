#include "textflag.h"

// func load(at unsafe.Pointer)
TEXT ·load(SB), NOSPLIT, $0-8
	MOVD at+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET
