#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write hostile and damaged ONNX files into a directory.

usage: gen.py DIR

Each entry of FILES makes one NAME.onnx; expect.txt lists the diagnostic code
that reading or checking it must end in.
"""
import os
import struct
import sys

from wire import (varint, num, sub, node, tensor, raw, external, graph, opset,
                  model, simple, with_init, with_attr, attr_graph, function,
                  calling)

FILES = {}


def file(name):
    def add(function):
        FILES[name] = function
        return function
    return add


# ---- encoding ----

@file('empty')
def _(_):
    return b''


@file('no-graph')
def _(_):
    return num(1, 8) + opset()


@file('truncated')
def _(_):
    return model(simple())[:-7]


@file('length-past-end')
def _(_):
    return num(1, 8) + varint(7 << 3 | 2) + varint(1 << 40) + b'x'


@file('varint-11-bytes')
def _(_):
    return b'\x08' + b'\xff' * 10 + b'\x01' + sub(7, simple())


@file('tag-zero')
def _(_):
    return num(1, 8) + b'\x00\x00' + sub(7, simple()) + opset()


@file('tag-too-long')
def _(_):
    return b'\x88\x80\x80\x80\x80\x00\x08' + model(simple())


@file('group')
def _(_):
    return model(simple()) + b'\x9b\x06\x9c\x06'


@file('wrong-wire-type')
def _(_):
    return num(1, 8) + num(7, 1) + opset()


@file('opset-twice')
def _(_):
    return model(simple(), imports=opset() + opset(17, 'ai.onnx'))


@file('opset-many')
def _(_):
    many = b''.join(opset(1, 'd%d' % i) for i in range(100000))
    return model(simple(), imports=opset() + many + opset(2, 'd7'))


@file('graph-twice')
def _(_):
    return model(simple()) + sub(7, simple())


@file('packed-damaged')
def _(_):
    return with_attr(sub(1, 'a') + sub(8, b'\x01\x02\x80') + num(20, 7))


@file('reserved-ticket')
def _(_):
    ticket = struct.pack('<QQII', 0, 1 << 40, 9, 0)
    return with_init(1, [2], sub(536870911, ticket))


@file('nested-3000')
def _(_):
    g = graph(name='deepest')
    for _ in range(3000):
        g = graph([node('If', ['c'], ['y'], [attr_graph('then_branch', g)])])
    return model(g)


@file('types-nested')
def _(_):
    t = sub(1, num(1, 1))
    for _ in range(3000):
        t = sub(4, sub(1, t))
    return model(simple() + sub(13, sub(1, 'y') + sub(2, t)))


@file('empty-nodes-4m')
def _(_):
    return model(b'\x0a\x00' * 4000000)


@file('empty-inputs-4m')
def _(_):
    return model(sub(1, b'\x0a\x00' * 4000000 + sub(4, 'Sum')))


@file('empty-attributes-2m')
def _(_):
    return model(sub(1, b'\x2a\x00' * 2000000 + sub(4, 'Sum')))


# ---- tensors ----

@file('dtype-zero')
def _(_):
    return with_init(0, [1], raw(b'\0\0\0\0'))


@file('dtype-unknown')
def _(_):
    return with_init(99, [1], raw(b'\0\0\0\0'))


@file('dims-negative')
def _(_):
    return with_init(1, [-1], raw(b''))


@file('dims-overflow')
def _(_):
    return with_init(1, [1 << 32, 1 << 32], raw(b''))


@file('bytes-overflow')
def _(_):
    return with_init(11, [1 << 61, 2], raw(b''))


@file('raw-short')
def _(_):
    return with_init(1, [1 << 20], raw(b'\0' * 8))


@file('raw-long')
def _(_):
    return with_init(1, [2], raw(b'\0' * 12))


@file('no-data')
def _(_):
    return with_init(1, [2], b'')


@file('two-fields')
def _(_):
    return with_init(1, [2], raw(b'\0' * 8) + sub(4, b'\0' * 8))


@file('wrong-field')
def _(_):
    return with_init(1, [2], sub(7, b'\x01\x02'))


@file('int8-out-of-range')
def _(_):
    return with_init(3, [2], sub(5, varint(1) + varint(300)))


@file('strings-raw')
def _(_):
    return with_init(8, [2], raw(b'ab'))


@file('strings-short')
def _(_):
    return with_init(8, [1 << 40], sub(6, 'a'))


@file('segment')
def _(_):
    return with_init(1, [2], sub(3, num(1, 0) + num(2, 1)) + raw(b'\0' * 8))


def sparse(indices, dims):
    values = tensor('s', 1, [len(indices)], raw(b'\0' * 4 * len(indices)))
    ix = tensor('', 7, [len(indices)],
                raw(b''.join(struct.pack('<q', i) for i in indices)))
    return model(simple() + sub(15, sub(1, values) + sub(2, ix) +
                                b''.join(num(3, d) for d in dims)))


@file('sparse-index-out')
def _(_):
    return sparse([0, 4], [4])


@file('sparse-unsorted')
def _(_):
    return sparse([1, 0], [4])


@file('sparse-dims-overflow')
def _(_):
    return sparse([0], [1 << 32, 1 << 32])


# ---- external data ----

def outside(directory):
    return os.path.basename(os.path.abspath(directory))


def ext(**entries):
    return with_init(1, [2], external(**entries))


def with_data(directory, name='data.bin', size=64):
    with open(os.path.join(directory, name), 'wb') as f:
        f.write(bytes(range(size)))


@file('ext-dotdot')
def _(d):
    return ext(location='../%s/data.bin' % outside(d))


@file('ext-dotdot-inner')
def _(d):
    os.makedirs(os.path.join(d, 'sub'), exist_ok=True)
    return ext(location='sub/../../%s/data.bin' % outside(d))


@file('ext-absolute')
def _(_):
    return ext(location='/etc/passwd')


@file('ext-symlink-out')
def _(d):
    os.symlink('/etc/passwd', os.path.join(d, 'link.bin'))
    return ext(location='link.bin')


@file('ext-symlink-dir')
def _(d):
    os.symlink('/etc', os.path.join(d, 'etc'))
    return ext(location='etc/passwd')


@file('ext-fifo')
def _(d):
    os.mkfifo(os.path.join(d, 'fifo.bin'))
    return ext(location='fifo.bin')


@file('ext-directory')
def _(d):
    os.makedirs(os.path.join(d, 'sub'), exist_ok=True)
    return ext(location='sub')


@file('ext-missing')
def _(_):
    return ext(location='not-there.bin')


@file('ext-no-location')
def _(_):
    return ext(offset=0)


@file('ext-nul')
def _(_):
    return ext(location='data.bin\0x')


@file('ext-past-end')
def _(d):
    with_data(d)
    return ext(location='data.bin', offset=60, length=8)


@file('ext-offset-huge')
def _(_):
    return ext(location='data.bin', offset=(1 << 64) - 8, length=8)


@file('ext-offset-40-digits')
def _(_):
    return ext(location='data.bin', offset='1' * 40)


@file('ext-offset-negative')
def _(_):
    return ext(location='data.bin', offset=-8, length=8)


@file('ext-length-petabyte')
def _(_):
    return ext(location='data.bin', offset=0, length=1 << 50)


@file('ext-length-differs')
def _(_):
    return ext(location='data.bin', offset=0, length=4)


@file('ext-key-twice')
def _(_):
    return with_init(1, [2], external(location='data.bin') +
                     sub(13, sub(1, 'location') + sub(2, 'data.bin')))


@file('ext-checksum')
def _(_):
    return ext(location='data.bin', length=8, checksum='0' * 40)


@file('ext-and-raw')
def _(_):
    return with_init(1, [2], raw(b'\0' * 8) + external(location='data.bin'))


# ---- attributes ----

@file('attr-two-values')
def _(_):
    return with_attr(sub(1, 'a') + num(3, 1) + sub(4, 's') + num(20, 2))


@file('attr-tag-differs')
def _(_):
    return with_attr(sub(1, 'a') + num(3, 1) + num(20, 1))


@file('attr-tag-unknown')
def _(_):
    return with_attr(sub(1, 'a') + num(20, 77))


@file('attr-no-value')
def _(_):
    return with_attr(sub(1, 'a') + num(20, 4))


@file('attr-no-name')
def _(_):
    return with_attr(num(3, 1) + num(20, 2))


@file('attr-twice')
def _(_):
    a = sub(1, 'a') + num(3, 1) + num(20, 2)
    return model(graph([node('Relu', ['x'], ['y'], [a, a])], ['x'], ['y']))


@file('attr-ref-outside')
def _(_):
    return with_attr(sub(1, 'a') + sub(21, 'b') + num(20, 2))


# ---- names ----

@file('name-output-twice')
def _(_):
    return model(simple(nodes=[node('Relu', ['x'], ['y'])]))


@file('name-input-empty')
def _(_):
    return model(simple(ins=['x', '']))


@file('name-init-twice')
def _(_):
    w = tensor('w', 1, [1], raw(b'\0' * 4))
    return model(simple(inits=[w, w]))


@file('undefined-input')
def _(_):
    return model(simple(nodes=[node('Relu', ['nowhere'], ['z'])]))


@file('undefined-output')
def _(_):
    return model(simple(outs=['y', 'nowhere']))


@file('undefined-inner')
def _(_):
    """A value of a body is not visible outside of it."""
    body = graph([node('Relu', ['x'], ['inner'])], outs=['inner'])
    n = node('If', ['x'], ['y'], [attr_graph('then_branch', body),
                                  attr_graph('else_branch', body)])
    return model(graph([n, node('Relu', ['inner'], ['z'])], ['x'], ['z']))


@file('cycle')
def _(_):
    return model(graph([node('Add', ['x', 'b'], ['a']),
                        node('Relu', ['a'], ['b'])], ['x'], ['b']))


@file('cycle-through-body')
def _(_):
    body = graph([node('Relu', ['y'], ['inner'])], outs=['inner'])
    n = node('If', ['x'], ['y'], [attr_graph('then_branch', body),
                                  attr_graph('else_branch', body)])
    return model(graph([n], ['x'], ['y']))


@file('no-operator')
def _(_):
    return model(simple(nodes=[sub(1, 'x') + sub(2, 'z')]))


# ---- functions and imports ----

@file('func-self')
def _(_):
    return calling([function('f', [node('f', ['a'], ['b'], domain='f')])],
                   'f')


@file('func-mutual')
def _(_):
    return calling([function('f', [node('g', ['a'], ['b'], domain='f')]),
                    function('g', [node('f', ['a'], ['b'], domain='f')])],
                   'f')


@file('func-through-body')
def _(_):
    body = graph([node('f', ['a'], ['inner'], domain='f')], outs=['inner'])
    n = node('If', ['a'], ['b'], [attr_graph('then_branch', body),
                                  attr_graph('else_branch', body)])
    return calling([function('f', [n])], 'f')


@file('func-exponential')
def _(_):
    fs = [function('f%d' % i,
                   [node('f%d' % (i + 1), ['a'], ['t'], domain='f'),
                    node('f%d' % (i + 1), ['t'], ['b'], domain='f')])
          for i in range(30)]
    fs.append(function('f30', [node('Relu', ['a'], ['b'])]))
    return calling(fs, 'f0')


@file('func-depth')
def _(_):
    fs = [function('f%d' % i, [node('f%d' % (i + 1), ['a'], ['b'],
                                    domain='f')]) for i in range(5000)]
    fs.append(function('f5000', [node('Relu', ['a'], ['b'])]))
    return calling(fs, 'f0')


@file('func-twice')
def _(_):
    f = function('f', [node('Relu', ['a'], ['b'])])
    return calling([f, f], 'f')


@file('opset-twice')
def _(_):
    return model(simple(), imports=opset() + opset(16, 'ai.onnx'))


@file('opset-zero')
def _(_):
    return model(simple(), imports=opset(0))


# ---- rules of operators, found by the checker ----

@file('op-unknown')
def _(_):
    return model(simple(nodes=[node('Reluu', ['x'], ['z'])]))


@file('op-too-new')
def _(_):
    return model(simple(nodes=[node('Gelu', ['x'], ['z'])]))


@file('opset-missing')
def _(_):
    return model(simple(), imports=opset(3, 'ai.onnx.ml'))


@file('arity')
def _(_):
    return model(simple(nodes=[node('Add', ['x'], ['z'])]))


@file('attr-unknown')
def _(_):
    return with_attr(sub(1, 'a') + num(3, 1) + num(20, 2))


@file('attr-required')
def _(_):
    return model(simple(nodes=[node('Cast', ['x'], ['z'])]))


@file('type-differs')
def _(_):
    i = tensor('i', 7, [2], raw(b'\0' * 16))
    return model(simple(nodes=[node('Add', ['x', 'i'], ['z'])], inits=[i]))


@file('shape-differs')
def _(_):
    w = tensor('w', 1, [3], raw(b'\0' * 12))
    return model(simple(nodes=[node('Add', ['x', 'w'], ['z'])], inits=[w]))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    with_data(directory)
    for name, function in FILES.items():
        with open(os.path.join(directory, name + '.onnx'), 'wb') as f:
            f.write(function(directory))


if __name__ == '__main__':
    main()
