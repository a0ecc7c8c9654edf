# SPDX-License-Identifier: MIT
"""The same bits from every compiler, optimization level, number of threads and
instruction set.

usage: bits.py BINARY...   (builds of pare; the first is the measure)

Folds graphs of constants, drawn as in random_ops.py, and runs real models on
generated inputs, with each binary, and with the first one at 1, 2 and 8 threads
and with PARE_CPU=avx2 and portable.  Compares the bytes of what they write.
"""
import glob
import hashlib
import os
import sys
import tempfile

import onnx
from onnx import helper, numpy_helper

import common
from common import DATA, ROOT, Score, light_models
from random_families import FAMILIES, Draw, Refused

GRAPHS = 60


def constant_graph(draw):
    """One operator whose operands are initializers, or None."""
    try:
        call = draw.pick(FAMILIES)(draw)
    except Refused:
        return None
    if call.random:
        return None
    node, names, outs = call.node("c")
    inits = [numpy_helper.from_array(a, n)
             for n, a in zip(names, call.inputs) if n]
    graph = helper.make_graph([node], call.op, [],
                              [onnx.ValueInfoProto(name=y) for y in outs],
                              inits)
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", call.opset)])


def variants(binaries):
    first = binaries[0]
    yield "the first build", first, {}, []
    for b in binaries[1:]:
        yield b, b, {}, []
    for n in (1, 2, 8):
        yield f"-j {n}", first, {}, ["-j", str(n)]
    for cpu in ("avx2", "portable"):
        yield f"PARE_CPU={cpu}", first, {"PARE_CPU": cpu}, []


def call_pare(binary, env, *args):
    common.PARE = binary
    return common.pare(*args, env=env)


def digest(folder):
    h = hashlib.sha256()
    for f in sorted(os.listdir(folder)):
        with open(os.path.join(folder, f), "rb") as file:
            h.update(f.encode() + b"\0" + file.read())
    return h.hexdigest()


def folded(path, binary, env, options):
    with tempfile.TemporaryDirectory() as d:
        code, _, err = call_pare(binary, env, "optimize", path, "-o",
                                 os.path.join(d, "out.onnx"), "-q",
                                 "--no-check", *options)
        return (code, digest(d)) if code == 0 else (code, err)


def executed(path, binary, env, options):
    with tempfile.TemporaryDirectory() as d:
        code, _, err = call_pare(binary, env, "run", path, "-q", "--seed", "1",
                                 "--output-dir", d, *options)
        return (code, digest(d)) if code == 0 else (code, err)


def compare(score, name, how, path, all_variants):
    want = None
    for label, binary, env, options in all_variants:
        got = how(path, binary, env, options)
        want = want or got
        if not score.check(got == want,
                           f"{name}: {label}: {got} instead of {want}"):
            return


def models():
    yield from sorted(glob.glob(os.path.join(DATA, "*.onnx")))
    for folder in ("npm", "exports"):
        yield from sorted(glob.glob(os.path.join(ROOT, "build", folder, "**",
                                                 "*.onnx"), recursive=True))
    yield from light_models()


def main():
    score, seed, made = Score(), 0, 0
    runs = list(variants(sys.argv[1:]))
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "c.onnx")
        while made < GRAPHS:
            seed += 1
            model = constant_graph(Draw(seed))
            if model is None:
                continue
            onnx.save(model, path)
            name = f"constant {model.graph.name} (seed {seed})"
            compare(score, name, folded, path, runs)
            made += 1
    for path in models():
        compare(score, os.path.basename(path), executed, path, runs)
    score.finish()


if __name__ == "__main__":
    main()
