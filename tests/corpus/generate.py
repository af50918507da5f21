#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the .bpf files that enumerate opcodes, widths and edge values.

The expected values come from the model below, which is written from RFC 9669 on Python's unbounded
integers and shares nothing with the C sources.

    generate.py DIRECTORY           writes the files there
    generate.py --check DIRECTORY   prints, as TAP, whether they are what stands there
"""
import pathlib
import sys

M = {32: (1 << 32) - 1, 64: (1 << 64) - 1}


def signed(x, width):
    x &= (1 << width) - 1
    return x - (1 << width) if x >> (width - 1) else x


def truncated_div(a, b):
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def sdiv(a, b, w):
    return truncated_div(signed(a, w), signed(b, w)) if b else 0


def smod(a, b, w):
    if not b:
        return a
    a, b = signed(a, w), signed(b, w)
    return a - truncated_div(a, b) * b


# name: (sign in the text, function of operands that are already cut to the width)
ALU = {
    'add': ('+=', lambda a, b, w: a + b),
    'sub': ('-=', lambda a, b, w: a - b),
    'mul': ('*=', lambda a, b, w: a * b),
    'div': ('/=', lambda a, b, w: a // b if b else 0),
    'sdiv': ('s/=', sdiv),
    'or': ('|=', lambda a, b, w: a | b),
    'and': ('&=', lambda a, b, w: a & b),
    'lsh': ('<<=', lambda a, b, w: a << (b % w)),
    'rsh': ('>>=', lambda a, b, w: a >> (b % w)),
    'mod': ('%=', lambda a, b, w: a % b if b else a),
    'smod': ('s%=', smod),
    'xor': ('^=', lambda a, b, w: a ^ b),
    'arsh': ('s>>=', lambda a, b, w: signed(a, w) >> (b % w)),
}
DIVISIONS = ('div', 'sdiv', 'mod', 'smod')
SHIFTS = ('lsh', 'rsh', 'arsh')

JUMPS = {
    'jeq': ('==', lambda a, b, w: a == b),
    'jgt': ('>', lambda a, b, w: a > b),
    'jge': ('>=', lambda a, b, w: a >= b),
    'jset': ('&', lambda a, b, w: a & b != 0),
    'jne': ('!=', lambda a, b, w: a != b),
    'jsgt': ('s>', lambda a, b, w: signed(a, w) > signed(b, w)),
    'jsge': ('s>=', lambda a, b, w: signed(a, w) >= signed(b, w)),
    'jlt': ('<', lambda a, b, w: a < b),
    'jle': ('<=', lambda a, b, w: a <= b),
    'jslt': ('s<', lambda a, b, w: signed(a, w) < signed(b, w)),
    'jsle': ('s<=', lambda a, b, w: signed(a, w) <= signed(b, w)),
}

LEFT = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
        0xffffffffffffffff, 0x0123456789abcdef]
RIGHT = [0, 1, 3, 0x80000000, 0xffffffff, 0x8000000000000000, 0xffffffffffffffff]
COUNTS = [0, 1, 31, 32, 33, 63, 64, 0x100000001, 0xffffffffffffffff]
IMMEDIATES = [0, 1, -1, 0x7fffffff, -0x80000000, 0x12345]

files = {}


class File:
    def __init__(self, name, about):
        self.lines = ['# SPDX-License-Identifier: BSD-2-Clause',
                      '# Made by generate.py. ' + about]
        files[name] = self.lines

    def test(self, name, program, runs, *directives):
        self.lines += ['', 'test ' + name] + list(directives)
        self.lines += ['\t' + line for line in program] + runs


def run(words, r0):
    return 'run ' + ' '.join('%#x' % w for w in words) + ' -> %#x' % r0


def reg(n, width):
    return ('r' if width == 64 else 'w') + str(n)


def load(n, index):
    return 'r%d = *(u64 *)(r1 + %d)' % (n, 8 * index)


def immediates(op, width):
    if op in SHIFTS:
        return [0, 1, 7, 31] + ([32, 63] if width == 64 else [])
    if op in DIVISIONS:
        return [i for i in IMMEDIATES if i] + [7, -7]
    return IMMEDIATES


def imm_name(i):
    return ('m' if i < 0 else '') + '%x' % abs(i)


def alu(width):
    f = File('alu%d' % width, 'Arithmetic on %d bits: RFC 9669 section 4.1.' % width)
    for op, (sign, value) in ALU.items():
        def result(a, b):
            return value(a & M[width], b & M[width], width) & M[width]
        right = COUNTS if op in SHIFTS else RIGHT
        f.test('%s%d_x' % (op, width),
               [load(3, 0), load(4, 1), '%s %s %s' % (reg(3, width), sign, reg(4, width)),
                'r0 = r3', 'exit'],
               [run((a, b), result(a, b)) for a in LEFT for b in right])
        f.test('%s%d_x_same_register' % (op, width),
               [load(3, 0), '%s %s %s' % (reg(3, width), sign, reg(3, width)), 'r0 = r3', 'exit'],
               [run((a,), result(a, a)) for a in LEFT])
        for imm in immediates(op, width):
            f.test('%s%d_k_%s' % (op, width, imm_name(imm)),
                   [load(0, 0), '%s %s %d' % (reg(0, width), sign, imm), 'exit'],
                   [run((a,), result(a, imm)) for a in LEFT])
    f.test('neg%d' % width, [load(0, 0), '%s = -%s' % (reg(0, width), reg(0, width)), 'exit'],
           [run((a,), -a & M[width]) for a in LEFT])


def moves():
    f = File('move', 'Moves, sign extension, byte order: RFC 9669 sections 4.1 and 4.2.')
    for width in (64, 32):
        r0, r3 = reg(0, width), reg(3, width)
        f.test('mov%d_x' % width, [load(3, 0), 'r0 = -1', '%s = %s' % (r0, r3), 'exit'],
               [run((a,), a & M[width]) for a in LEFT])
        for imm in IMMEDIATES:
            f.test('mov%d_k_%s' % (width, imm_name(imm)), ['%s = %d' % (r0, imm), 'exit'],
                   [run((), imm & M[width])])
        for bits in (8, 16, 32):
            if bits < width:
                f.test('movsx%d_%d' % (bits, width),
                       [load(3, 0), 'r0 = -1', '%s = (s%d)%s' % (r0, bits, r3), 'exit'],
                       [run((a,), signed(a, bits) & M[width])
                        for a in LEFT + [0x7f, 0x80, 0x7fff, 0x8000]])
    for bits in (16, 32, 64):
        def swap(a, n=bits // 8):
            return int.from_bytes((a & ((1 << 8 * n) - 1)).to_bytes(n, 'little'), 'big')
        values = LEFT + [0x1122334455667788, 0xffeeddccbbaa9988]
        f.test('bswap%d' % bits, [load(0, 0), 'r0 = bswap%d r0' % bits, 'exit'],
               [run((a,), swap(a)) for a in values])
        f.test('le%d' % bits, [load(0, 0), 'r0 = le%d r0' % bits, 'exit'],
               [run((a,), a & ((1 << bits) - 1)) for a in values])
        f.test('be%d' % bits, [load(0, 0), 'r0 = be%d r0' % bits, 'exit'],
               [run((a,), swap(a)) for a in values])


def jumps(width):
    f = File('jump%d' % width, 'Conditional jumps on %d bits: RFC 9669 section 4.3.' % width)
    right = RIGHT + [0x0123456789abcdef]
    for op, (sign, holds) in JUMPS.items():
        def taken(a, b):
            return int(holds(a & M[width], b & M[width], width))
        f.test('%s%d_x' % (op, width),
               [load(3, 0), load(4, 1), 'r0 = 1',
                'if %s %s %s goto end' % (reg(3, width), sign, reg(4, width)), 'r0 = 0', 'end: exit'],
               [run((a, b), taken(a, b)) for a in LEFT for b in right])
        for imm in (0, 1, -1, 0x7fffffff, -0x80000000):
            f.test('%s%d_k_%s' % (op, width, imm_name(imm)),
                   [load(3, 0), 'r0 = 1', 'if %s %s %d goto end' % (reg(3, width), sign, imm),
                    'r0 = 0', 'end: exit'],
                   [run((a,), taken(a, imm)) for a in LEFT])


def memory():
    f = File('memory', 'Loads and stores of every size: RFC 9669 section 5.')
    data = bytes(range(0x80, 0x98))
    words = [int.from_bytes(data[i:i + 8], 'little') for i in range(0, 24, 8)]
    for bits in (8, 16, 32, 64):
        n = bits // 8
        for off in (0, 1, 8, 24 - n):
            value = int.from_bytes(data[off:off + n], 'little')
            where = ['not kernel context accesses are aligned there'] if off % n else []
            f.test('ldx%d_at_%d' % (bits, off), ['r0 = *(u%d *)(r1 + %d)' % (bits, off), 'exit'],
                   [run(words, value)], *where)
            if bits < 64:
                f.test('ldsx%d_at_%d' % (bits, off),
                       ['r0 = *(s%d *)(r1 + %d)' % (bits, off), 'exit'],
                       [run(words, signed(value, bits) & M[64])], *where)
            for imm in (0, -2, 0x12345678):
                after = bytearray(data)
                after[off:off + n] = (imm & ((1 << bits) - 1)).to_bytes(n, 'little')
                f.test('st%d_at_%d_%s' % (bits, off, imm_name(imm)),
                       ['*(u%d *)(r1 + %d) = %d' % (bits, off, imm), 'r0 = 7', 'exit'],
                       [run(words, 7) + ' : ' + ' '.join(
                           '%#x' % int.from_bytes(after[i:i + 8], 'little') for i in range(0, 24, 8))],
                       *where)
            value = 0x0102030405060708
            after = bytearray(data)
            after[off:off + n] = (value & ((1 << bits) - 1)).to_bytes(n, 'little')
            f.test('stx%d_at_%d' % (bits, off),
                   ['r3 = %#x ll' % value, '*(u%d *)(r1 + %d) = r3' % (bits, off), 'r0 = 7', 'exit'],
                   [run(words, 7) + ' : ' + ' '.join(
                       '%#x' % int.from_bytes(after[i:i + 8], 'little') for i in range(0, 24, 8))],
                   *where)
            runs = [run((a, b), stack_sum(a, b, off, n)) for a in (0x1122334455667788, M[64])
                    for b in (0, 0xf0e0d0c0b0a09080)]
            f.test('stack%d_at_%d' % (bits, off),
                   [load(3, 0), load(4, 1),
                    '*(u64 *)(r10 - 8) = r4', '*(u64 *)(r10 - 16) = r4', '*(u64 *)(r10 - 24) = r4',
                    '*(u%d *)(r10 - %d) = r3' % (bits, 24 - off),
                    'r0 = *(u%d *)(r10 - %d)' % (bits, 24 - off),
                    'r3 = *(u64 *)(r10 - 24)', 'r0 ^= r3',
                    'r3 = *(u64 *)(r10 - 16)', 'r0 ^= r3',
                    'r3 = *(u64 *)(r10 - 8)', 'r0 ^= r3', 'exit'],
                   ['reject EACCES misaligned stack access'] if off % n else runs)


def stack_sum(a, b, off, n):
    stack = bytearray(b.to_bytes(8, 'little') * 3)
    stack[off:off + n] = a.to_bytes(8, 'little')[:n]
    value = int.from_bytes(stack[off:off + n], 'little')
    for i in range(0, 24, 8):
        value ^= int.from_bytes(stack[i:i + 8], 'little')
    return value


# name: (what memory becomes, the sign of the form that fetches nothing)
ATOMICS = {
    'add': (lambda m, s: m + s, '+='),
    'or': (lambda m, s: m | s, '|='),
    'and': (lambda m, s: m & s, '&='),
    'xor': (lambda m, s: m ^ s, '^='),
}


def atomics():
    f = File('atomic', 'Atomic operations: RFC 9669 section 5.3, and load-acquire, store-release.')
    values = [0, 1, 0x80000000, 0xffffffff, 0x8000000000000001, M[64]]
    # Memory is on the stack, where the kernel allows it; r0 sums up memory and register.
    def on_stack(statement):
        return [load(3, 0), load(4, 1), load(0, 2), '*(u64 *)(r10 - 8) = r3', statement,
                'r5 = *(u64 *)(r10 - 8)', 'r6 = 31', 'r4 *= r6', 'r5 += r4', 'r6 = 1009', 'r0 *= r6',
                'r0 += r5', 'exit']

    def total(memory, register, r0=0):
        return (memory + 31 * register + 1009 * r0) & M[64]

    for width in (64, 32):
        def store(m, new):
            return (m & ~M[width]) | (new & M[width])
        for op, (new, sign) in ATOMICS.items():
            r4 = reg(4, width)
            f.test('%s%d' % (op, width),
                   on_stack('lock *(u%d *)(r10 - 8) %s %s' % (width, sign, r4)),
                   [run((m, s, 0), total(store(m, new(m, s)), s)) for m in values for s in values])
            f.test('fetch_%s%d' % (op, width),
                   on_stack('%s = atomic_fetch_%s((u%d *)(r10 - 8), %s)' % (r4, op, width, r4)),
                   [run((m, s, 0), total(store(m, new(m, s)), m & M[width]))
                    for m in values for s in values])
        xchg = ('%s = xchg_64(r10 - 8, %s)' if width == 64 else '%s = xchg32_32(r10 - 8, %s)')
        f.test('xchg%d' % width, on_stack(xchg % (reg(4, width), reg(4, width))),
               [run((m, s, 0), total(store(m, s), m & M[width])) for m in values for s in values])
        cmpxchg = ('r0 = cmpxchg_64(r10 - 8, r0, r4)' if width == 64
                   else 'w0 = cmpxchg32_32(r10 - 8, w0, w4)')

        def compared(m, s, old):
            hit = m & M[width] == old & M[width]
            return total(store(m, s) if hit else m, s, m & M[width])
        f.test('cmpxchg%d' % width, on_stack(cmpxchg),
               [run((m, s, old), compared(m, s, old))
                for m in values for s in (0, 0x123456789) for old in (m, m ^ 1 << 32, m ^ 1)])
    for bits in (8, 16, 32, 64):
        name = reg(0, 64 if bits == 64 else 32)
        other = reg(4, 64 if bits == 64 else 32)
        mask = (1 << bits) - 1
        f.test('load_acquire%d' % bits,
               [load(3, 0), '*(u64 *)(r10 - 8) = r3', 'r0 = -1',
                '%s = load_acquire((u%d *)(r10 - 8))' % (name, bits), 'exit'],
               [run((m,), m & mask) for m in values])
        f.test('store_release%d' % bits,
               [load(3, 0), load(4, 1), '*(u64 *)(r10 - 8) = r3',
                'store_release((u%d *)(r10 - 8), %s)' % (bits, other), 'r0 = *(u64 *)(r10 - 8)', 'exit'],
               [run((m, s), (m & ~mask & M[64]) | (s & mask)) for m in values[:3] for s in values])


def main():
    alu(64)
    alu(32)
    moves()
    jumps(64)
    jumps(32)
    memory()
    atomics()
    check = sys.argv[1] == '--check'
    directory = pathlib.Path(sys.argv[-1])
    good = True
    for number, (name, lines) in enumerate(files.items(), 1):
        path = directory / (name + '.bpf')
        text = '\n'.join(lines) + '\n'
        if check:
            same = path.read_text() == text
            good = good and same
            print('%sok %d - %s' % ('' if same else 'not ', number, path.name))
        else:
            path.write_text(text)
    if check:
        print('1..%d' % len(files))
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
