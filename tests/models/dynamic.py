#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pare run against ONNX Runtime (optimization off) at three sizes of every
dynamic dim.

usage: dynamic.py [MODEL.onnx...]

Without models: those of testdata, the light models, those of npm and of
build/exports that are there.  Outputs must have equal types and shapes, agree
to 1e-4 of their scale, and have their largest element at the same place.
What `pare info --shapes` says of the outputs must hold at every size, and
binding the sizes with --dim must give the same outputs.
"""
import glob
import json
import os
import re
import sys

import numpy as np


from common import (DATA, NP_TYPE, ROOT, Score, difference, light_models, pare,
                    pare_run, session)
from npm import SHAPES, fetch

RTOL = 1e-4
# Sizes by place and by what names mean; the first that fits counts.
SIZES = [
    (r"^batch$", (1, 2, 3)),
    (r"^(height|width)$", (64, 96, 160)),
    (r"sampl", (1600, 2240, 4800)),
    (r"^past$", (0, 3, 6)),
    (r"^seq", (1, 5, 9)),
]
FILE_SIZES = {  # per axis, where names say nothing
    "silero_vad_legacy.onnx": {1: (512, 1024, 1536)},
    "silero_vad.onnx": {1: (512, 1024, 1536)},
    "decoder-dynamo.onnx": {2: (0, 3, 6)},
}


def size_of(name, dim, axis, rank, k):
    own = FILE_SIZES.get(name, {}).get(axis)
    if own:
        return own[k]
    for pattern, sizes in SIZES:
        if isinstance(dim, str) and re.search(pattern, dim):
            return sizes[k]
    if rank == 4 and axis >= 2:
        return (64, 96, 160)[k]
    return (1, 2, 3)[k]


def inputs_at(sess, name, k):
    """Arrays for the k-th sizes, and size per dim name."""
    rng = np.random.default_rng(k)
    out, dims = {}, {}
    for i in sess.get_inputs():
        shape = SHAPES.get(name, {}).get(i.name)
        if shape is None:
            shape = []
            for axis, d in enumerate(i.shape):
                if not (isinstance(d, int) and d > 0):
                    n = dims.get(d) if isinstance(d, str) else None
                    n = size_of(name, d, axis, len(i.shape), k) \
                        if n is None else n
                    if isinstance(d, str):
                        dims[d] = n
                    d = n
                shape.append(d)
        t = NP_TYPE[i.type]
        if np.issubdtype(t, np.floating):
            out[i.name] = rng.standard_normal(shape).astype(t)
        elif len(shape) == 0:            # a sample rate, the only such input
            out[i.name] = np.asarray(16000, t)
        else:
            out[i.name] = rng.integers(0, 2, shape).astype(t)
    return out, dims


def declared(path):
    """Dims of each output as pare infers them."""
    code, out, err = pare("info", "--shapes", "--json", path)
    if code:
        return None, err
    values = json.loads(out)["models"][0]["values"]
    return {v["name"]: v["dims"] for v in values if v["graph"] == "main"}, None


def fits(dims, shape, bind):
    """Does the inferred shape hold, as far as its names are bound?"""
    if dims is None:
        return True
    if len(dims) != len(shape):
        return False
    env = {"floor": np.floor, "max": max, "min": min, "__builtins__": {}}
    for d, n in zip(dims, shape):
        if isinstance(d, str):
            names = set(re.findall(r"[A-Za-z_][\w.]*", d)) - set(env)
            if not names <= set(bind) or "'" in d:
                continue
            d = eval(re.sub(r"[A-Za-z_][\w.]*", lambda x: str(
                bind.get(x[0], x[0])), d), env)
        if d is not None and d != n:
            return False
    return True


def compare(score, what, names, want, got):
    for n, w in zip(names, want):
        g = got[n]
        d = difference(g, w)
        score.check(not isinstance(d, str) and d <= RTOL, f"{what}: {n}: {d}")
        if w.ndim and w.size and g.shape == w.shape:
            same = np.array_equal(g.argmax(-1), w.argmax(-1))
            if not same:                 # a tie within the tolerance is none
                at = np.expand_dims(g.argmax(-1), -1)
                best = np.take_along_axis(w, at, -1)[..., 0]
                same = np.all(np.abs(best - w.max(-1)) <=
                              RTOL * max(np.abs(w).max(), 1e-2))
            score.check(same, f"{what}: {n}: argmax differs")


def check(score, path):
    name = os.path.basename(path)
    sess = session(path)
    names = [o.name for o in sess.get_outputs()]
    types, err = declared(path)
    if not score.check(types is not None, f"{name}: info: {err}"):
        return
    dynamic = any(not (isinstance(d, int) and d > 0)
                  for i in sess.get_inputs() for d in i.shape)
    for k in range(3 if dynamic else 1):
        x, dims = inputs_at(sess, name, k)
        sizes = {n: list(a.shape) for n, a in x.items()}
        what = f"{name} {sizes if len(sizes) < 4 else dims}"
        try:
            want = sess.run(None, x)
        except Exception as e:          # their own types vary
            print(f"note {what}: ONNX Runtime refuses: {str(e)[:90]}")
            continue
        got, err = pare_run(path, x, names)
        if not score.check(got is not None, f"{what}: run: {err}"):
            continue
        compare(score, what, names, want, got)
        for n, w in zip(names, want):
            score.check(fits(types.get(n), w.shape, dims),
                        f"{what}: {n} {w.shape}, inferred as {types.get(n)}")
        if dims:
            args = [f"--dim={n}={v}" for n, v in dims.items()]
            bound, err = pare_run(path, x, names, *args)
            if score.check(bound is not None, f"{what}: bound: {err}"):
                compare(score, what + " bound", names, want, bound)


def default_models():
    yield os.path.join(DATA, "digits-cnn.onnx")
    yield os.path.join(DATA, "mnist-cntk.onnx")
    yield from light_models()
    yield from fetch()
    yield from sorted(glob.glob(os.path.join(ROOT, "build", "exports",
                                             "*.onnx")))


def main(args):
    score = Score()
    for path in args or default_models():
        before = score.passed, score.failed
        check(score, path)
        print(f"{os.path.basename(path):46s} {score.passed - before[0]:4d} "
              f"passed, {score.failed - before[1]} failed", flush=True)
    score.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
