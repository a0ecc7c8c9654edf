# SPDX-License-Identifier: MIT
"""ONNX messages in the protobuf encoding, put together by hand.

Damaged files cannot come from a library that writes valid ones.
"""

# ---- protobuf ----

def varint(n):
    n &= (1 << 64) - 1
    out = b''
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def num(field, n):
    return varint(field << 3) + varint(n)


def sub(field, data):
    if isinstance(data, str):
        data = data.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


# ---- ONNX messages ----

def info(name, dtype=1, dims=(2,)):
    shape = b''.join(sub(1, num(1, d)) for d in dims)
    return sub(1, name) + sub(2, sub(1, num(1, dtype) + sub(2, shape)))


def node(op, ins, outs, attrs=(), domain=None):
    return (b''.join(sub(1, i) for i in ins) +
            b''.join(sub(2, o) for o in outs) + sub(4, op) +
            b''.join(sub(5, a) for a in attrs) +
            (sub(7, domain) if domain is not None else b''))


def tensor(name, dtype, dims, data=b''):
    return (b''.join(num(1, d) for d in dims) + num(2, dtype) +
            sub(8, name) + data)


def raw(data):
    return sub(9, data)


def external(**entries):
    return (b''.join(sub(13, sub(1, k) + sub(2, str(v)))
                     for k, v in entries.items()) + num(14, 1))


def graph(nodes=(), ins=(), outs=(), inits=(), name='g'):
    return (b''.join(sub(1, n) for n in nodes) + sub(2, name) +
            b''.join(sub(5, t) for t in inits) +
            b''.join(sub(11, info(i)) for i in ins) +
            b''.join(sub(12, info(o)) for o in outs))


def opset(version=17, domain=''):
    return sub(8, sub(1, domain) + num(2, version))


def model(g, functions=(), imports=None, ir=8):
    return (num(1, ir) + sub(7, g) +
            (opset() if imports is None else imports) +
            b''.join(sub(25, f) for f in functions))


def simple(**kw):
    """x -> Relu -> y, with more of anything."""
    nodes = [node('Relu', ['x'], ['y'])] + kw.pop('nodes', [])
    return graph(nodes, kw.pop('ins', ['x']), kw.pop('outs', ['y']), **kw)


def with_init(dtype, dims, data, name='w'):
    return model(simple(inits=[tensor(name, dtype, dims, data)]))


def with_attr(attr):
    return model(graph([node('Relu', ['x'], ['y'], [attr])], ['x'], ['y']))


def attr_graph(name, g):
    return sub(1, name) + sub(6, g) + num(20, 5)


def function(name, nodes, ins=('a',), outs=('b',)):
    return (sub(1, name) + b''.join(sub(4, i) for i in ins) +
            b''.join(sub(5, o) for o in outs) +
            b''.join(sub(7, n) for n in nodes) +
            sub(9, sub(1, '') + num(2, 17)) +
            sub(9, sub(1, 'f') + num(2, 1)) + sub(10, 'f'))


def calling(functions, name):
    imports = opset() + opset(1, 'f')
    return model(graph([node(name, ['x'], ['y'], domain='f')], ['x'], ['y']),
                 functions, imports)
