# SPDX-License-Identifier: MIT
"""Random calls of single operators, judged by ONNX Runtime and, where that
refuses, by the reference evaluator of the onnx package.

Every family of operators has a function that draws inputs, attributes and an
opset: odd shapes (no elements, rank 0, broadcast both ways), negative axes,
every mode.  Around the node the case varies what exporters vary: inputs or
initializers, static, named or unknown dims, and now and then the node sits in
a branch of an If that captures its operands.

usage: random_ops.py [--count N] [--seed S] [--only OP] [--keep DIR]
"""
import argparse
import os
import shutil
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from common import Score, difference, pare, pare_run, session
from random_families import FAMILIES, Draw, Refused

NEWEST = onnx.defs.onnx_opset_version()
# Relative error that the element type itself explains.
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-4,
             "float64": 1e-5}


class Case:
    """One node, its operands and the model around it."""

    def __init__(self, draw, call):
        self.op, self.opset = call.op, call.opset
        self.random = call.random
        r = draw
        node, names, self.outputs = call.node("x")
        self.feeds, inits, infos = {}, [], []
        for name, a, fixed in zip(names, call.inputs, call.fixed):
            if a is None:
                continue
            if fixed and r.flip(0.8) or r.flip(0.1):
                inits.append(numpy_helper.from_array(a, name))
            else:
                self.feeds[name] = a
                infos.append(helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(a.dtype),
                    self.dims(r, a.shape)))
        outs = [onnx.ValueInfoProto(name=y) for y in self.outputs]
        nodes = self.branch(node, outs) if r.flip(0.05) else [node]
        graph = helper.make_graph(nodes, "case", infos, outs, inits)
        self.model = helper.make_model(
            graph, ir_version=min(10, onnx.IR_VERSION),
            opset_imports=[helper.make_opsetid("", call.opset)])

    @staticmethod
    def dims(r, shape):
        kind = r.pick(["static", "static", "named", "unknown", "free"])
        if kind == "free":
            return None
        if kind == "static":
            return shape
        return [d if r.flip() else None if kind == "unknown" else f"d{d}"
                for d in shape]

    def branch(self, node, outs):
        """The node on both sides of an If."""
        cond = helper.make_node("Constant", [], ["cond"], value=helper.
                                make_tensor("t", 9, [], [1]))
        bodies = {}
        for side in ("then_branch", "else_branch"):
            inner = onnx.NodeProto()
            inner.CopyFrom(node)
            for k, y in enumerate(self.outputs):
                inner.output[k] = f"{side}_{y}"
            bodies[side] = helper.make_graph(
                [inner], side, [],
                [onnx.ValueInfoProto(name=y) for y in inner.output])
        return [cond, helper.make_node("If", ["cond"], self.outputs, **bodies)]


def by_runtime(case, path):
    return session(path).run(case.outputs, case.feeds)


def by_reference(case, path):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out = ReferenceEvaluator(path).run(case.outputs, case.feeds)
    return [np.asarray(y) for y in out]


JUDGES = [("ONNX Runtime", by_runtime), ("the reference", by_reference)]


def judge(case, path):
    """Name of the judge and the outputs; None if both refuse.  The reference
    knows the softmaxes of today only."""
    old = case.op in ("Softmax", "LogSoftmax", "Hardmax") and case.opset < 13
    for name, how in JUDGES[:1] if old else JUDGES:
        try:
            return name, how(case, path)
        except Exception:       # pylint: disable=broad-except
            continue
    return None, None


def reason(case, got, want):
    if isinstance(want, list) or isinstance(got, list):
        return None if len(got) == len(want) else "lengths of sequences differ"
    if case.random:
        return None if got.shape == want.shape else "shapes differ"
    if want.dtype.kind in "OSU":
        return None if np.array_equal(got.astype(str), want.astype(str)) \
            else "strings differ"
    diff = difference(got, want)
    if isinstance(diff, str):
        return diff
    limit = TOLERANCE.get(str(want.dtype), 1e-4)
    return None if diff <= limit else f"error {diff:.3g}"


def check(score, label, case, path, optimized):
    who, want = judge(case, path)
    if who is None:
        return None
    files = [("run", path)]
    if optimized:
        code, _, err = pare("optimize", path, "-o", path + ".opt", "-q")
        if not score.check(code == 0, f"{label}: optimize: {err.strip()}"):
            return who
        files.append(("optimize", path + ".opt"))
    for what, file in files:
        mine, err = pare_run(file, case.feeds, case.outputs)
        if not score.check(mine is not None,
                           f"{label}: {what}: {(err or '').strip()}"):
            continue
        found = [(y, reason(case, mine[y], w))
                 for y, w in zip(case.outputs, want)]
        bad = [f"{y}: {why}" for y, why in found if why]
        score.check(not bad, f"{label}: {what} against {who}: {bad}")
    return who


def generate(seed, only):
    draw = Draw(seed)
    while True:
        family = draw.pick(FAMILIES)
        try:
            call = family(draw)
        except Refused:
            continue
        if not only or call.op == only:
            return Case(draw, call)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", help="cases of this operator")
    p.add_argument("--keep", help="copy failing models to this folder")
    args = p.parse_args()
    score, judges, seed = Score(), {}, args.seed * 1_000_000
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "case.onnx")
        for _ in range(args.count):
            seed += 1
            case = generate(seed, args.only)
            onnx.save(case.model, path)
            before = score.failed
            who = check(score, f"seed {seed} {case.op}-{case.opset}", case,
                        path, seed % 4 == 0)
            judges[who] = judges.get(who, 0) + 1
            if score.failed > before and args.keep:
                os.makedirs(args.keep, exist_ok=True)
                stem = os.path.join(args.keep, f"{case.op}-{seed}")
                shutil.copy(path, stem + ".onnx")
                np.savez(stem + ".npz", **case.feeds)
    print(", ".join(f"{n} judged by {who}" if who else
                    f"{n} refused by both judges"
                    for who, n in judges.items()))
    score.finish()


if __name__ == "__main__":
    sys.exit(main())
