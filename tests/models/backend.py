# SPDX-License-Identifier: MIT
"""The ONNX backend tests, executed with `pare run`.

    backend.py [--data DIR] [--through COMMAND] [--asan] [--reference] [FILTER...]

DIR holds the test folders; without it two suites run, those of the installed
onnx package and of Debian's libonnx-testdata.  Values are compared as the
runner of the onnx package does it, at each test's own tolerance (data.json,
else rtol 1e-3, atol 1e-7); random results by type and shape.

--through "optimize -O2", or "convert --opset 21", also runs what that makes of
each model whose test passes; models that it refuses as unsupported are counted
apart.  backend_known.txt gives reasons for tests that cannot pass: they run
and are reported like all others, but do not fail the run.
"""
import argparse
import collections
import glob
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import numpy_helper

from common import PARE, ROOT, file_name

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform",
          "RandomUniformLike", "Bernoulli", "Multinomial"}
SUITES = {
    "onnx": os.path.join(
        os.path.dirname(onnx.__file__), "backend", "test", "data"),
    "debian": "/usr/share/libonnx-testdata/data",
}
KNOWN = os.path.join(os.path.dirname(__file__), "backend_known.txt")
READERS = {"tensor_type": onnx.TensorProto,
           "sparse_tensor_type": onnx.SparseTensorProto,
           "sequence_type": onnx.SequenceProto,
           "optional_type": onnx.OptionalProto,
           "map_type": onnx.MapProto}
KINDS = ("pass", "fail", "unsupported", "crash", "hang")

Test = collections.namedtuple("Test", "name model sets rtol atol")
Result = collections.namedtuple("Result", "kind why random changed")


class Failed(Exception):
    """The outcome of a test that did not pass: kind and reason."""


# ---- what there is to run ----

def light_set(path, prefix, folder):
    """The inputs that the onnx runner makes up, where none are stored."""
    model = onnx.load(path)
    given = {t.name for t in model.graph.initializer}
    for k, i in enumerate(i for i in model.graph.input if i.name not in given):
        shape = [d.dim_value or 1 for d in i.type.tensor_type.shape.dim]
        n = int(np.prod(shape))
        a = (np.arange(n).reshape(shape) / n).astype(np.float32)
        with open(os.path.join(folder, f"input_{k}.pb"), "wb") as f:
            f.write(numpy_helper.from_array(a).SerializeToString())
    return folder, f"{prefix}_output_"


def tests_of(data, scratch):
    for folder in sorted(glob.glob(os.path.join(data, "*", "test_*"))):
        name = os.path.basename(folder)
        path, sets, info = os.path.join(folder, "model.onnx"), [], {}
        meta = os.path.join(folder, "data.json")
        if os.path.exists(meta):
            with open(meta, encoding="utf-8") as f:
                info = json.load(f)
        if os.path.exists(path):
            sets = [(s, os.path.join(s, "output_")) for s in
                    sorted(glob.glob(os.path.join(folder, "test_data_set_*")))]
        elif "/data/light/" in info.get("url", ""):
            path = os.path.join(data, "light", os.path.basename(info["url"]))
            if not os.path.exists(path):
                continue
            made = os.path.join(scratch, name)
            os.makedirs(made, exist_ok=True)
            sets = [light_set(path, os.path.splitext(path)[0], made)]
        else:
            continue  # a model to be fetched from the network
        yield Test(name, path, sets, info.get("rtol", 1e-3),
                   info.get("atol", 1e-7))


# ---- comparison ----

def plain(v):
    """Arrays, lists, dictionaries, or None."""
    if isinstance(v, onnx.TensorProto):
        return numpy_helper.to_array(v)
    if isinstance(v, onnx.SequenceProto):
        return numpy_helper.to_list(v)
    if isinstance(v, onnx.OptionalProto):
        return numpy_helper.to_optional(v)
    if isinstance(v, onnx.MapProto):
        return numpy_helper.to_dict(v)
    raise TypeError(type(v).__name__)


def read_value(path, kind):
    v = READERS[kind]()
    with open(path, "rb") as f:
        v.ParseFromString(f.read())
    return plain(v)


def widened(a):
    """Types that NumPy does not know itself, as double."""
    return a if a.dtype.kind in "iufc" and a.dtype.isbuiltin \
        else a.astype(np.float64)


def differs(got, want, random, t):
    """A reason, or None."""
    if want is None or got is None:
        return None if want is got else "one side is empty"
    if isinstance(want, dict):
        if not isinstance(got, dict) or got.keys() != want.keys():
            return "maps with different keys"
        got, want = list(got.values()), [want[k] for k in got]
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return "sequences of different lengths"
        found = [differs(g, w, random, t) for g, w in zip(got, want)]
        return next((f for f in found if f), None)
    got, want = np.asarray(got), np.asarray(want)
    if want.dtype == np.uint16 and got.dtype.name == "bfloat16":
        want = want.view(got.dtype)  # how onnx 1.12 stored it
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype}{got.shape} instead of {want.dtype}{want.shape}"
    if random:
        return None
    if want.dtype.kind in "OSUb":
        return None if np.array_equal(got, want) else "values differ"
    got, want = widened(got), widened(want)
    close = np.isclose(got, want, rtol=t.rtol, atol=t.atol, equal_nan=True)
    if close.all():
        return None
    at = np.unravel_index(np.argmin(close), close.shape)
    where = ",".join(map(str, at))
    return (f"{close.size - np.count_nonzero(close)} of {close.size} differ, "
            f"first at [{where}]: {got[at]} instead of {want[at]}")


# ---- one test ----

def walk(nodes):
    """The nodes and those in their bodies."""
    for n in nodes:
        yield n
        for a in n.attribute:
            for g in (a.g, *a.graphs):
                yield from walk(g.node)


def is_random(n):
    training = n.op_type == "Dropout" and len(n.input) > 2 and n.input[2]
    return n.op_type in RANDOM or bool(training)


def pare(options, *args):
    """Runs pare; raises Failed unless it succeeds."""
    try:
        p = subprocess.run([PARE, *args], capture_output=True,
                           timeout=options.timeout, check=False)
    except subprocess.TimeoutExpired:
        raise Failed("hang", f"more than {options.timeout} s") from None
    err = p.stderr.decode(errors="replace").strip()
    bad = re.search(r"^.*(AddressSanitizer|LeakSanitizer|runtime error:).*$",
                    err, re.M)
    if bad or p.returncode < 0 or p.returncode == 70:
        raise Failed("crash", f"exit {p.returncode}: "
                     + (bad.group(0) if bad else err))
    if p.returncode:
        kind = "unsupported" if "E-unsupported" in err else "fail"
        raise Failed(kind, err.split("\n")[0] or f"exit {p.returncode}")


def run_sets(t, path, model, options, random):
    for data, prefix in t.sets:
        with tempfile.TemporaryDirectory() as d:
            args = ["--input", data] if glob.glob(data + "/input_*") else []
            if options.reference:
                args.append("--reference")
            pare(options, "run", path, "--output-dir", d, "--format", "pb",
                 "-q", *args)
            for k, o in enumerate(model.graph.output):
                f = f"{prefix}{k}.pb"
                if not os.path.exists(f):
                    continue
                kind = o.type.WhichOneof("value")
                got = os.path.join(d, file_name(o.name) + ".pb")
                why = differs(read_value(got, kind), read_value(f, kind),
                              random, t)
                if why:
                    raise Failed("fail", f"output {k} '{o.name}': {why}")


def run_changed(t, model, options, random):
    """None, or why the changed model fails; "refused": nothing was written."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "model.onnx")
        try:
            pare(options, *options.through.split(), t.model, "-o", path, "-q")
        except Failed as e:
            return "refused" if e.args[0] == "unsupported" \
                else ": ".join(e.args)
        try:
            run_sets(t, path, model, options, random)
            return None
        except Failed as e:
            return ": ".join(e.args)


def run_test(job):
    t, options = job
    random = False
    try:
        model = onnx.load(t.model, load_external_data=False)
        nodes = list(model.graph.node)
        for f in model.functions:
            nodes += f.node
        random = any(is_random(n) for n in walk(nodes))
        run_sets(t, t.model, model, options, random)
    except Failed as e:
        return Result(*e.args, random, None)
    except Exception as e:  # noqa: BLE001 - one odd test must not end the run
        return Result("fail", f"{type(e).__name__}: {e}", random, None)
    again = run_changed(t, model, options, random) if options.through \
        else None
    return Result("pass", "", random, again)


# ---- report ----

def read_known(suite):
    known = {}
    with open(KNOWN, encoding="utf-8") as f:
        for line in f:
            name, _, why = line.partition(":")
            if name.split(" ")[0] == suite:
                known[name.split(" ")[1]] = why.strip()
    return known


def report(t, r, known, options):
    if r.changed == "refused":
        if options.verbose:
            print("refused", t.name)
    elif r.changed:
        print(f"FAIL {options.through} {t.name}: {r.changed}")
    elif r.kind == "pass":
        if t.name in known:
            print(f"note {t.name} passes, though listed as known")
        elif options.verbose:
            print("pass", t.name)
    elif t.name in known:
        print(f"known {r.kind} {t.name}: {known[t.name]}")
    else:
        print(f"FAIL {r.kind} {t.name}: {r.why}")


def run_suite(name, tests, pool, options):
    """Tests passed and failed; known ones are neither."""
    known = read_known(name)
    start, count = time.monotonic(), collections.Counter()
    jobs = [(t, options) for t in tests]
    for (t, _), r in zip(jobs, pool.imap(run_test, jobs, chunksize=4)):
        count[r.kind] += 1
        count["random"] += r.random
        count["known"] += r.kind != "pass" and t.name in known
        count["refused"] += r.changed == "refused"
        count["worse"] += r.changed not in (None, "refused")
        report(t, r, known, options)
    print(f"{name}: {len(jobs)} tests: "
          + ", ".join(f"{count[k]} {k}" for k in KINDS)
          + (f", {count['worse']} pass only before {options.through}, "
             f"{count['refused']} refused by it" if options.through else "")
          + f"; {count['random']} random ones by shape, {count['known']} known"
          f" ({time.monotonic() - start:.0f} s)", flush=True)
    passed = count["pass"] - count["worse"]
    return passed, len(jobs) - passed - count["known"]


def main():
    global PARE
    ap = argparse.ArgumentParser()
    ap.add_argument("--data")
    ap.add_argument("--reference", action="store_true")
    ap.add_argument("--through", metavar="COMMAND")
    ap.add_argument("--asan", action="store_true")
    ap.add_argument("--verbose", action="store_true")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--timeout", type=float, default=60)
    ap.add_argument("filter", nargs="*", help="parts of test names")
    a = ap.parse_args()
    if a.asan:
        PARE = os.path.join(ROOT, "build", "asan", "pare")
        a.timeout *= 10
    suites = {a.data: a.data} if a.data else SUITES
    passed = failed = 0
    with tempfile.TemporaryDirectory() as d, \
            multiprocessing.Pool(a.jobs) as pool:
        for name, data in suites.items():
            tests = [t for t in tests_of(data, d) if not a.filter
                     or any(f in t.model for f in a.filter)]
            p, f = run_suite(name, tests, pool, a)
            passed, failed = passed + p, failed + f
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
