# SPDX-License-Identifier: MIT
"""Random small models through `optimize -O2`, judged by ONNX Runtime.

Graphs grow forward from the inputs; each step picks an operator that fits the
values at hand, or plants a pattern that a rewrite rule looks for, or a near
miss of one (a second user, an odd attribute).  Weights are small multiples of
1/8, so most rewrites are exact.  Every third model declares its
sizes as symbols.  Checked per model: exit 0, the onnx checker, not larger,
outputs as ONNX Runtime gives for the original.

usage: random_models.py [--count N] [--seed S] [--keep DIR]
"""
import argparse
import os
import shutil
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import Score, difference, pare, pare_run, session


class Builder:
    def __init__(self, rng):
        self.rng, self.nodes, self.inits, self.n = rng, [], [], 0
        self.values = []        # (name, shape), float32
        self.inputs = []

    def name(self, hint="v"):
        self.n += 1
        return f"{hint}{self.n}"

    def const(self, shape, dtype=np.float32, low=-8, high=9):
        a = self.rng.integers(low, high, shape).astype(dtype)
        return self.array(a / 8 if dtype == np.float32 else a)

    def array(self, a):
        name = self.name("c")
        a = np.asarray(a)
        if a.dtype == np.float64:
            a = a.astype(np.float32)
        if self.rng.random() < 0.8:
            self.inits.append(numpy_helper.from_array(a, name))
        else:
            self.nodes.append(helper.make_node(
                "Constant", [], [name],
                value=numpy_helper.from_array(a, name + "_t")))
        return name

    def add(self, op, inputs, shape, **attrs):
        out = self.name()
        self.nodes.append(helper.make_node(op, inputs, [out], **attrs))
        self.values.append((out, list(shape)))
        return out

    def input(self, shape):
        name = self.name("x")
        self.inputs.append((name, list(shape)))
        self.values.append((name, list(shape)))

    def pick(self, rank=None):
        fit = [v for v in self.values if rank is None or len(v[1]) == rank]
        return fit[self.rng.integers(len(fit))] if fit else None

    def flip(self, p=0.5):
        return self.rng.random() < p


def unary(b):
    x, s = b.pick()
    op = b.rng.choice(["Relu", "Sigmoid", "Tanh", "Abs", "Neg", "Identity",
                       "Erf", "Exp", "LeakyRelu", "Softplus", "HardSigmoid",
                       "Sqrt", "Dropout", "Elu", "Floor", "Ceil"])
    if op in ("Exp", "Sqrt"):
        x = b.add("Clip", [x, b.array(np.float32(0)), b.array(np.float32(2))], s)
    y = b.add(op, [x], s)
    if op in ("Neg", "Relu", "Identity", "Abs") and b.flip():
        b.add(op, [y], s)


def binary(b):
    x, s = b.pick()
    op = b.rng.choice(["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"])
    neutral = {"Add": 0, "Sub": 0, "Mul": 1, "Div": 1, "Pow": 1}.get(op)
    if op == "Pow":
        return b.add(op, [x, b.array(np.float32(b.rng.choice([1, 2])))], s)
    if neutral is not None and b.flip(0.4):
        shape = [] if b.flip() else [1] * int(b.rng.integers(0, len(s) + 2))
        c = b.array(np.full(shape, neutral, np.float32))
        return b.add(op, [x, c], np.broadcast_shapes(s, tuple(shape)))
    if b.flip(0.4):
        same = [v for v in b.values if v[1] == s]
        other = same[b.rng.integers(len(same))][0]
        if op == "Div":
            op = "Add"
        return b.add(op, [x, other], s)
    shape = [d if b.flip() else 1 for d in s][int(b.rng.integers(len(s) + 1)):]
    c = b.const(shape, low=1) if op == "Div" else b.const(shape)
    args = [x, c] if b.flip() or op == "Div" else [c, x]
    return b.add(op, args, s)


def conv(b):
    v = b.pick(4)
    if not v:
        return
    x, (n, c, h, w) = v
    if min(h, w) < 3:
        return
    m = int(b.rng.integers(1, 5))
    group = c if b.flip(0.2) else 1
    m = c if group > 1 else m
    k = int(b.rng.choice([1, 3]))
    pads = [int(p) for p in b.rng.integers(0, 2, 4)]
    args = [x, b.const([m, c // group, k, k])]
    if b.flip():
        args.append(b.const([m]))
    if b.flip(0.3):
        p = [int(q) for q in b.rng.integers(0, 2, 4)]
        value = [b.array(np.float32(b.rng.choice([0, 0, 1])))]
        padded = b.add("Pad", [x, b.array(np.array(
            [0, 0, p[0], p[1], 0, 0, p[2], p[3]], np.int64))] + value,
            [n, c, h + p[0] + p[2], w + p[1] + p[3]])
        args[0], h, w = padded, h + p[0] + p[2], w + p[1] + p[3]
    shape = [n, m, h + pads[0] + pads[2] - k + 1, w + pads[1] + pads[3] - k + 1]
    y = b.add("Conv", args, shape, kernel_shape=[k, k], pads=pads, group=group)
    for _ in range(int(b.rng.integers(3))):
        after = b.rng.choice(["bn", "Add", "Mul", "Relu", "Clip"])
        if after == "bn":
            var = b.const([m], low=1)
            y = b.add("BatchNormalization", [y, b.const([m]), b.const([m]),
                                             b.const([m]), var], shape)
        elif after in ("Add", "Mul"):
            c_shape = [[m, 1, 1], [1, m, 1, 1], [], [1], [shape[3]]]
            y = b.add(after, [y, b.const(c_shape[b.rng.integers(5)])], shape)
        elif after == "Relu":
            y = b.add("Relu", [y], shape)
        else:
            y = b.add("Clip", [y, b.array(np.float32(0)),
                               b.array(np.float32(6))], shape)
        if b.flip(0.15):
            b.add("Abs", [y], shape)    # a second user: a near miss


def pool(b):
    v = b.pick(4)
    if not v:
        return
    x, (n, c, h, w) = v
    if min(h, w) < 2:
        return
    op = b.rng.choice(["MaxPool", "AveragePool", "GlobalAveragePool"])
    if op == "GlobalAveragePool":
        b.add(op, [x], [n, c, 1, 1])
        return
    b.add(op, [x], [n, c, h - 1, w - 1], kernel_shape=[2, 2])


def matmul(b):
    v = b.pick(2) or b.pick(3)
    if not v:
        return
    x, s = v
    m = int(b.rng.integers(1, 6))
    out = s[:-1] + [m]
    if len(s) == 2 and b.flip():
        trans = int(b.flip())
        w = b.const([m, s[1]] if trans else [s[1], m])
        args = [x, w] + ([b.const([m])] if b.flip() else [])
        y = b.add("Gemm", args, out, transB=trans)
    else:
        y = b.add("MatMul", [x, b.const([s[-1], m])], out)
    if b.flip(0.6):
        shape = [[m], [1, m], [1], []][b.rng.integers(4)]
        args = [y, b.const(shape)]
        b.add("Add", args if b.flip() else args[::-1], out)


def movement(b):
    x, s = b.pick()
    kind = b.rng.choice(["transpose", "reshape", "squeeze", "concat", "slice",
                         "flatten", "pad", "expand", "cast"])
    if kind == "transpose" and len(s) > 1:
        for _ in range(int(b.rng.integers(1, 3))):
            perm = [int(p) for p in b.rng.permutation(len(s))]
            if b.flip(0.2):
                perm = list(range(len(s)))
            s = [s[p] for p in perm]
            x = b.add("Transpose", [x], s, perm=perm)
    elif kind == "reshape":
        total = int(np.prod(s))
        for target in ([total], s, [1, total]):
            if b.flip():
                x = b.add("Reshape", [x, b.array(np.array(target, np.int64))],
                          target)
    elif kind == "squeeze":
        y = b.add("Unsqueeze", [x, b.array(np.array([0], np.int64))], [1] + s)
        if b.flip():
            b.add("Squeeze", [y, b.array(np.array([0], np.int64))], s)
    elif kind == "concat":
        axis = int(b.rng.integers(len(s))) if s else 0
        if s and b.flip(0.7):
            out = list(s)
            out[axis] *= 2
            b.add("Concat", [x, x], out, axis=axis)
        elif s:
            b.add("Concat", [x], s, axis=axis)
    elif kind == "slice" and s and s[0] > 0:
        full = b.flip()
        end = 2 ** 40 if full else max(1, s[0] - 1)
        out = list(s)
        out[0] = s[0] if full else max(1, s[0] - 1)
        b.add("Slice", [x, b.array(np.array([0], np.int64)),
                        b.array(np.array([end], np.int64)),
                        b.array(np.array([0], np.int64))], out)
    elif kind == "flatten" and len(s) > 1:
        b.add("Flatten", [x], [s[0], int(np.prod(s[1:]))])
    elif kind == "pad" and s:
        p = [0] * (2 * len(s))
        if b.flip():
            p[-1] = 1
        out = list(s)
        out[-1] += p[-1]
        b.add("Pad", [x, b.array(np.array(p, np.int64))], out)
    elif kind == "expand":
        b.add("Expand", [x, b.array(np.array(s, np.int64))], s)
    elif kind == "cast":
        out = b.add("Cast", [x], s, to=int(b.rng.choice([1, 1, 11])))
        last = b.nodes[-1]
        if last.attribute[0].i == 11:
            b.values.pop()
            b.add("Cast", [out], s, to=1)


def reduce(b):
    x, s = b.pick()
    if not s:
        return
    axis, keep = int(b.rng.integers(len(s))), int(b.flip())
    out = [1 if i == axis else d for i, d in enumerate(s)] if keep else \
        [d for i, d in enumerate(s) if i != axis]
    op = b.rng.choice(["ReduceMean", "ReduceMax"])
    b.add(op, [x], out, axes=[axis], keepdims=keep)
    if b.flip(0.3):
        b.add("Softmax", [x], s, axis=-1)


def shape_chain(b):
    x, s = b.pick()
    if len(s) < 2:
        return
    shape = b.name()
    b.nodes.append(helper.make_node("Shape", [x], [shape]))
    first = b.name()
    b.nodes.append(helper.make_node(
        "Gather", [shape, b.array(np.array([0], np.int64))], [first], axis=0))
    target = b.name()
    b.nodes.append(helper.make_node(
        "Concat", [first, b.array(np.array([-1], np.int64))], [target], axis=0))
    b.add("Reshape", [x, target], [s[0], int(np.prod(s[1:]))])


def branch(b):
    """An If whose branches capture outer values."""
    x, s = b.pick()
    cond = b.array(np.array(bool(b.flip())))
    if b.flip():
        total = b.name()
        b.nodes.append(helper.make_node("ReduceMax", [x], [total], keepdims=0))
        cond = b.name()
        b.nodes.append(helper.make_node(
            "Greater", [total, b.array(np.float32(0))], [cond]))
    bodies = []
    for op in ("Relu", "Neg"):
        y = b.name()
        node = helper.make_node(op, [x], [y])
        info = helper.make_tensor_value_info(y, TensorProto.FLOAT, s)
        bodies.append(helper.make_graph([node], y + "_body", [], [info]))
    b.add("If", [cond], s, then_branch=bodies[0], else_branch=bodies[1])


STEPS = [(unary, 4), (binary, 5), (conv, 5), (pool, 1), (matmul, 4),
         (movement, 6), (reduce, 1), (shape_chain, 1), (branch, 1)]


def generate(rng):
    b = Builder(rng)
    for _ in range(int(rng.integers(1, 3))):
        rank = int(rng.choice([2, 3, 4, 4]))
        b.input([int(d) for d in rng.integers(1, 6, rank)])
    b.input([int(rng.integers(1, 3)), int(rng.integers(1, 5)), 6, 5])
    weights = np.array([w for _, w in STEPS], float)
    for _ in range(int(rng.integers(3, 14))):
        step = rng.choice(len(STEPS), p=weights / weights.sum())
        if len(b.values) < 40:
            STEPS[step][0](b)
    produced = [v for v in b.values if v not in b.inputs]
    picks = rng.permutation(len(produced))[:max(1, int(rng.integers(1, 4)))]
    outs = [produced[i] for i in picks] or [b.values[-1]]
    if len(produced):
        outs = [produced[-1]] + [o for o in outs if o != produced[-1]]
    dynamic = b.flip(0.33)

    def info(name, shape, symbols):
        shape = [f"N{d}" if symbols and b.flip(0.7) else d for d in shape]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        b.nodes, "random", [info(n, s, dynamic) for n, s in b.inputs],
        [info(n, s, False) for n, s in outs], b.inits)
    return b.inputs, helper.make_model(
        graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def check(score, seed, inputs, model, d):
    path, out = os.path.join(d, "in.onnx"), os.path.join(d, "out.onnx")
    onnx.save(model, path)
    rng = np.random.default_rng(seed)
    try:
        a = session(path)
    except Exception:
        return False            # not a model that the judge takes
    x = {n: (rng.integers(-8, 9, s) / 4).astype(np.float32)
         for n, s in inputs}
    names = [o.name for o in a.get_outputs()]
    try:
        want = a.run(names, x)
    except Exception:
        return False
    code, _, err = pare("optimize", path, "-o", out, "-q")
    if not score.check(code == 0, f"seed {seed}: {err}"):
        return True
    ok = os.path.getsize(out) <= os.path.getsize(path)
    why = "" if ok else "larger"
    try:
        onnx.checker.check_model(onnx.load(out), full_check=True)
        got = session(out).run(names, x)
        for n, g, w in zip(names, got, want):
            diff = difference(g, w)
            if isinstance(diff, str) or not diff <= 1e-4:
                ok, why = False, f"output {n}: {diff}"
    except Exception as e:
        ok, why = False, str(e)[:300]
    mine, err = pare_run(path, x, names)
    for n, w in zip(names, want):
        diff = difference(mine[n], w) if mine else err
        if isinstance(diff, str) or not diff <= 1e-4:
            ok, why = False, f"run: output {n}: {diff}"
    score.check(ok, f"seed {seed}: {why}")
    return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--keep", help="copy failing models to this folder")
    args = p.parse_args()
    score, refused, done, seed = Score(), 0, 0, args.seed * 1_000_000
    with tempfile.TemporaryDirectory() as d:
        while done < args.count and refused <= args.count:
            seed += 1
            before = score.failed
            inputs, model = generate(np.random.default_rng(seed))
            if check(score, seed, inputs, model, d):
                done += 1
            else:
                refused += 1
            if score.failed > before and args.keep:
                os.makedirs(args.keep, exist_ok=True)
                shutil.copy(os.path.join(d, "in.onnx"),
                            os.path.join(args.keep, f"{seed}.onnx"))
    print(f"{refused} generated models were refused by the judge")
    score.finish()


if __name__ == "__main__":
    main()
