/* SPDX-License-Identifier: BSD-2-Clause */
/* More rows of run_test.c: see run_cases.h, whose names are used here. */

/* --- Dynptrs: over a map's value of 64 bytes, from r9 on, at r10 - 16 --- */
#define VALUE64 .map = {BPF_MAP_TYPE_ARRAY, 4, 64, 1}
#define VALUE_IN_R9 "*(u32 *)(r10 - 4) = 0; r1 = map_fd[0]; r2 = r10; r2 += -4; call 1; if r0 == 0 goto out; r9 = r0;"
#define DYNPTR(size, flags) VALUE_IN_R9 "r1 = r9; r2 = " size "; r3 = " flags " ll; r4 = r10; r4 += -16; call 197;"
#define SUM "r1 = *(u64 *)(r9 + 0); r0 += r1; r1 = *(u64 *)(r9 + 8); r0 += r1; r1 = *(u64 *)(r9 + 56); r0 += r1; exit; out: r0 = 99; exit"
{"dynptr_from_mem", CLS, IP4, 0x52382008876ec9d4, DYNPTR("64", "$A") "exit; out: r0 = 99; exit", {0, 1, 1 << 31, -1, END}, NONE, NONE, VALUE64},
{"dynptr_write", CLS, IP4, 0xcdd426b6fcc8687c,
 DYNPTR("60", "0") "*(u64 *)(r10 - 40) = 0x1234567; *(u64 *)(r10 - 32) = 77; r1 = r10; r1 += -16; r2 = $A ll; r3 = r10; r3 += -40; r4 = $C ll; r5 = $B ll; call 202;" SUM,
 {0, 1, 8, 44, 45, 52, 53, 60, 61, -1, 0xffffffff, END}, {0, 1, 2, END}, {1, 8, 16, END}, VALUE64},
{"dynptr_write to one of no memory", CLS, IP4, 0xbd5371994e806999,
 DYNPTR("60", "1") "*(u64 *)(r10 - 40) = 7; r1 = r10; r1 += -16; r2 = $A ll; r3 = r10; r3 += -40; r4 = 8; r5 = 0; call 202;" SUM,
 {0, 100, END}, NONE, NONE, VALUE64},
{"dynptr_read", CLS, IP4, 0xa7a99408a3368d60,
 DYNPTR("60", "0") "*(u64 *)(r9 + 0) = 0x1234567; *(u64 *)(r9 + 52) = 0x7654321; *(u64 *)(r10 - 40) = -1; r1 = r10; r1 += -40; r2 = $C ll; r3 = r10; r3 += -16; r4 = $A ll; r5 = $B ll; call 201;"
 "r1 = *(u64 *)(r10 - 40); r0 += r1; exit; out: r0 = 99; exit",
 {0, 1, 8, 52, 53, 60, 61, -1, 0xffffffff, END}, {0, 1, 2, END}, {1, 8, END}, VALUE64},
{"dynptr_read of one of no memory", CLS, IP4, 0xffd9dc6a8a854025,
 DYNPTR("60", "1") "*(u64 *)(r10 - 40) = -1; r1 = r10; r1 += -40; r2 = 8; r3 = r10; r3 += -16; r4 = $A ll; r5 = 0; call 201;"
 "r1 = *(u64 *)(r10 - 40); r0 += r1; exit; out: r0 = 99; exit", {0, 100, END}, NONE, NONE, VALUE64},
{"dynptr_data", CLS, IP4, 0x16a475aefbcc5ee7,
 DYNPTR("60", "0") "r1 = r10; r1 += -16; r2 = $A ll; r3 = 8; call 203; if r0 == 0 goto out; *(u64 *)(r0 + 0) = 0x55; r0 = 1;" SUM,
 {0, 1, 8, 52, 53, 60, 61, -1, 0xffffffff, END}, NONE, NONE, VALUE64},
{"ringbuf_reserve_dynptr, submit", CLS, IP4, 0xd0b4297d85f8f28a,
 "*(u64 *)(r10 - 24) = 5; r1 = map_fd[0]; r2 = $A ll; r3 = $B ll; r4 = r10; r4 += -16; call 198; r6 = r0;"
 "r1 = r10; r1 += -16; r2 = 0; r3 = r10; r3 += -24; r4 = 8; r5 = 0; call 202; r6 *= 100; r6 += r0;"
 "r1 = r10; r1 += -16; r2 = 0; call 199; r1 = map_fd[0]; r2 = 0; call 134; r0 *= 1000; r0 += r6; exit",
 {0, 1, 8, 100, 4000, 4096, 5000, 0xffffff, 0x1000000, -1, END}, {0, 1, END}, NONE, .map = {BPF_MAP_TYPE_RINGBUF, 0, 0, 4096}},
{"ringbuf_reserve_dynptr, discard", CLS, IP4, 0x59c51938e99c3dc4,
 "r1 = map_fd[0]; r2 = $A ll; r3 = 0; r4 = r10; r4 += -16; call 198; r6 = r0;"
 "r1 = r10; r1 += -16; r2 = 8; r3 = 8; call 203; if r0 == 0 goto none; r6 += 5; none: r1 = r10; r1 += -16; r2 = 0; call 200; r1 = map_fd[0]; r2 = 0; call 134; r0 *= 1000; r0 += r6; exit",
 {0, 1, 8, 16, 100, 5000, END}, NONE, NONE, .map = {BPF_MAP_TYPE_RINGBUF, 0, 0, 4096}},
