# SPDX-License-Identifier: MIT
"""Accuracy, size and memory of what quantize, prune and convert write."""
import gzip
import json
import os
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

from common import DATA, Score, difference, pare, pare_run, session

MODEL = os.path.join(DATA, "digits-cnn.onnx")
CALIB = os.path.join(DATA, "digits-cnn.calib.npz")
TEST = os.path.join(DATA, "digits-cnn.test.npz")
DEFAULT = ort.GraphOptimizationLevel.ORT_ENABLE_ALL


def accuracy(path, test, level=DEFAULT):
    sess = session(path, level)
    name = sess.get_inputs()[0].name
    x = test[name].astype(NP[sess.get_inputs()[0].type])
    hits = 0
    for i in range(0, len(x), 100):
        y = sess.run(None, {name: x[i:i + 100]})[0]
        hits += int((y.argmax(-1) == test["label"][i:i + 100]).sum())
    return 100 * hits / len(x)


NP = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


def weights(path):
    """Float weights of Conv, Gemm and MatMul: name, array, input axis."""
    g = onnx.load(path).graph
    init = {i.name: numpy_helper.to_array(i) for i in g.initializer}
    for n in g.node:
        if n.op_type not in ("Conv", "Gemm", "MatMul") or n.input[1] not in init:
            continue
        trans = any(a.name == "transB" and a.i for a in n.attribute)
        w = init[n.input[1]]
        axis = 1 if n.op_type == "Conv" or trans else w.ndim - 2
        yield n.input[1], w, axis


def test_static(score, d):
    test = np.load(TEST)
    out = os.path.join(d, "int8.onnx")
    code, text, err = pare("quantize", MODEL, "--calib", CALIB, "-o", out,
                           "--json", "-q")
    if not score.check(code == 0, f"quantize: {err}"):
        return
    report = json.loads(text)
    onnx.checker.check_model(onnx.load(out), full_check=True)
    before, after = accuracy(MODEL, test), accuracy(out, test)
    score.check(before - after <= 1.0, f"accuracy {before} to {after}")
    size, was = os.path.getsize(out), os.path.getsize(MODEL)
    with open(out, "rb") as f:
        packed = len(gzip.compress(f.read(), 9))
    print(f"static int8: accuracy {before:.2f} to {after:.2f}, "
          f"{size / was:.3f}x, gzip {packed / was:.3f}x")
    score.check(size <= 0.38 * was, f"size {size / was:.3f}x")
    score.check(packed <= 0.27 * was, f"gzip {packed / was:.3f}x")
    score.check(report["quantize"]["nodes"] > 17, "few nodes quantized")
    again = os.path.join(d, "again.onnx")
    pare("quantize", MODEL, "--calib", CALIB, "-o", again, "-q", "-j", "1")
    with open(out, "rb") as a, open(again, "rb") as b:
        score.check(a.read() == b.read(), "quantize is not reproducible")


def test_other_modes(score, d):
    test = np.load(TEST)
    before = accuracy(MODEL, test)
    for mode in ("dynamic", "weight"):
        out = os.path.join(d, f"{mode}.onnx")
        code, _, err = pare("quantize", MODEL, "--mode", mode, "-o", out, "-q")
        if not score.check(code == 0, f"{mode}: {err}"):
            continue
        onnx.checker.check_model(onnx.load(out), full_check=True)
        after = accuracy(out, test)
        score.check(before - after <= 1.0, f"{mode}: {before} to {after}")
    code, _, err = pare("quantize", MODEL, "-o", os.path.join(d, "no.onnx"))
    score.check(code == 2 and "--calib" in err, f"no data: {code} {err}")
    code, _, err = pare("quantize", MODEL, "--random-calib", "1", "-o",
                        os.path.join(d, "random.onnx"))
    score.check(code == 0 and "RANDOM" in err, f"random: {code} {err}")
    out = os.path.join(d, "gate.onnx")
    code, _, err = pare("quantize", MODEL, "--calib", CALIB, "-o", out,
                        "--min-sqnr", "80")
    score.check(code == 1 and not os.path.exists(out), f"gate: {code} {err}")


def test_prune(score, d):
    for scope in ("layer", "global"):
        out = os.path.join(d, f"{scope}.onnx")
        code, text, err = pare("prune", MODEL, "--sparsity", "0.5", "--scope",
                               scope, "-o", out, "--json", "-q")
        if not score.check(code == 0, f"prune {scope}: {err}"):
            continue
        total = sum(w.size for _, w, _ in weights(out))
        zeros = sum(int((w == 0).sum()) for _, w, _ in weights(out))
        report = json.loads(text)["prune"]
        score.check(zeros * 2 == total, f"{scope}: {zeros} of {total} zero")
        score.check((report["weights"], report["zeros"]) == (total, zeros),
                    f"{scope}: report {report['weights']} {report['zeros']}")
        session(out)
    out = os.path.join(d, "nm.onnx")
    code, _, err = pare("prune", MODEL, "--pattern", "2:4", "-o", out, "-q")
    score.check(code == 0, f"prune 2:4: {err}")
    for name, w, axis in weights(out):
        if w.shape[axis] % 4:
            continue
        groups = np.moveaxis(w, axis, -1).reshape(-1, 4)
        score.check(((groups == 0).sum(1) >= 2).all(), f"2:4: {name}")
    session(out)


def test_native(score, d):
    native, back = os.path.join(d, "m.pare"), os.path.join(d, "m.onnx")
    code, _, err = pare("convert", MODEL, "-o", native, "-q")
    score.check(code == 0, f"convert: {err}")
    code, _, err = pare("convert", native, "-o", back, "-q")
    score.check(code == 0, f"convert back: {err}")
    with open(MODEL, "rb") as a, open(back, "rb") as b:
        score.check(a.read() == b.read(), "convert is not lossless")
    x = {"image": np.load(TEST)["image"][:4].astype(np.float32)}
    a, _ = pare_run(MODEL, x, ["logits"])
    b, _ = pare_run(native, x, ["logits"])
    score.check(a and b and difference(b["logits"], a["logits"]) == 0,
                ".pare computes something else")


def main():
    score = Score()
    with tempfile.TemporaryDirectory() as d:
        test_static(score, d)
        test_other_modes(score, d)
        test_prune(score, d)
        test_native(score, d)
    score.finish()


if __name__ == "__main__":
    main()
