# SPDX-License-Identifier: MIT
"""What the oracle tests share: running pare, running ONNX Runtime, comparing."""
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PARE = os.environ.get("PARE", os.path.join(ROOT, "build", "release", "pare"))
DATA = os.path.join(ROOT, "testdata")
LIGHT = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data",
                     "light")


class Score:
    """Counts checks; the last line is `N passed, N failed`."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, ok, what):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print("FAIL", what, flush=True)
        return ok

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(self.failed != 0)


def pare(*args, timeout=600, env=None):
    """Exit code, standard output, standard error."""
    full = dict(os.environ, **(env or {}))
    p = subprocess.run([PARE, *map(str, args)], capture_output=True,
                       timeout=timeout, env=full)
    return p.returncode, p.stdout, p.stderr.decode(errors="replace")


def session(path, level=ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
    so = ort.SessionOptions()
    so.graph_optimization_level = level
    so.log_severity_level = 4
    so.intra_op_num_threads = 1
    return ort.InferenceSession(path, so, providers=["CPUExecutionProvider"])


NP_TYPE = {"tensor(float)": np.float32, "tensor(double)": np.float64,
           "tensor(int64)": np.int64, "tensor(int32)": np.int32,
           "tensor(bool)": np.bool_, "tensor(float16)": np.float16,
           "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}


def random_inputs(sess, rng, sizes=None, ints=None, shapes=None):
    """One array per input; symbolic dims from `sizes` or 2, whole shapes from
    `shapes`."""
    out = {}
    for i in sess.get_inputs():
        shape = [d if isinstance(d, int) and d > 0 else (sizes or {}).get(d, 2)
                 for d in i.shape]
        shape = (shapes or {}).get(i.name, shape)
        t = NP_TYPE[i.type]
        if ints and i.name in ints:
            out[i.name] = np.full(shape, ints[i.name], t)
        elif np.issubdtype(t, np.floating):
            out[i.name] = rng.standard_normal(shape).astype(t)
        else:
            out[i.name] = rng.integers(0, 2, shape).astype(t)
    return out


def file_name(name):
    ok = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
    return "".join(chr(b) if chr(b) in ok and not (k == 0 and b == 46)
                   else f"%{b:02X}" for k, b in enumerate(name.encode()))


def pare_run(path, inputs, outputs, *options):
    """Outputs as arrays, by name, or the error text."""
    with tempfile.TemporaryDirectory() as d:
        args = ["run", path, "--output-dir", d, *options]
        for k, (name, a) in enumerate(inputs.items()):
            f = os.path.join(d, f"in{k}.npy")
            np.save(f, a)
            args += ["--input", f"{name}={f}"]
        code, _, err = pare(*args)
        if code:
            return None, err
        return {n: np.load(os.path.join(d, file_name(n) + ".npy"))
                for n in outputs}, None


def difference(got, want):
    """Largest error relative to the output's scale, or why they differ.

    Scales below 1e-2 count as 1e-2, so that 1e-4 of it is 1e-6 absolute: a
    sigmoid's output of 1e-6 comes from float32 numbers near 1, whose last bit
    is 1e-7.
    """
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{got.shape} instead of {want.dtype}{want.shape}"
    if not np.issubdtype(want.dtype, np.floating):
        return 0.0 if np.array_equal(got, want) else "integers differ"
    # NaN equals NaN here, and an infinity only itself.
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    if same.all():
        return 0.0
    if not (np.isfinite(got) | same).all() or not np.isfinite(want[~same]).all():
        return "NaN or infinity on one side"
    scale = max(np.abs(want[np.isfinite(want)]).max(), 1e-2)
    error = np.abs(got[~same].astype(np.float64) - want[~same])
    return float(error.max() / scale)


def light_models():
    return sorted(os.path.join(LIGHT, f) for f in os.listdir(LIGHT)
                  if f.endswith(".onnx"))
