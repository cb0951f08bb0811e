#include "textflag.h"

// Where this program and the whole one begin; cmd/join fills them in.
DATA ·targets+0(SB)/8, $0
DATA ·targets+8(SB)/8, $0
GLOBL ·targets(SB), NOPTR, $16

// func entry()
//
// Eight octets may be read from any argument, whatever its length: behind the
// arguments stand the environment, the name of the file and eight zeros.
TEXT ·entry(SB), NOSPLIT|NOFRAME, $0-0
	CMPQ 0(SP), $2 // argc
	JLT  whole
	MOVQ 16(SP), AX // argv[1]
	MOVQ (AX), AX
	MOVQ $0x772d796669726576, CX // "verify-w", of verify-worker
	CMPQ AX, CX
	JEQ  short
	MOVQ $0x726f772d6e616373, CX // "scan-wor", of scan-worker
	CMPQ AX, CX
	JEQ  short
	MOVQ $0x6f772d7265706170, CX // "paper-wo", of paper-worker
	CMPQ AX, CX
	JEQ  short
	MOVQ $0x00ffffffffffffff, BX
	ANDQ AX, BX
	MOVQ $0x00796669726576, CX // "verify\0"
	CMPQ BX, CX
	JEQ  short
	MOVQ $0x000000ffffffffff, BX
	ANDQ AX, BX
	MOVQ $0x006e676973, CX // "sign\0"
	CMPQ BX, CX
	JNE  whole
	LEAQ 24(SP), SI // argv[2]

next:
	MOVQ  (SI), AX
	TESTQ AX, AX
	JEQ   short
	MOVL  (AX), AX
	CMPL  AX, $0x73742d2d // "--ts"
	JEQ   whole
	CMPL  AX, $0x31702d2d // "--p1"
	JEQ   whole
	CMPL  AX, $0x656c2d2d // "--le"
	JEQ   whole
	ADDQ  $8, SI
	JMP   next

short:
	MOVQ ·targets+0(SB), AX
	JMP  AX

whole:
	MOVQ ·targets+8(SB), AX
	JMP  AX
