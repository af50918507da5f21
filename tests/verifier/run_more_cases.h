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

/* --- The network: of a kernel where there is nothing but lo --- */
#define FIB "*(u64 *)(r10 - 64) = $A; *(u64 *)(r10 - 56) = $B; *(u64 *)(r10 - 48) = 0; *(u64 *)(r10 - 40) = 0; *(u64 *)(r10 - 32) = 0; *(u64 *)(r10 - 24) = 0; *(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 8) = 0;"
#define FIB_SUM "r1 = *(u64 *)(r10 - 64); r0 *= 31; r0 += r1; r1 = *(u64 *)(r10 - 56); r0 += r1; r1 = *(u64 *)(r10 - 8); r0 += r1; exit"
{"tc: fib_lookup", CLS, IP4, 0x2dfffaf78cfe0481, FIB "r2 = r10; r2 += -64; r3 = 64; r4 = $C; call 69;" FIB_SUM, {0, 1, 2, 10, 11, END}, {0, 1, 99999, END}, {0, 4, 64, 128, END}},
{"xdp: fib_lookup", XDP, IP4, 0xfccbec4edacd3b46, FIB "r2 = r10; r2 += -64; r3 = 64; r4 = $C; call 69;" FIB_SUM, {0, 2, 10, END}, {0, 1, 99999, END}, {0, 4, 64, END}},
{"fib_lookup, sizes", CLS, IP4, 0x2834b973547d6321, FIB "r2 = r10; r2 += -64; r3 = $C; r4 = 0; call 69;" FIB_SUM, {2, END}, {1, END}, {1, 63, 64, END}},
#define MTU BUFFER "*(u32 *)(r10 - 8) = $A; r2 = $B; r3 = r10; r3 += -8; r4 = $C ll;"
#define MTU_SUM "r1 = *(u32 *)(r10 - 8); r0 *= 31; r0 += r1; exit"
{"tc: check_mtu", CLS, IP4, 0xb2c634e87813c6e8, MTU "r5 = 0; call 163;" MTU_SUM, {0, 100, 65535, 65536, 65537, END}, {0, 1, 99999, END}, {0, 1, -1, -62, -63, 65474, 65488, 65489, 100000, END}},
{"tc: check_mtu, flags", CLS, IP4, 0xba7f6232f9d1ce9d, MTU "r5 = r4; r4 = 0; call 163;" MTU_SUM, {0, 100, END}, {0, 1, END}, {0, 1, 2, 3, END}},
{"xdp: check_mtu", XDP, IP4, 0x68038d859a12537d, MTU "r5 = 0; call 163;" MTU_SUM, {0, 100, 65535, 65536, 65537, END}, {0, 1, 99999, END}, {0, 1, -1, 65474, 65488, 65489, END}},
{"xdp: check_mtu of fragments", XDP, FRAGS, 0x2d7664043232635a, MTU "r5 = 0; call 163;" MTU_SUM, {0, END}, {0, END}, {60000, 60550, 60551, 60552, 62030, 62031, END}},
{"xdp: check_mtu, flags", XDP, IP4, 0x1d33bf521dcefd9b, MTU "r5 = r4; r4 = 0; call 163;" MTU_SUM, {0, END}, {1, END}, {0, 1, 2, END}},
#define TUPLE "*(u64 *)(r10 - 40) = 0x0100007f; *(u64 *)(r10 - 32) = 9; *(u64 *)(r10 - 24) = 0; *(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 8) = 0; r2 = r10; r2 += -40; r3 = $A; r4 = $B ll; r5 = $C ll;"
#define HAVE_SK "if r0 == 0 goto none; r1 = r0; call 86; r0 = 77; none: exit"
{"sk_lookup_udp of nobody", CLS, IP4, 0xf334f0f1853f3b05, TUPLE "call 85;" HAVE_SK, {12, 36, 13, 35, END}, {-1, 0, 1, 1 << 31, 77777, END}, {0, 1, END}},
{"sk_lookup_tcp of nobody", CLS, IP4, 0xdc707b6726c48285, TUPLE "call 84;" HAVE_SK, {12, 36, END}, {-1, 0, END}, {0, 1, END}},
{"skc_lookup_tcp of nobody", CLS, IP4, 0xdc707b6726c48285, TUPLE "call 99;" HAVE_SK, {12, 36, END}, {-1, 0, END}, {0, 1, END}},
#define CTX_SK "r6 = r1; r1 = *(u64 *)(r1 + 168); r0 = 55; if r1 == 0 goto out;"
{"sk_fullsock", CLS, IP4, 0xa603f07def610f41, CTX_SK "call 95; if r0 == 0 goto out; r1 = *(u32 *)(r0 + 4); r2 = *(u32 *)(r0 + 24); r3 = *(u32 *)(r0 + 72); r0 = r1; r0 *= 31; r0 += r2; r0 *= 31; r0 += r3; out: exit", NONE, NONE, NONE},
{"tcp_sock of no TCP socket", CLS, IP4, 0xee76a19b1107bd67, CTX_SK "call 96; if r0 == 0 goto out; r0 = *(u32 *)(r0 + 0); out: exit", NONE, NONE, NONE},
{"get_listener_sock of none", CLS, IP4, 0xee76a19b1107bd67, CTX_SK "call 98; if r0 == 0 goto out; r0 = *(u32 *)(r0 + 4); out: exit", NONE, NONE, NONE},

/* --- Who runs the program, and where to --- */
{"get_current_cgroup_id", CLS, IP4, 0x2db395836e8714ba, "call 80; exit", NONE, NONE, NONE},
{"get_current_ancestor_cgroup_id", CLS, IP4, 0x947f55da53ffb384, "r1 = $A ll; call 123; exit", {0, 1, 2, 3, 64, -1, END}, NONE, NONE},
{"get_ns_current_pid_tgid of another namespace", CLS, IP4, 0x764fa798ebfd2dd5, BUFFER "r1 = $A; r2 = $B; r3 = r10; r3 += -8; r4 = 8; call 120;" ANSWER, {0, 4, END}, {0, 1, END}, NONE},
{"xdp: redirect_map of an empty device map", XDP, IP4, 0x2b9e17d0a5426598, "r1 = map_fd[0]; r2 = $A; r3 = $B; call 51; exit", {0, 3, 4, END}, {0, 1, 2, 3, 4, 8, 9, 16, 18, 24, 32, END}, NONE, .map = {BPF_MAP_TYPE_DEVMAP, 4, 4, 4}},
{"xdp: redirect_map of an empty map of CPUs", XDP, IP4, 0xb14351eb33c9db19, "r1 = map_fd[0]; r2 = $A; r3 = $B; call 51; exit", {0, 1, END}, {0, 1, 2, 3, 4, 8, 16, END}, NONE, .map = {BPF_MAP_TYPE_CPUMAP, 4, 4, 2}},
{"xdp: redirect_map of an empty map of sockets", XDP, IP4, 0x595e2bfd00c405de, "r1 = map_fd[0]; r2 = $A; r3 = $B; call 51; exit", {0, 3, 4, END}, {0, 1, 2, 3, 4, 8, 16, END}, NONE, .map = {BPF_MAP_TYPE_XSKMAP, 4, 4, 4}},
