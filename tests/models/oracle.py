# SPDX-License-Identifier: MIT
"""pare against ONNX Runtime (optimization off) and the onnx checker.

For the committed models and the light models of the onnx package: running
them, and everything that `optimize -O2` promises: valid, equal, not larger,
idempotent, and the same bytes from any thread count, locale and directory.
"""
import os
import shutil
import sys
import tempfile

import numpy as np
import onnx

from common import (DATA, PARE, Score, difference, light_models, pare,
                    pare_run, random_inputs, session)

SMALL = ("squeezenet", "shufflenet", "resnet50")


def models():
    yield os.path.join(DATA, "digits-cnn.onnx")
    yield os.path.join(DATA, "mnist-cntk.onnx")
    everything = "--all" in sys.argv
    for f in light_models():
        if everything or any(s in f for s in SMALL):
            yield f


def read(path):
    with open(path, "rb") as f:
        return f.read()


def compare(score, path, against, name):
    rng = np.random.default_rng(1)
    sess = session(against)
    inputs = random_inputs(sess, rng)
    names = [o.name for o in sess.get_outputs()]
    want = dict(zip(names, sess.run(None, inputs)))
    got, err = pare_run(path, inputs, names)
    if not score.check(got is not None, f"{name}: run: {err}"):
        return
    for n in names:
        d = difference(got[n], want[n])
        score.check(d is not None and not isinstance(d, str) and d <= 1e-4,
                    f"{name}: output {n}: {d}")
        score.check(np.array_equal(got[n].argmax(-1), want[n].argmax(-1)),
                    f"{name}: output {n}: argmax differs")
    return inputs, want


def optimize(score, path, name, d):
    out = os.path.join(d, "out.onnx")
    code, _, err = pare("optimize", path, "-o", out)
    if not score.check(code == 0, f"{name}: optimize: {err}"):
        return
    model = onnx.load(out)
    try:
        onnx.checker.check_model(model, full_check=True)
        score.check(True, "")
    except Exception as e:  # the checker's own exception types vary
        score.check(False, f"{name}: checker: {e}")
    score.check(os.path.getsize(out) <= os.path.getsize(path),
                f"{name}: {os.path.getsize(out)} bytes from "
                f"{os.path.getsize(path)}")
    again = os.path.join(d, "again.onnx")
    pare("optimize", out, "-o", again, "--no-check", "-q")
    score.check(read(again) == read(out), f"{name}: a second run changes bytes")
    variants = [("8 threads", {"PARE_THREADS": "8"}),
                ("1 thread", {"PARE_THREADS": "1"}),
                ("locale", {"LC_ALL": "de_DE.UTF-8"}),
                ("portable", {"PARE_CPU": "portable"})]
    for what, env in variants:
        sub = os.path.join(d, what)
        os.mkdir(sub)
        copy = shutil.copy(path, sub)
        other = os.path.join(sub, "other.onnx")
        pare("optimize", copy, "-o", other, "--no-check", "-q", env=env)
        score.check(os.path.exists(other) and read(other) == read(out),
                    f"{name}: {what}: other bytes")
    compare(score, out, path, f"{name} optimized")
    rng = np.random.default_rng(2)
    a, b = session(path), session(out)
    inputs = random_inputs(a, rng)
    for x, y in zip(a.run(None, inputs), b.run(None, inputs)):
        diff = difference(y, x)
        score.check(not isinstance(diff, str) and diff <= 1e-4,
                    f"{name}: ONNX Runtime: {diff}")


def main():
    score = Score()
    for path in models():
        name = os.path.basename(path)
        with tempfile.TemporaryDirectory() as d:
            same = os.path.join(d, "same.onnx")
            code, _, err = pare("optimize", "-O0", path, "-o", same, "-q")
            score.check(code == 0 and read(same) == read(path),
                        f"{name}: -O0 changes bytes {err}")
            compare(score, path, path, name)
            optimize(score, path, name, d)
    score.finish()


if __name__ == "__main__":
    main()
