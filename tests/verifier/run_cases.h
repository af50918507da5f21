/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of run_test.c. */

#define XDP BPF_PROG_TYPE_XDP
#define CLS BPF_PROG_TYPE_SCHED_CLS
#define FILTER BPF_PROG_TYPE_SOCKET_FILTER
#define NONE {END}
/* Eight bytes at r10 - 8, so that what a helper fills in can be answered. */
#define BUFFER "*(u64 *)(r10 - 8) = -1; *(u64 *)(r10 - 16) = 0;"
/* The bytes that a helper left there, and its result, mixed to one number. */
#define ANSWER "r1 = *(u64 *)(r10 - 8); r0 *= 31; r0 += r1; r1 >>= 32; r0 += r1; exit"

/* --- XDP --- */
{"xdp: adjust_head", XDP, IP4, 0xa85ae40dfdc5bdd8, "r2 = $A ll; call 44; exit",
 {0, 1, -1, 20, 48, 49, 62, 100, -40, -216, -217, -256, 1 << 30, END}, NONE, NONE},
{"xdp: adjust_meta", XDP, IP4, 0xcbec78692ae1136b, "r2 = $A ll; call 54; exit",
 {0, -4, -3, 4, 8, -32, -64, -216, -220, -252, -256, END}, NONE, NONE},
{"xdp: adjust_meta, then head", XDP, IP4, 0xb5adbd23c88aad70,
 "r6 = r1; r2 = $A ll; call 54; r7 = r0; r1 = r6; r2 = $B ll; call 44; r7 *= 1000; r0 += r7; exit",
 {0, -4, -32, -100, END}, {0, 4, -4, -100, -212, -216, END}, NONE},
{"xdp: head, then meta", XDP, IP4, 0x1fe6e3e5c763daf6,
 "r6 = r1; r2 = $A ll; call 44; r7 = r0; r1 = r6; r2 = $B ll; call 54; r7 *= 1000; r0 += r7; exit",
 {0, 14, -4, -100, END}, {0, 4, -4, -100, -212, -216, -248, -252, END}, NONE},
{"xdp: adjust_tail", XDP, IP4, 0x6c51afad537a52ee, "r2 = $A ll; call 65; exit",
 {0, 1, -1, 20, -48, -49, -62, -100, 1000, 3458, 3459, 1 << 30, END}, NONE, NONE},
{"xdp: shrink, then grow", XDP, LONG, 0x37a1996ef3a8e9e4, "r6 = r1; r2 = -100; call 65; r1 = r6; r2 = $A ll; call 65; exit",
 {50, 100, 620, 621, END}, NONE, NONE},
{"xdp: adjust_tail with fragments", XDP, FRAGS, 0xc9b5d8a6d7e643d2, "r2 = $A ll; call 65; exit",
 {0, 1, 2616, 2617, -1, -1480, -1481, -4000, -4986, -4987, END}, NONE, NONE},
{"xdp: adjust_head with fragments", XDP, FRAGS, 0x9de129f17a384dc4, "r2 = $A ll; call 44; exit",
 {0, 100, -100, 3506, 3507, 4000, END}, NONE, NONE},
{"xdp: get_buff_len", XDP, FRAGS, 0x268d57d18a304760, "call 188; exit", NONE, NONE, NONE},
{"xdp: data_end with fragments", XDP, FRAGS, 0x327bed6ab9016134,
 "r0 = *(u32 *)(r1 + 4); r2 = *(u32 *)(r1 + 0); r0 -= r2; r3 = *(u32 *)(r1 + 8); r2 -= r3; r0 <<= 8; r0 += r2; exit",
 NONE, NONE, NONE},
{"xdp: load_bytes", XDP, FRAGS, 0xa403d0ed0ad14847,
 BUFFER "r3 = r10; r3 += -8; r2 = $A ll; r4 = $B ll; call 189;" ANSWER,
 {0, 1, 14, 3518, 4992, 4996, 4999, 5000, 5001, 65535, 65536, 1 << 31, END}, {1, 4, 8, END}, NONE},
{"xdp: store_bytes", XDP, FRAGS, 0x918ac95f52f6d3ec,
 "*(u64 *)(r10 - 8) = 0x12345678; r3 = r10; r3 += -8; r2 = $A ll; r4 = $B ll; call 190; exit",
 {0, 1, 14, 3518, 4992, 4996, 4999, 5000, 65535, 65536, END}, {1, 4, 8, END}, NONE},
{"xdp: direct access", XDP, IP4, 0x10402752810b3dbb,
 "r2 = *(u32 *)(r1 + 0); r3 = *(u32 *)(r1 + 4); r4 = r2; r4 += 30; r0 = 0; if r4 > r3 goto out;"
 "r0 = *(u32 *)(r2 + 26); *(u16 *)(r2 + 12) = 0x1234; out: exit",
 NONE, NONE, NONE},
{"xdp: fields", XDP, IP4, 0xfabaa6e0a3d0582b, "r0 = *(u32 *)(r1 + 12); r2 = *(u32 *)(r1 + 16); r0 <<= 16; r0 += r2; exit",
 NONE, NONE, NONE},
{"xdp: redirect", XDP, IP4, 0x154c1df56abb76ca, "r1 = $A ll; r2 = $B ll; call 23; exit", {0, 1, 99, END}, {0, 1, 2, END}, NONE},

/* --- Reading and writing packets of skb programs --- */
{"tc: skb_load_bytes", CLS, IP4, 0xe2042917a4e911f1, BUFFER "r3 = r10; r3 += -8; r2 = $A ll; r4 = $B ll; call 26;" ANSWER,
 {0, 1, 14, 54, 55, 58, 61, 62, 63, -1, 1 << 31, END}, {1, 4, 8, END}, NONE},
{"filter: skb_load_bytes", FILTER, IP4, 0xec97d7dd771e0516, BUFFER "r3 = r10; r3 += -8; r2 = $A ll; r4 = $B ll; call 26;" ANSWER,
 {0, 1, 14, 40, 44, 47, 48, 63, -1, END}, {1, 4, 8, END}, NONE},
{"tc: skb_load_bytes_relative", CLS, IP4, 0xf2364a3d07a90e1f,
 BUFFER "r3 = r10; r3 += -8; r2 = $A ll; r4 = 4; r5 = $B ll; call 68;" ANSWER,
 {0, 1, 14, 44, 45, 58, 59, 62, 65535, 65536, -1, END}, {0, 1, 2, END}, NONE},
{"filter: skb_load_bytes_relative", FILTER, IP6, 0x6ba756c95e54d0d,
 BUFFER "r3 = r10; r3 += -8; r2 = $A ll; r4 = 4; r5 = $B ll; call 68;" ANSWER,
 {0, 1, 14, 44, 72, 73, 86, 87, END}, {0, 1, 2, END}, NONE},
{"tc: skb_store_bytes", CLS, IP4, 0xb6e28a15ea55bb25,
 "*(u64 *)(r10 - 8) = 0x12345678; r3 = r10; r3 += -8; r2 = $A ll; r4 = $B ll; r5 = $C ll; call 9; exit",
 {0, 1, 14, 54, 55, 61, 62, -1, END}, {1, 8, END}, {0, 1, 2, 3, 4, END}},
{"tc: skb_pull_data", CLS, IP4, 0x2ce4f0c5f5821a00, "r2 = $A ll; call 39; exit", {0, 1, 61, 62, 63, 100, -1, END}, NONE, NONE},
{"tc: direct access", CLS, IP4, 0x3b4c4468109197c2,
 "r2 = *(u32 *)(r1 + 76); r3 = *(u32 *)(r1 + 80); r4 = r2; r4 += 30; r0 = 0; if r4 > r3 goto out;"
 "r0 = *(u32 *)(r2 + 26); *(u16 *)(r2 + 12) = 0x1234; out: exit",
 NONE, NONE, NONE},
{"tc: packet loads", CLS, IP4, 0xe5e646db12a38aca, "r6 = r1; r2 = $B ll; r0 = *(u32 *)skb[r2 + 3]; exit",
 NONE, {0, -1, -3, -4, 1, 55, 56, 100, -0x100000, -0x100003, -0x200000, -0x200003, -0x200004, END}, NONE},
{"filter: packet loads", FILTER, IP4, 0xe64aaba61385f893, "r6 = r1; r2 = $B ll; r0 = *(u16 *)skb[r2 + 3]; exit",
 NONE, {0, -1, -3, -4, 1, 43, 44, 100, -0x100000, -0x100003, -0x200000, -0x200003, -0x200004, END}, NONE},

/* --- Fields of struct __sk_buff --- */
{"tc: fields, one after the other", CLS, IP4, 0xf23ad5539b95b07d,
 "r6 = r1; r0 = *(u32 *)(r6 + 0); r2 = *(u32 *)(r6 + 4); r0 *= 31; r0 += r2; r2 = *(u32 *)(r6 + 8); r0 *= 31;"
 "r0 += r2; r2 = *(u32 *)(r6 + 16); r0 *= 31; r0 += r2; r2 = *(u32 *)(r6 + 36); r0 *= 31; r0 += r2;"
 "r2 = *(u32 *)(r6 + 40); r0 *= 31; r0 += r2; r2 = *(u32 *)(r6 + 84); r0 *= 31; r0 += r2;"
 "r2 = *(u32 *)(r6 + 160); r0 *= 31; r0 += r2; r2 = *(u64 *)(r6 + 184); r0 *= 31; r0 += r2; exit",
 NONE, NONE, NONE},
{"tc: fields of IPv6", CLS, IP6, 0x8215b14b5dbb433e, "r0 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 16); r0 <<= 16; r0 += r2; exit", NONE, NONE, NONE},
{"tc: fields of ARP", CLS, ARP, 0x30b8415b468790df, "r0 = *(u32 *)(r1 + 4); r2 = *(u32 *)(r1 + 16); r0 <<= 16; r0 += r2; exit", NONE, NONE, NONE},
{"filter: fields of a tagged packet", FILTER, VLAN, 0x990692f9884b9324,
 "r0 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 16); r0 <<= 16; r0 += r2; r2 = *(u32 *)(r1 + 20); r0 += r2; exit", NONE, NONE, NONE},
{"tc: write mark", CLS, IP4, 0x11bcb1c9e25fac01, "r2 = $A ll; *(u32 *)(r1 + 8) = r2; r0 = *(u32 *)(r1 + 8); exit", {0, 5, 70000, -1, END}, NONE, NONE},
{"tc: write queue_mapping", CLS, IP4, 0xdfc0d1870b08b63b, "r2 = $A ll; *(u32 *)(r1 + 12) = r2; r0 = *(u32 *)(r1 + 12); exit",
 {0, 5, 65534, 65535, 65536, 70000, -1, 0x100000005, END}, NONE, NONE},
{"tc: jump over a write of queue_mapping", CLS, IP4, 0xb6fbff9a73710fb6,
 "r3 = $A ll; r2 = 7; if r3 == 0 goto out; *(u32 *)(r1 + 12) = r2; out: r0 = *(u32 *)(r1 + 12); exit", {0, 1, END}, NONE, NONE},
{"tc: write constants to queue_mapping", CLS, IP4, 0xc798e03ec1acbd44,
 "*(u32 *)(r1 + 12) = 5; *(u32 *)(r1 + 12) = 65534; *(u32 *)(r1 + 12) = 65535; r0 = *(u32 *)(r1 + 12); exit", NONE, NONE, NONE},
{"tc: write priority", CLS, IP4, 0xf96f71bbda3950e1, "r2 = $A ll; *(u32 *)(r1 + 32) = r2; r0 = *(u32 *)(r1 + 32); exit", {0, 5, 70000, -1, END}, NONE, NONE},
{"tc: write tc_index", CLS, IP4, 0x1717b1935d66e81d,
 "r2 = $A ll; *(u32 *)(r1 + 44) = r2; r0 = *(u8 *)(r1 + 45); r2 = *(u16 *)(r1 + 44); r0 *= 31; r0 += r2;"
 "r2 = *(s16 *)(r1 + 44); r0 *= 31; r0 += r2; r2 = *(u16 *)(r1 + 46); r0 *= 31; r0 += r2;"
 "r2 = *(s32 *)(r1 + 44); r0 *= 31; r0 += r2; r2 = *(u32 *)(r1 + 44); r0 *= 31; r0 += r2; r0 >>= 3; exit",
 {0, 5, 65535, 70000, -1, 0x8081, END}, NONE, NONE},
{"tc: write tc_classid", CLS, IP4, 0x1758fd17fab8a8a9, "r2 = $A ll; *(u32 *)(r1 + 72) = r2; r0 = *(u32 *)(r1 + 72); exit", {0, 5, 65535, 70000, -1, END}, NONE, NONE},
{"tc: write tstamp", CLS, IP4, 0x33da286d30e5c0d4, "r2 = $A ll; *(u64 *)(r1 + 152) = r2; r0 = *(u64 *)(r1 + 152); exit", {0, 5, 0x123456789abcd, -1, END}, NONE, NONE},
{"tc: write cb", CLS, IP4, 0xf8a9be0fa13e39d3,
 "r2 = $A ll; *(u64 *)(r1 + 48) = r2; *(u64 *)(r1 + 56) = r2; *(u8 *)(r1 + 67) = r2; *(u16 *)(r1 + 50) = r2;"
 "r0 = *(u64 *)(r1 + 48); r2 = *(u8 *)(r1 + 51); r0 += r2; r2 = *(u32 *)(r1 + 64); r0 += r2; exit",
 {0, 5, 0x123456789abcdef0, END}, NONE, NONE},
{"filter: write cb", FILTER, IP4, 0x90e6d1a7f33eaa10, "*(u32 *)(r1 + 48) = 5; *(u16 *)(r1 + 54) = 7; r0 = *(u64 *)(r1 + 48); r2 = r0; r2 >>= 32; r0 += r2; exit", NONE, NONE, NONE},
{"tc: parts of fields", CLS, IP6, 0x44dfcaa4b56ac8f7,
 "r0 = *(u8 *)(r1 + 0); r2 = *(u16 *)(r1 + 16); r0 *= 31; r0 += r2; r2 = *(u8 *)(r1 + 17); r0 *= 31; r0 += r2;"
 "r2 = *(u16 *)(r1 + 18); r0 *= 31; r0 += r2; r2 = *(s8 *)(r1 + 17); r0 *= 31; r0 += r2; r2 = *(s16 *)(r1 + 16); r0 += r2; exit",
 NONE, NONE, NONE},
{"tc: a spilled context", CLS, IP4, 0x2a0e1ab74d13b947,
 "*(u64 *)(r10 - 8) = r1; call 7; r1 = *(u64 *)(r10 - 8); r0 = *(u32 *)(r1 + 16); *(u32 *)(r1 + 8) = r0; exit", NONE, NONE, NONE},
{"tc: the context in a function", CLS, IP4, 0x6a6bedc8277aae2a,
 "r2 = r1; r1 = 5; call f; r6 = r0; exit; f: *(u32 *)(r2 + 8) = r1; r0 = *(u32 *)(r2 + 16); exit", NONE, NONE, NONE},

/* --- Checksums --- */
{"l3_csum_replace", CLS, IP4, 0x9dce78f0bc371b64, "r2 = 24; r3 = $A ll; r4 = $B ll; r5 = $C ll; call 10; exit",
 {0, 1, 0x1234, 0xffff, 0x12345678, -1, END}, {0, 1, 0x4321, 0xffff, 0xdeadbeef, -1, END}, {0, 1, 2, 4, 8, 16, END}},
{"l3_csum_replace, places", CLS, IP4, 0xc6433a160d16c53e, "r2 = $A ll; r3 = 1; r4 = 2; r5 = 2; call 10; exit",
 {0, 1, 60, 61, 62, 63, 65534, 65535, 65536, -1, -2, END}, NONE, NONE},
{"l4_csum_replace", CLS, IP4, 0xd3905f53d2f7eed8, "r2 = 40; r3 = $A ll; r4 = $B ll; r5 = $C ll; call 11; exit",
 {0, 1, 0xffff, 0x12345678, END}, {0, 1, 0x4321, 0xffff, 0xdeadbeef, END},
 {0, 2, 4, 8, 16, 18, 20, 32, 34, 66, 98, 0x82, 0x100, END}},
{"l4_csum_replace of zero", CLS, IP4, 0x94080b2abb4576d5,
 "r6 = r1; *(u64 *)(r10 - 8) = 0; r2 = 40; r3 = r10; r3 += -8; r4 = 2; r5 = 0; call 9; r1 = r6;"
 "r2 = 40; r3 = $A ll; r4 = $B ll; r5 = $C ll; call 11; exit",
 {0, 1, 0xffff, END}, {0, 1, 0xffff, 0xfffe, END}, {2, 4, 34, 36, 98, 100, END}},
{"csum_diff", CLS, IP4, 0x1b383cb087f9da69,
 "r1 = 0x1234567890abcdef ll; *(u64 *)(r10 - 16) = r1; r1 = 0xfedcba98f0debc9a ll; *(u64 *)(r10 - 8) = r1;"
 "r1 = r10; r1 += -16; r2 = $A ll; r3 = r10; r3 += -8; r4 = $B ll; r5 = $C ll; call 28; exit",
 {4, 8, 3, END}, {4, 8, 6, END}, {0, 1, 0xffff, 0x10000, 0x12345678, -1, END}},
{"csum_diff of nothing", CLS, IP4, 0x80588aad7e19c4d,
 "r1 = 0x1234567890abcdef ll; *(u64 *)(r10 - 16) = r1; r1 = 0; r2 = 0; r3 = r10; r3 += -16; r4 = $B ll; r5 = $C ll; call 28; exit",
 NONE, {0, 4, 8, END}, {0, 1, 0xffff, 0x12345678, -1, END}},
{"csum_diff to nothing", CLS, IP4, 0xcb14be513dcffc92,
 "r1 = 0x1234567890abcdef ll; *(u64 *)(r10 - 16) = r1; r1 = r10; r1 += -16; r2 = $B ll; r3 = 0; r4 = 0; r5 = $C ll; call 28; exit",
 NONE, {0, 4, 8, END}, {0, 1, 0xffff, 0x12345678, -1, END}},
{"csum_update", CLS, IP4, 0x9ed377839d5163f6, "r2 = 5; call 40; exit", NONE, NONE, NONE},
{"csum_level", CLS, IP4, 0x71d556e7a0c6c3c9, "r2 = $A ll; call 135; exit", {0, 1, 2, 3, 4, -1, END}, NONE, NONE},

/* --- Metadata --- */
{"tc: skb_change_type", CLS, IP4, 0xa5601fed5e5fdb95, "r6 = r1; r2 = $A ll; call 32; r2 = *(u32 *)(r6 + 4); r0 *= 31; r0 += r2; exit",
 {0, 1, 2, 3, 4, 5, 7, -1, END}, NONE, NONE},
{"tc: set_hash", CLS, IP4, 0x1981a5ce27449121,
 "r6 = r1; r2 = 0x1234; call 48; r1 = r6; call 34; r7 = r0; r1 = r6; call 41; r0 = *(u32 *)(r6 + 68); r0 += r7; exit", NONE, NONE, NONE},
{"tc: get_socket_uid", CLS, IP4, 0xee76a19b1107bd67, "call 47; exit", NONE, NONE, NONE},
{"tc: skb_ecn_set_ce", CLS, IP4, 0x5ff062b2176af559,
 "r6 = r1; *(u64 *)(r10 - 8) = $A; r2 = 15; r3 = r10; r3 += -8; r4 = 1; r5 = 0; call 9; r1 = r6; call 97; exit",
 {0, 1, 2, 3, 0x51, END}, NONE, NONE},
{"tc: skb_ecn_set_ce of IPv6", CLS, IP6, 0x9a2de772497b9050,
 "r6 = r1; *(u64 *)(r10 - 8) = $A; r2 = 15; r3 = r10; r3 += -8; r4 = 1; r5 = 0; call 9; r1 = r6; call 97; exit",
 {0, 0x10, 0x20, 0x30, 0x9f, END}, NONE, NONE},
{"tc: skb_ecn_set_ce of ARP", CLS, ARP, 0xb7971d802c66f31b, "call 97; exit", NONE, NONE, NONE},
{"tc: redirect", CLS, IP4, 0x66038c660ff254d9, "r1 = $A ll; r2 = $B ll; call 23; exit", {0, 1, 99, END}, {0, 1, 2, 4, END}, NONE},
{"tc: clone_redirect", CLS, IP4, 0x279466faea6531b4, "r2 = $A ll; r3 = $B ll; call 13; exit", {0, 1, END}, {0, 2, 4, END}, NONE},

/* --- Longer and shorter --- */
/* Length, protocol, and the first bytes of the network header. */
#define AFTER                                                                                        \
	"r7 = r0; r0 = *(u32 *)(r6 + 0); r7 *= 31; r7 += r0; r0 = *(u32 *)(r6 + 16); r7 *= 31; r7 += r0;"  \
	"r0 = *(u32 *)(r6 + 20); r7 *= 31; r7 += r0; r0 = *(u32 *)(r6 + 24); r7 *= 31; r7 += r0;"          \
	"r0 = *(u32 *)(r6 + 28); r7 *= 31; r7 += r0; r1 = r6; r2 = 0; r3 = r10; r3 += -8; r4 = 4; r5 = 1;"   \
	"*(u64 *)(r10 - 8) = 0; call 68; r1 = *(u64 *)(r10 - 8); r0 += r1; r7 *= 31; r0 += r7; exit"
{"tc: skb_change_tail", CLS, IP4, 0x6c65b66fa27d9013, "r6 = r1; r2 = $A ll; r3 = $B ll; call 38;" AFTER,
 {0, 13, 14, 15, 33, 34, 54, 62, 63, 100, 4000, 16064, 16065, -1, END}, {0, 1, END}, NONE},
{"tc: skb_change_tail twice", CLS, ARP, 0x9dbb9666ff075acf, "r6 = r1; r2 = $A ll; r3 = 0; call 38; r1 = r6; r2 = $B ll; r3 = 0; call 38;" AFTER,
 {14, 30, 100, 4000, END}, {14, 30, 100, 4000, END}, NONE},
{"tc: skb_change_head", CLS, IP4, 0xb81c815d86b1936f, "r6 = r1; r2 = $A ll; r3 = $B ll; call 43;" AFTER,
 {0, 1, 4, 14, 63, 64, 65, 400, 4000, 16002, 16003, -1, END}, {0, 1, END}, NONE},
{"tc: skb_change_head, then tail", CLS, IP4, 0xfc19ebacbf1f5c63, "r6 = r1; r2 = $A ll; r3 = 0; call 43; r1 = r6; r2 = $B ll; r3 = 0; call 38;" AFTER,
 {1, 4, 400, END}, {13, 14, 18, 19, 414, 5000, END}, NONE},
{"tc: skb_vlan_push", CLS, IP4, 0xc8d02112b1fd002a, "r6 = r1; r2 = $A ll; r3 = $B ll; call 18;" AFTER,
 {0x0081, 0xa888, 0, 0x1234, 0x10081, END}, {0, 1, 0xfff, 0xffff, 0x12345, END}, NONE},
{"tc: skb_vlan_push twice", CLS, IP4, 0xa432cb1fbe8c1677,
 "r6 = r1; r2 = $A ll; r3 = 0x234; call 18; r1 = r6; r2 = $B ll; r3 = 0x567; call 18;" AFTER,
 {0x0081, 0xa888, END}, {0x0081, 0xa888, END}, NONE},
{"tc: skb_vlan_push thrice", CLS, ARP, 0x6807931b5d3e6730,
 "r6 = r1; r2 = 0x81; r3 = 0x234; call 18; r1 = r6; r2 = 0xa888; r3 = 0x567; call 18; r1 = r6; r2 = 0x81; r3 = 9; call 18;" AFTER,
 NONE, NONE, NONE},
{"tc: skb_vlan_pop", CLS, IP4, 0xb8d6f1503bf100fa, "r6 = r1; call 19;" AFTER, NONE, NONE, NONE},
{"tc: skb_vlan_pop of a tag", CLS, VLAN, 0x54b102d8ba2771b4, "r6 = r1; call 19;" AFTER, NONE, NONE, NONE},
{"tc: skb_vlan_pop of two tags", CLS, QINQ, 0x2802c54a61a6659b, "r6 = r1; call 19;" AFTER, NONE, NONE, NONE},
{"tc: skb_vlan_pop twice of two tags", CLS, QINQ, 0xd2869e879353fab, "r6 = r1; call 19; r1 = r6; call 19;" AFTER, NONE, NONE, NONE},
{"tc: skb_vlan_push, then pop", CLS, QINQ, 0xff19b8bd4536b49, "r6 = r1; r2 = 0x81; r3 = 0x234; call 18; r1 = r6; call 19;" AFTER, NONE, NONE, NONE},
{"tc: skb_vlan_push twice, then pop", CLS, IP6, 0x45e3ca3b81078154,
 "r6 = r1; r2 = 0x81; r3 = 0x234; call 18; r1 = r6; r2 = 0xa888; r3 = 0x567; call 18; r1 = r6; call 19;" AFTER, NONE, NONE, NONE},
{"tc: skb_change_proto from IPv4", CLS, IP4, 0xedfff4dd7132a79e, "r6 = r1; r2 = $A ll; r3 = $B ll; call 31;" AFTER,
 {0xdd86, 0x8, 0x608, 0, 0x1dd86, END}, {0, 1, END}, NONE},
{"tc: skb_change_proto from IPv6", CLS, IP6, 0x7e1e4ac9d427e8ec, "r6 = r1; r2 = $A ll; r3 = $B ll; call 31;" AFTER,
 {0xdd86, 0x8, 0x608, 0, END}, {0, 1, END}, NONE},
{"tc: skb_change_proto from ARP", CLS, ARP, 0xbdd8fe95ccb2ed61, "r6 = r1; r2 = $A ll; r3 = 0; call 31;" AFTER, {0xdd86, 0x8, END}, NONE, NONE},
{"tc: skb_adjust_room", CLS, IP4, 0xc513428ff4283493, "r6 = r1; r2 = $A ll; r3 = $B ll; r4 = $C ll; call 50;" AFTER,
 {0, 1, 4, 20, 100, 0xfff, 0x1000, -1, -4, -14, -28, -29, -48, -0x1000, END}, {0, 1, 2, END},
 {0, 1, 2, 4, 6, 8, 16, 24, 0x1a, 0x20, 0x42, 0x80, 0x100, 0x180, 0x200, END}},
{"tc: skb_adjust_room of IPv6", CLS, IP6, 0xf6183dbbfd0428c2, "r6 = r1; r2 = $A ll; r3 = $B ll; r4 = $C ll; call 50;" AFTER,
 {0, 4, 40, -4, -36, -37, -40, -56, -57, END}, {0, 1, END}, {0, 2, 4, 0x80, 0x100, END}},
{"tc: skb_adjust_room of ARP", CLS, ARP, 0xbdd8fe95ccb2ed61, "r6 = r1; r2 = $A ll; r3 = 1; r4 = 0; call 50;" AFTER, {4, -4, END}, NONE, NONE},
{"tc: skb_adjust_room, inner link header", CLS, IP4, 0x9a608bde23ffb3d4, "r6 = r1; r2 = 20; r3 = 1; r4 = $C ll; call 50;" AFTER,
 NONE, NONE, {0x0e00000000000042, 0x0d00000000000042, 0x1400000000000042, 0x1500000000000042, 0x1500000000000002, 0x1500000000000000, END}},
{"tc: skb_adjust_room twice", CLS, IP4, 0x203318011d532ea0,
 "r6 = r1; r2 = 20; r3 = 1; r4 = 2; call 50; r1 = r6; r2 = $A ll; r3 = 1; r4 = $C ll; call 50;" AFTER,
 {20, 40, -20, END}, NONE, {0, 2, 4, 0x80, 0x100, END}},
{"tc: skb_change_head, then adjust_room", CLS, IP4, 0x6ac4e2ce54688ec0,
 "r6 = r1; r2 = 6; r3 = 0; call 43; r1 = r6; r2 = $A ll; r3 = $B ll; r4 = 0; call 50;" AFTER, {8, -8, END}, {0, 1, END}, NONE},
{"tc: grow beyond the buffer", CLS, LONG, 0x854f690381dd0cd7,
 "r6 = r1; r2 = 4000; r3 = 1; r4 = 0; call 50; r1 = r6; r2 = 4000; r3 = 0; r4 = 0; call 50; r1 = r6; r2 = 12000; r3 = 0; call 38;" AFTER, NONE, NONE, NONE},

/* --- Text --- */
/* Arguments are A, a string, A, a string ...; the text goes to the packet. */
#define ZEROS8(at) "*(u64 *)(r10 - " #at ") = 0;"
#define SNPRINTF(hash, format) SNPRINTF_SIZES(hash, format, 1, 8, 64)
#define SNPRINTF_SIZES(hash, format, ...)                                                            \
	{"snprintf " format, XDP, IP4, hash,                                                            \
	 "r6 = r1; r1 = 0x6f6c6c6568 ll; *(u64 *)(r10 - 136) = r1; r2 = r10; r2 += -136; r1 = $A ll;" \
	 "*(u64 *)(r10 - 128) = r1; *(u64 *)(r10 - 120) = r2; *(u64 *)(r10 - 112) = r1;"              \
	 "*(u64 *)(r10 - 104) = r2; *(u64 *)(r10 - 96) = r1; *(u64 *)(r10 - 88) = r2;"                \
	 ZEROS8(64) ZEROS8(56) ZEROS8(48) ZEROS8(40) ZEROS8(32) ZEROS8(24) ZEROS8(16) ZEROS8(8)       \
	 "r1 = r10; r1 += -64; r2 = $B ll; r3 = map_fd[0][0]; r4 = r10; r4 += -128; r5 = 48;"         \
	 "call 165; r7 = r0; r1 = r6; r2 = 0; r3 = r10; r3 += -64; r4 = 60; call 190; r0 = r7; exit",  \
	 {0, 7, -1, 0x123456789a, END}, {__VA_ARGS__, END}, NONE, .rodata = format}
SNPRINTF(0xa69414a44a5713dd, "nothing"),
SNPRINTF(0x4be321c5d71c71d6, "%d"),
SNPRINTF(0x4180418f7eb9723d, "%d,%s,%u"),
SNPRINTF(0x384e33d029042615, "%i %s %x %s %X"),
SNPRINTF(0xb668b80f9cb07357, "%ld %s %lld"),
SNPRINTF(0x343a5cba899383f2, "%lu %s %llx %s %llX"),
SNPRINTF(0x69cb4bd584904382, "%li%s%llu"),
SNPRINTF(0x7996417fafa47199, "%5d|%-7s|%05d|%7s|%-5d|"),
SNPRINTF(0xacbe78fa5362d4b2, "%+d|%2s|% d"),
SNPRINTF(0xc76a493c486adfe0, "%-08d|%010s|%+05d"),
SNPRINTF(0xe6b5fa3865445e18, "%0-+ 9lld|"),
SNPRINTF(0x63fc4ca583e23120, "100%%, %d%%"),
SNPRINTF(0x79e1b71dc04f91ff, "%c%s%3c"),
SNPRINTF(0x7b6aaec8751c0f4c, "%px|%s|%30px"),
SNPRINTF_SIZES(0xd54a4f20becbb3a, "%020px%pks!", 64),
SNPRINTF(0x1459845c67cf2da2, "%d %pi4"),
SNPRINTF_SIZES(0xf2605daeaf0542fc, "%d %pI4,%x", 64),
SNPRINTF(0xe21262b5ac760558, "%d %pi6"),
SNPRINTF(0x9a477e46ecbe4359, "%d %pI6c"),
SNPRINTF_SIZES(0xedde37f5d4542f5d, "%d %pi4abc %d", 64),
SNPRINTF(0x21c386b6e5c8df92, "%pB"),
SNPRINTF(0x34bc08cc991b4d71, "caf\xc3\xa9 %x\t"),
SNPRINTF(0xf3d3e1fe1eac070d, "%99d"),

/* The number's text is map_fd[0]'s value; r7 the result's, with the number that was found. */
#define STRTO(id, name, hash, text)                                                                        \
	{name " of \"" text "\"", XDP, IP4, hash,                                                       \
	 "*(u64 *)(r10 - 8) = 0; r1 = map_fd[0][0]; r2 = $B ll; r3 = $A ll; r4 = r10; r4 += -8;"      \
	 "call " id "; r1 = *(u64 *)(r10 - 8); r0 *= 31; r0 += r1; r1 >>= 32; r0 *= 31; r0 += r1; exit", \
	 {0, 8, 10, 16, 5, 32, 40, END}, {1, 2, sizeof(text) - 1, sizeof(text), END}, NONE, .rodata = text}
#define STRTOX(strtol, strtoul, text)                                                                \
	STRTO("105", "strtol", strtol, text), STRTO("106", "strtoul", strtoul, text)
STRTOX(0x2b103668fe852ec5, 0x2b103668fe852ec5, "0"),
STRTOX(0x6de2bf32f5a5da06, 0x6de2bf32f5a5da06, "123"),
STRTOX(0xddd88837fdd16701, 0x57309e1894b28705, "-123"),
STRTOX(0x57309e1894b28705, 0x57309e1894b28705, "+5"),
STRTOX(0x36218389a57eb729, 0x36218389a57eb729, "  77abc"),
STRTOX(0x6769414ad3ec9a0d, 0x57309e1894b28705, " \t-0x1F"),
STRTOX(0xdd80fc0f0e63754a, 0xdd80fc0f0e63754a, "0x"),
STRTOX(0xdd80fc0f0e63754a, 0xdd80fc0f0e63754a, "0xg"),
STRTOX(0xfb75adf7eee95cc2, 0xfb75adf7eee95cc2, "0x12"),
STRTOX(0xe82489b99964f291, 0xe82489b99964f291, "017"),
STRTOX(0xfcf5a85157e8f0d9, 0xfcf5a85157e8f0d9, "089"),
STRTOX(0x57309e1894b28705, 0x57309e1894b28705, "- 5"),
STRTOX(0x57309e1894b28705, 0x57309e1894b28705, "--5"),
STRTOX(0x17fecf36f23b00a9, 0x17fecf36f23b00a9, "abc"),
STRTOX(0xb965e32f02b22d6, 0xb965e32f02b22d6, "9223372036854775807"),
STRTOX(0xa9818dac260762ce, 0xc659302cc26aad96, "9223372036854775808"),
STRTOX(0x123044f6bdfcc01e, 0xc2abae429ced8b0d, "-9223372036854775808"),
STRTOX(0xcfb87a98eb0ee116, 0xc2abae429ced8b0d, "-9223372036854775809"),
STRTOX(0x1ec879c157f83f40, 0xaf817c8e33e95760, "18446744073709551615"),
STRTOX(0x1ec879c157f83f40, 0x1ec879c157f83f40, "18446744073709551616"),
STRTOX(0x74b7a392e06953c2, 0x6d78f00efc6127d2, "0xffffffffffffffff"),
STRTOX(0x74b7a392e06953c2, 0x74b7a392e06953c2, "0x10000000000000000"),
STRTOX(0x5a537176a15d0b5, 0x5a537176a15d0b5, "00000000000000000000000000000000000000000000000000000000000000000000001"),

{"strncmp", XDP, IP4, 0x4ad44a4b5cfe13cd,
 "r1 = $A ll; *(u64 *)(r10 - 8) = r1; r1 = r10; r1 += -8; r2 = $B ll; r3 = map_fd[0][0]; call 182; exit",
 {0, 0x6c6c6568, 0x6f6c6c6568, 0x706c6c6568, 0x616f6c6c6568, 0xff6c6c6568, END}, {1, 4, 5, 6, 8, END}, NONE,
 .rodata = "hello"},

/* --- Maps --- */
#define ARRAY {BPF_MAP_TYPE_ARRAY, 4, 8, 4}
#define HASH {BPF_MAP_TYPE_HASH, 4, 8, 4}
#define UPDATE "r1 = map_fd[0]; r2 = r10; r2 += -8; r3 = r10; r3 += -16; r4 = $C; call 2; r7 = r0;"
#define LOOKUP                                                                                       \
	"r1 = map_fd[0]; r2 = r10; r2 += -8; call 1; if r0 == 0 goto none; r0 = *(u64 *)(r0 + 0); none:"
#define SET "*(u32 *)(r10 - 8) = $A; r1 = $B ll; *(u64 *)(r10 - 16) = r1;"
{"array: update, lookup", XDP, IP4, 0x3f0d63a1318e0bd5, SET UPDATE LOOKUP "r7 *= 31; r0 += r7; exit", {0, 3, 4, 0x7fffffff, END}, {0, 77, END},
 {0, 1, 2, 3, END}, .map = ARRAY},
{"array: delete", XDP, IP4, 0x5b61565b363fd3bd, SET "r1 = map_fd[0]; r2 = r10; r2 += -8; call 3; exit", {0, 4, END}, NONE, NONE, .map = ARRAY},
{"hash: update, lookup", XDP, IP4, 0x8bdb99a0beb95ba1, SET UPDATE LOOKUP "r7 *= 31; r0 += r7; exit", {0, 4, 0x7fffffff, END}, {0, 77, END},
 {0, 1, 2, 3, END}, .map = HASH},
{"hash: update, delete, delete, lookup", XDP, IP4, 0x7c054cd29094e881,
 SET UPDATE "r1 = map_fd[0]; r2 = r10; r2 += -8; call 3; r8 = r0; r1 = map_fd[0]; r2 = r10; r2 += -8; call 3;"
 "r8 *= 31; r8 += r0;" LOOKUP "r8 *= 31; r0 += r8; exit", {0, 4, END}, {5, END}, {0, 1, 2, END}, .map = HASH},
{"a map from two sources", XDP, IP4, 0x6b7ab2a9c0c47f4c,
 SET UPDATE "r8 = map_fd[0]; if r7 == 0 goto +2; r8 = map_fd[0]; r1 = r8; r1 = r8; r2 = r10; r2 += -8; call 1;"
 "if r0 == 0 goto none; r0 = *(u64 *)(r0 + 0); none: exit", {1, 9, END}, {5, END}, {0, END}, .map = ARRAY},
{"map helper that the type has not", XDP, IP4, 0xae21d4d1d90676e5, SET "r1 = map_fd[0]; r2 = r10; r2 += -8; r3 = 0; call 195; r0 = r0; if r0 == 0 goto +1; r0 = 1; exit",
 {0, 1, END}, NONE, NONE, .map = {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4}},

/* --- Callbacks --- */
{"loop", XDP, IP4, 0xe75816d92424404d,
 "r6 = 0; *(u64 *)(r10 - 8) = 0; r1 = $A ll; r2 = func[body]; r3 = r10; r3 += -8; r4 = $B ll; call 181; r0 *= 31;"
 "r1 = *(u64 *)(r10 - 8); r0 += r1; exit;"
 "body: r3 = *(u64 *)(r2 + 0); r3 += r1; r3 += 1; *(u64 *)(r2 + 0) = r3; r0 = 0; if r1 != 5 goto +1; r0 = 1; exit",
 {0, 1, 4, 5, 6, 7, 100, 8388608, 8388609, -1, END}, {0, 1, END}, NONE, .btf = true},
{"for_each_map_elem", XDP, IP4, 0x8eaac346fd5e82ed,
 SET UPDATE "*(u64 *)(r10 - 8) = 0; r1 = map_fd[0]; r2 = func[body]; r3 = r10; r3 += -8; r4 = 0; call 164; r0 *= 31;"
 "r1 = *(u64 *)(r10 - 8); r0 += r1; exit;"
 "body: r5 = *(u64 *)(r3 + 0); r2 = *(u32 *)(r2 + 0); r5 += r2; r3 = *(u64 *)(r4 + 0); r3 += r5; *(u64 *)(r4 + 0) = r3; r0 = 0; if r2 != 2 goto +1; r0 = 1; exit",
 {0, 2, END}, {5, END}, {0, END}, .map = ARRAY, .btf = true},
{"packet loads in a function", CLS, IP4, 0x2db395836e8714ba,
 "r6 = r1; call f; r0 += 1; exit; f: r6 = r1; r0 = *(u16 *)skb[12]; r7 = r0; r0 = *(u32 *)skb[60]; r0 = 5; exit", NONE, NONE, NONE, .btf = true},
