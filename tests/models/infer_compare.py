#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What shape inference knows, against the onnx package, onnxsim and the
expected outputs of the ONNX node tests.

usage: infer_compare.py [--tests DIRECTORY] [MODEL.onnx...]

Without models: the light models, those of npm and of build/exports that are
there.  Prints per model how many dims each side knows, and lists each dim
that another side knows (its number, or that it equals another dim) and pare
does not.  onnxsim is asked if it is installed.

--tests: DIRECTORY holds node tests (folders test_* with model.onnx and
test_data_set_0).  Each is inferred three times, with declarations of results
removed: as it is, with its inputs as constants, and with symbolic dims (S5
for every 5).  A result may be unknown, but never differ from the expected
output, and what the onnx package knows must be known.
"""
import collections
import glob
import json
import math
import os
import re
import sys
import tempfile
from fractions import Fraction

import onnx
from onnx import TensorProto

from common import ROOT, Score, light_models, pare

NAMES = {v: k.lower() for k, v in TensorProto.DataType.items()}
FLOATS = {1, 2, 3, 9, 10, 11, 16}


def infer(path):
    """Error text or None, and (graph, name) -> (type, dims); a dim is a
    number, a text, or None, and dims are None for an unknown rank."""
    code, out, err = pare("info", "--shapes", "--json", path)
    if code:
        return err.strip() or f"exit {code}", {}
    values = json.loads(out)["models"][0]["values"]
    return None, {(v["graph"], v["name"]): (v["type"], v["dims"])
                  for v in values}


# ---- node tests ----

def value(dim):
    """The number a dim stands for, where S5 means 5; None if unknown."""
    if not isinstance(dim, str):
        return dim
    env = {"floor": lambda x: Fraction(math.floor(x)), "max": max, "min": min,
           "Fraction": Fraction, "__builtins__": {}}
    for name in re.findall(r"[A-Za-z_][\w.]*", dim):
        if re.fullmatch(r"S\d+", name):
            env[name] = Fraction(int(name[1:]))
        elif name not in env:
            return None                 # a name for what is not known
    return eval(re.sub(r"(?<![\w.])(\d+)", r"Fraction(\1)", dim), env)


def read_tensor(path):
    t = TensorProto()
    if not os.path.exists(path):
        return None
    try:
        with open(path, "rb") as f:
            t.ParseFromString(f.read())
    except Exception:  # a sequence, say
        return None
    return t if t.data_type else None


def variant(folder, kind, path):
    m = onnx.load(os.path.join(folder, "model.onnx"))
    for o in m.graph.output:
        o.ClearField("type")
    del m.graph.value_info[:]
    m.ir_version = max(m.ir_version, 8)
    inits = {t.name for t in m.graph.initializer}
    keep = []
    for i, x in enumerate(m.graph.input):
        t = read_tensor(f"{folder}/test_data_set_0/input_{i}.pb")
        keep.append(x)
        if (kind == "plain" or t is None or x.name in inits or
                x.type.WhichOneof("value") != "tensor_type"):
            continue
        if kind == "symbolic" and len(t.dims) > 1 and t.data_type in FLOATS:
            shape = x.type.tensor_type.shape
            shape.ClearField("dim")
            for n in t.dims:
                d = shape.dim.add()
                if n > 1:
                    d.dim_param = f"S{n}"
                else:
                    d.dim_value = n
            continue
        t.name = x.name
        m.graph.initializer.append(t)
        keep.pop()
    del m.graph.input[:]
    m.graph.input.extend(keep)
    with open(path, "wb") as f:
        f.write(m.SerializeToString())
    return [o.name for o in m.graph.output]


def contradiction(got, want, count):
    """Empty, or how the inferred type contradicts the tensor."""
    text, dims = got or ("unknown", None)
    if text == "unknown" or "(" in text.split("[")[0]:
        count["unknown"] += 1
        return ""
    if text.split("[")[0] not in ("undefined", NAMES[want.data_type]):
        return "element type"
    if dims is None:
        count["rank unknown"] += 1
        return ""
    if len(dims) != len(want.dims):
        return "rank"
    values = [value(d) for d in dims]
    for v, n in zip(values, want.dims):
        if v is not None and v != n:
            return "dim"
    count["partly" if None in values else "exact"] += 1
    return ""


def check_tests(score, root):
    folders = sorted(os.path.dirname(p) for p in glob.glob(
        os.path.join(root, "**", "model.onnx"), recursive=True))
    for kind in ("plain", "constant", "symbolic"):
        count = collections.Counter(tests=len(folders))
        with tempfile.TemporaryDirectory() as tmp:
            for folder in folders:
                path = os.path.join(tmp, "model.onnx")
                outs = variant(folder, kind, path)
                error, types = infer(path)
                if not score.check(not error, f"{kind} {folder}: {error}"):
                    continue
                for i, name in enumerate(outs):
                    t = read_tensor(f"{folder}/test_data_set_0/output_{i}.pb")
                    got = types.get(("main", name))
                    if t is None:
                        continue
                    why = contradiction(got, t, count)
                    score.check(not why, f"{kind} {folder}: {name}: {got} for "
                                f"{list(t.dims)}: {why}")
                lost = missing(types, right(asked(path), folder, outs))
                score.check(not lost, f"{kind} {folder}: known to onnx: "
                            f"{'; '.join(lost)}")
        print(kind, dict(count))


# ---- whole models ----

def types_of(graph, path="main"):
    """(graph, name) -> dims: numbers, texts, None; bodies included."""
    out = {}
    for v in list(graph.value_info) + list(graph.output) + list(graph.input):
        t = v.type.tensor_type
        if v.type.WhichOneof("value") != "tensor_type" or \
                not t.HasField("shape"):
            continue
        out[path, v.name] = [
            d.dim_value if d.WhichOneof("value") == "dim_value" else
            d.dim_param or None for d in t.shape.dim]
    return out


def by_onnx(path):
    m = onnx.load(path, load_external_data=False)
    m = onnx.shape_inference.infer_shapes(m, strict_mode=True, data_prop=True)
    return types_of(m.graph)


def asked(path):
    try:
        return by_onnx(path)
    except Exception:  # it refuses some of its own tests
        return {}


def right(types, folder, outs):
    """Without what contradicts the expected outputs: onnx errs, too."""
    types = dict(types)
    for i, name in enumerate(outs):
        t = read_tensor(f"{folder}/test_data_set_0/output_{i}.pb")
        dims = types.get(("main", name))
        if t is not None and dims is not None and \
                any(isinstance(d, int) and d != n
                    for d, n in zip(dims, t.dims)):
            del types["main", name]
    return types


def by_onnxsim(path):
    import onnxsim
    m, _ = onnxsim.simplify(path)
    for g in (m.graph,):
        del g.value_info[:]
    m = onnx.shape_inference.infer_shapes(m, data_prop=True)
    return types_of(m.graph)


def sides():
    yield "onnx", by_onnx
    try:
        import onnxsim  # noqa: F401
        yield "onnxsim", by_onnxsim
    except ImportError:
        pass


def missing(mine, theirs):
    """Dims that theirs knows and mine does not, as texts."""
    classes, out = collections.defaultdict(list), []
    for key, dims in theirs.items():
        if key not in mine:
            continue
        text, own = mine[key]
        if own is None or len(own) != len(dims):
            out.append(f"{key[1]}: {text}, but has {len(dims)} dims")
            continue
        for i, (a, b) in enumerate(zip(own, dims)):
            # a symbol of an input wins over a number that a file declares
            if isinstance(b, int) and a != b and value(a) != b:
                out.append(f"{key[1]}[{i}] is {a}, known as {b}")
            elif isinstance(b, str):
                classes[b].append((key[1], i, a))
    for symbol, dims in classes.items():
        dims = [d for d in dims if not isinstance(d[2], int)]
        for d in dims[1:]:
            first = dims[0]
            if d[2] is None or d[2] != first[2]:
                out.append(f"{d[0]}[{d[1]}] is {d[2]}, {first[0]}[{first[1]}] "
                           f"is {first[2]}, both known as '{symbol}'")
                break
    return out


def tally(dims):
    """Numbers, symbols, unknown."""
    flat = [d for ds in dims for d in ([None] if ds is None else ds)]
    n = sum(isinstance(d, int) for d in flat)
    s = sum(isinstance(d, str) and not d.startswith("unk__") for d in flat)
    return f"{n:6d}{s:6d}{len(flat) - n - s:6d}"


def check_model(score, path):
    name = os.path.basename(path)
    error, mine = infer(path)
    if not score.check(not error, f"{name}: {error}"):
        return
    for side, ask in sides():
        try:
            theirs = ask(path)
        except Exception as e:  # their own types vary
            print(f"note {name}: {side}: {str(e).strip()[:90]}")
            continue
        both = [k for k in theirs if k in mine]
        print(f"{name:44s} {side:8s} {len(both):5d}"
              f"{tally(theirs[k] for k in both)}"
              f"{tally(mine[k][1] for k in both)}", flush=True)
        lost = missing(mine, theirs)
        for text in lost:
            print("   ", text)
        score.check(not lost, f"{name}: {len(lost)} dims known to {side} only")


def default_models():
    yield from sorted(glob.glob(os.path.join(ROOT, "testdata", "*.onnx")))
    yield from light_models()
    for folder in ("npm", "exports"):
        yield from sorted(glob.glob(os.path.join(ROOT, "build", folder, "**",
                                                 "*.onnx"), recursive=True))


def main(args):
    score = Score()
    if args[:1] == ["--tests"]:
        check_tests(score, args[1])
    else:
        print(f"{'':44s} {'':8s} {'':5s}{'theirs':>18s}{'pare':>18s}\n"
              f"{'model':44s} {'against':8s}values"
              f"{'known':>5s}{'named':>6s}{'?':>6s}" +
              f"{'known':>6s}{'named':>6s}{'?':>6s}")
        for path in args or default_models():
            check_model(score, path)
    score.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
