# SPDX-License-Identifier: MIT
"""The ONNX backend tests, executed with `pare run`.

    backend.py [--data DIR] [--reference] [--verbose] [FILTER]

DIR holds the test folders (default: those of the installed onnx package).  A
test that needs a kernel which pare does not have is counted apart; any other
refusal, a wrong result or a crash is a failure.  Operators with random results
are compared by type and shape.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
from onnx import numpy_helper

from common import PARE, Score, file_name

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform",
          "RandomUniformLike", "Bernoulli", "Multinomial"}
DEFAULT = os.path.join(os.path.dirname(onnx.__file__), "backend", "test",
                       "data")
READERS = {"tensor_type": onnx.TensorProto,
           "sparse_tensor_type": onnx.SparseTensorProto,
           "sequence_type": onnx.SequenceProto,
           "optional_type": onnx.OptionalProto}


def read_value(path, kind):
    v = READERS[kind]()
    with open(path, "rb") as f:
        v.ParseFromString(f.read())
    return v


def plain(v):
    """Arrays, lists of arrays, or None."""
    if isinstance(v, onnx.TensorProto):
        return numpy_helper.to_array(v)
    if isinstance(v, onnx.SequenceProto):
        return numpy_helper.to_list(v)
    if isinstance(v, onnx.OptionalProto):
        return numpy_helper.to_optional(v)
    raise TypeError(type(v).__name__)


def differs(got, want, random):
    """A reason, or None."""
    if want is None or got is None:
        return None if want is got else "one side is empty"
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return "sequences of different lengths"
        found = [differs(g, w, random) for g, w in zip(got, want)]
        return next((f for f in found if f), None)
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype}{got.shape} instead of {want.dtype}{want.shape}"
    if random:
        return None
    if want.dtype.kind in "OSU":
        return None if np.array_equal(got, want) else "strings differ"
    if want.dtype.kind in "iub":
        return None if np.array_equal(got, want) else "integers differ"
    if want.dtype.kind == "c":
        ok = np.allclose(got, want, rtol=1e-3, atol=1e-7)
    else:
        ok = np.allclose(got.astype(np.float64), want.astype(np.float64),
                         rtol=1e-3, atol=1e-7, equal_nan=True)
    return None if ok else "values differ"


def ops(nodes):
    for n in nodes:
        yield n.op_type
        for a in n.attribute:
            for g in (a.g, *a.graphs):
                yield from ops(g.node)


def run_set(path, model, data, options, random):
    """(outcome, reason) of one test_data_set."""
    given = {t.name for t in model.graph.initializer}
    inputs = [i for i in model.graph.input
              if model.ir_version >= 4 or i.name not in given]
    with tempfile.TemporaryDirectory() as d:
        args = [PARE, "run", path, "--output-dir", d, "--format", "pb",
                *options]
        for k, i in enumerate(inputs):
            f = os.path.join(data, f"input_{k}.pb")
            if os.path.exists(f):
                args += ["--input", f"{i.name}={f}"]
        p = subprocess.run(args, capture_output=True, timeout=120)
        err = p.stderr.decode(errors="replace").strip()
        if p.returncode < 0 or p.returncode == 70:
            return "fail", f"exit {p.returncode}: {err}"
        if p.returncode:
            kind = "unsupported" if "E-unsupported" in err else "fail"
            return kind, err
        for k, o in enumerate(model.graph.output):
            f = os.path.join(data, f"output_{k}.pb")
            if not os.path.exists(f):
                continue
            kind = o.type.WhichOneof("value")
            want = plain(read_value(f, kind))
            got = plain(read_value(
                os.path.join(d, file_name(o.name) + ".pb"), kind))
            why = differs(got, want, random)
            if why:
                return "fail", f"output {k}: {why}"
    return "pass", ""


def run_test(folder, options):
    path = os.path.join(folder, "model.onnx")
    try:
        model = onnx.load(path)
        nodes = list(model.graph.node)
        for f in model.functions:
            nodes += f.node
        random = not RANDOM.isdisjoint(ops(nodes))
        for data in sorted(glob.glob(os.path.join(folder,
                                                  "test_data_set_*"))):
            got = run_set(path, model, data, options, random)
            if got[0] != "pass":
                return got
        return "pass", ""
    except Exception as e:  # noqa: BLE001 - one odd test must not end the run
        return "fail", f"{type(e).__name__}: {e}"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", default=DEFAULT)
    ap.add_argument("--reference", action="store_true")
    ap.add_argument("--verbose", action="store_true")
    ap.add_argument("filter", nargs="?", default="")
    a = ap.parse_args()
    folders = sorted(os.path.dirname(p) for p in
                     glob.glob(os.path.join(a.data, "**", "model.onnx"),
                               recursive=True) if a.filter in p)
    options = ["--reference"] if a.reference else []
    score, unsupported = Score(), 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = pool.map(lambda f: run_test(f, options), folders)
        for folder, (kind, why) in zip(folders, results):
            name = os.path.basename(folder)
            if kind == "unsupported":
                unsupported += 1
                if a.verbose:
                    print("unsupported", name, why)
            else:
                score.check(kind == "pass", f"{name}: {why}")
    print(f"{unsupported} unsupported")
    score.finish()


if __name__ == "__main__":
    sys.exit(main())
