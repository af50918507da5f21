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

/* --- Tunnels: what was set, read back --- */
#define KEY "*(u32 *)(r10 - 48) = 0x11223344; *(u32 *)(r10 - 44) = 0x1020304; *(u32 *)(r10 - 40) = 0x2030405; *(u32 *)(r10 - 36) = 0x3040506; *(u32 *)(r10 - 32) = 0x4050607; " \
 "*(u16 *)(r10 - 28) = 0x4020; *(u16 *)(r10 - 26) = 0; *(u32 *)(r10 - 24) = $C; *(u32 *)(r10 - 20) = 0x51525354; *(u32 *)(r10 - 16) = 0x52535455; *(u32 *)(r10 - 12) = 0x53545556; *(u32 *)(r10 - 8) = 0x54555657; "
#define CLEAR "*(u64 *)(r10 - 96) = -1; *(u64 *)(r10 - 88) = -1; *(u64 *)(r10 - 80) = -1; *(u64 *)(r10 - 72) = -1; *(u64 *)(r10 - 64) = -1; *(u64 *)(r10 - 56) = -1;"
#define MIX "r1 = *(u64 *)(r10 - 96); r0 *= 31; r0 += r1; r1 = *(u64 *)(r10 - 88); r0 *= 31; r0 += r1; r1 = *(u64 *)(r10 - 80); r0 *= 31; r0 += r1; r1 = *(u64 *)(r10 - 72); r0 *= 31; r0 += r1;" \
 "r1 = *(u64 *)(r10 - 64); r0 *= 31; r0 += r1; r1 = *(u64 *)(r10 - 56); r0 *= 31; r0 += r1; r1 = r0; r1 >>= 32; r0 += r1; exit"
{"skb_set_tunnel_key, then get", CLS, IP4, 0xe6a59cbf483a721e,
 "r6 = r1;" KEY CLEAR "r1 = r6; r2 = r10; r2 += -48; r3 = 44; r4 = $A ll; call 21; r7 = r0; r1 = r6; r2 = r10; r2 += -96; r3 = 44; r4 = $B ll; call 20; r0 *= 1000; r0 += r7;" MIX,
 {0, 1, 2, 3, 4, 8, 32, 33, 63, 64, END}, {0, 1, 16, 17, 2, END}, {0, 1, 0x7fffffff, END}},
{"skb_set_tunnel_key, sizes", CLS, IP4, 0xe2fbe2d5d964f989,
 "r6 = r1;" KEY CLEAR "r1 = r6; r2 = r10; r2 += -48; r3 = $A; r4 = $B ll; call 21; r7 = r0; r1 = r6; r2 = r10; r2 += -96; r3 = 44; r4 = $B ll; call 20; r0 *= 1000; r0 += r7;" MIX,
 {1, 4, 8, 20, 22, 24, 26, 28, 40, 44, 43, END}, {0, 1, END}, {0, END}},
{"skb_get_tunnel_key, sizes", CLS, IP4, 0xae73a1df4363c051,
 "r6 = r1;" KEY CLEAR "r1 = r6; r2 = r10; r2 += -48; r3 = 44; r4 = $B ll; call 21; r7 = r0; r1 = r6; r2 = r10; r2 += -96; r3 = $A; r4 = $B ll; call 20; r0 *= 1000; r0 += r7;" MIX,
 {1, 4, 8, 20, 22, 24, 26, 28, 40, 44, 43, END}, {0, 1, END}, {0, END}},
{"skb_get_tunnel_key of none", CLS, IP4, 0x1ed31261c8655a94,
 CLEAR "r2 = r10; r2 += -96; r3 = $A; r4 = $B ll; call 20;" MIX, {1, 44, END}, {0, 1, 2, END}, NONE},
{"skb_set_tunnel_opt, then get", CLS, IP4, 0x8259516f143faa55,
 "r6 = r1;" KEY CLEAR "r1 = r6; r2 = r10; r2 += -48; r3 = 44; r4 = 0; call 21; r1 = r6; r2 = r10; r2 += -48; r3 = $A; call 30; r7 = r0; r1 = r6; r2 = r10; r2 += -96; r3 = $B; call 29; r0 *= 1000; r0 += r7;" MIX,
 {1, 3, 4, 8, 12, 44, END}, {1, 4, 7, 8, 12, 48, END}, {0, END}},
{"skb_set_tunnel_opt without a key", CLS, IP4, 0x30cd7286bf2b8bc7,
 "r6 = r1;" CLEAR "r2 = r10; r2 += -96; r3 = 8; call 30; r7 = r0; r1 = r6; r2 = r10; r2 += -96; r3 = 8; call 29; r0 *= 1000; r0 += r7;" MIX, NONE, NONE, NONE},
{"skb_get_xfrm_state", CLS, IP4, 0xf23bf8225dc56055, CLEAR "r2 = $A; r3 = r10; r3 += -96; r4 = $B; r5 = $C; call 66;" MIX, {0, 1, END}, {1, 8, 28, END}, {0, 1, END}},

/* --- What stands beside a packet --- */
{"get_cgroup_classid", CLS, IP4, 0xee76a19b1107bd67, "call 17; exit", NONE, NONE, NONE},
{"skb_cgroup_classid", CLS, IP4, 0xee76a19b1107bd67, "call 151; exit", NONE, NONE, NONE},
{"get_route_realm", CLS, IP4, 0xee76a19b1107bd67, "call 24; exit", NONE, NONE, NONE},
{"skb_cgroup_id", CLS, IP4, 0x2db395836e8714ba, "call 79; exit", NONE, NONE, NONE},
{"skb_ancestor_cgroup_id", CLS, IP4, 0xdda42fa3eb3a6754, "r2 = $A ll; call 83; exit", {0, 1, 2, -1, END}, NONE, NONE},
{"skb_set_tstamp", CLS, IP4, 0x8fe326ce1171a906, "r6 = r1; r2 = $A ll; r3 = $B ll; call 192; r1 = *(u8 *)(r6 + 180); r0 *= 31; r0 += r1; r1 = *(u64 *)(r6 + 152); r0 += r1; exit",
 {0, 1, 1000000000, -1, END}, {0, 1, 2, 3, 4, -1, END}, NONE},
{"skb_set_tstamp of ARP", CLS, ARP, 0x49553d17584275e5, "r2 = 5; r3 = $A; call 192; exit", {0, 1, 5, END}, NONE, NONE},
{"skb_set_tstamp, read without looking at its kind", CLS, IP6, 0x933c959f386c42fd, "r6 = r1; r2 = $A ll; r3 = $B ll; call 192; r0 = *(u64 *)(r6 + 152); exit",
 {0, 1, 1000000000, END}, {0, 1, 2, END}, NONE},
{"redirect_neigh", CLS, IP4, 0x2a074aea6b76ea9d, BUFFER "*(u64 *)(r10 - 24) = 2; r1 = $A; r2 = r10; r2 += -24; r3 = $B; r4 = $C; call 152; exit", {0, 1, 99, END}, {1, 19, 20, 24, END}, {0, 1, END}},
{"redirect_neigh by route", CLS, IP4, 0x87426bcc8d0aa130, "r1 = $A; r2 = 0; r3 = 0; r4 = $C; call 152; exit", {0, 1, 99, END}, NONE, {0, 1, END}},
{"redirect_peer", CLS, IP4, 0x87426bcc8d0aa130, "r1 = $A; r2 = $B; call 155; exit", {0, 1, 99, END}, {0, 1, END}, NONE},
