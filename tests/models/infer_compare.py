#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shape inference against the outputs of the ONNX node tests, and against the
onnx package's own inference on whole models.

usage: infer_compare.py INFER_TYPES --tests DIRECTORY | MODEL.onnx...

INFER_TYPES is the built tests/models/infer_types.c.  DIRECTORY holds node
tests (folders test_* with model.onnx and test_data_set_0).  Each is inferred
three times, with declarations of results removed: as it is, with its inputs
as constants, and with symbolic dims (S5 for every 5).  A result may be
unknown, but never differ from the expected output.  On models, every dim that
the onnx package knows must be known and equal.
"""
import collections
import glob
import math
import os
import re
import subprocess
import sys
import tempfile
from fractions import Fraction

import onnx
from onnx import TensorProto

NAMES = {v: k.lower() for k, v in TensorProto.DataType.items()}
FLOATS = {1, 2, 3, 9, 10, 11, 16}


def infer(tool, files):
    """path -> (errors, name -> type)"""
    out = {}
    for i in range(0, len(files), 50):
        p = subprocess.run([tool] + files[i:i + 50], capture_output=True)
        if p.returncode:
            sys.exit(f"{tool}: exit {p.returncode}")
        for line in p.stdout.decode(errors="replace").split("\n"):
            f = line.split("\t")
            if f[0] == "F":
                cur = out.setdefault(f[1], ([], {}))
            elif f[0] == "V" and len(f) == 4:
                cur[1].setdefault(f[2], f[3])
            elif f[0] == "E":
                cur[0].append(line)
    return out


def split(dims):
    """At commas outside of brackets."""
    parts, depth, cur = [], 0, ""
    for c in dims:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(cur)
            cur = ""
        else:
            cur += c
    return parts + [cur] if cur else parts


def parse(text):
    """element type, dims or None for an unknown rank"""
    if "[" not in text:
        return text, []
    dt, rest = text.split("[", 1)
    return dt, (None if rest == "]" else split(rest[:-1]))


def value(dim):
    """The number a dim stands for, where S5 means 5; None if unknown."""
    if dim == "?":
        return None
    env = {"floor": lambda x: Fraction(math.floor(x)), "max": max, "min": min,
           "Fraction": Fraction, "__builtins__": {}}
    for name in re.findall(r"S(\d+)", dim):
        env["S" + name] = Fraction(int(name))
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


def compare(got, want, count):
    """Empty, or how the inferred type contradicts the tensor."""
    if got is None or got == "unknown" or "(" in got.split("[")[0]:
        count["unknown"] += 1
        return ""
    dt, dims = parse(got)
    if dt not in ("undefined", NAMES[want.data_type]):
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


def check_tests(tool, root):
    folders = sorted(os.path.dirname(p) for p in glob.glob(
        os.path.join(root, "**", "model.onnx"), recursive=True))
    bad = 0
    for kind in ("plain", "constant", "symbolic"):
        count = collections.Counter(tests=len(folders))
        with tempfile.TemporaryDirectory() as tmp:
            jobs = []
            for k, folder in enumerate(folders):
                path = os.path.join(tmp, f"{k}.onnx")
                jobs.append((folder, path, variant(folder, kind, path)))
            res = infer(tool, [j[1] for j in jobs])
        for folder, path, outs in jobs:
            errors, types = res[path]
            if errors:
                bad += 1
                print("REFUSED", kind, folder, errors[0])
            for i, name in enumerate(outs):
                t = read_tensor(f"{folder}/test_data_set_0/output_{i}.pb")
                why = t and compare(types.get(name), t, count)
                if why:
                    bad += 1
                    print("WRONG", kind, folder, name, types[name],
                          list(t.dims), why)
        print(kind, dict(count))
    return bad


def check_model(tool, path, count):
    bad = 0
    errors, types = infer(tool, [path])[path]
    if errors:
        print("REFUSED", path, errors[0])
        return 1
    m = onnx.load(path, load_external_data=False)
    m = onnx.shape_inference.infer_shapes(m, strict_mode=True, data_prop=True)
    for v in list(m.graph.value_info) + list(m.graph.output):
        t = v.type.tensor_type
        if v.type.WhichOneof("value") != "tensor_type" or \
                not t.HasField("shape"):
            continue
        dims = parse(types[v.name])[1]
        ok = dims is not None and len(dims) == len(t.shape.dim)
        for a, b in zip(dims or [], t.shape.dim):
            count["dims"] += 1
            count["known"] += a.isdigit()
            count["symbolic"] += not a.isdigit() and a != "?"
            if b.WhichOneof("value") == "dim_value":
                count["known to onnx"] += 1
                ok = ok and a == str(b.dim_value)
        if not ok:
            bad += 1
            print("DIFFERS", path, v.name, types[v.name])
    return bad


def main(args):
    tool = args[0]
    if args[1] == "--tests":
        return check_tests(tool, args[2]) != 0
    count, bad = collections.Counter(models=len(args) - 1), 0
    for path in args[1:]:
        bad += check_model(tool, path, count)
    print(dict(count))
    return bad != 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
