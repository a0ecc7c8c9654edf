#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generate ir/schema.def from the schemas of the public `onnx` package.

usage: genschema.py [--check] [FILE]

Writes FILE (default: ir/schema.def), or with --check compares and exits 1 on
a difference.  The committed file was made with the version named in its head.
"""
import sys
from pathlib import Path

import onnx
from onnx import defs

DOMAINS = {
    "": ("DOM_ONNX", ""),
    "ai.onnx.ml": ("DOM_ML", "ml_"),
    "ai.onnx.preview.training": ("DOM_TRAIN", "train_"),
    "ai.onnx.preview": ("DOM_PREVIEW", "preview_"),
}

# What the package's schemas do not say.
ELEMENTWISE = set("""
Abs Acos Acosh Add And Asin Asinh Atan Atanh BitCast BitShift BitwiseAnd
BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu Clip Cos Cosh Div Elu
Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish Identity
IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or
PRelu Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus
Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor
""".split())
COMMUTATIVE = set("""
Add And BitwiseAnd BitwiseOr BitwiseXor Equal Max Mean Min Mul Or Sum Xor
""".split())
# Until version 6 the second operand was broadcast to the first by attributes.
OLD_BROADCAST = (1, 6)
SHAPE_ONLY = set("""
Compress Concat DepthToSpace Expand Flatten Gather GatherElements GatherND
Identity Reshape ReverseSequence Slice SpaceToDepth Split Squeeze Tile
Transpose Unsqueeze
""".split())
RANDOM = set("""
Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform
RandomUniformLike
""".split())
# Dropout drops at random when it trains: by attribute until 6, by input from
# 12; versions 7 and 10 are for inference only.
RANDOM_VERSIONS = {("Dropout", v) for v in (1, 6, 12, 13, 22)}

KINDS = {
    "FLOAT": "f", "INT": "i", "STRING": "s", "TENSOR": "t", "GRAPH": "g",
    "FLOATS": "fs", "INTS": "is", "STRINGS": "ss", "TENSORS": "ts",
    "GRAPHS": "gs", "SPARSE_TENSOR": "sp", "SPARSE_TENSORS": "sps",
    "TYPE_PROTO": "tp", "TYPE_PROTOS": "tps",
}


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def arity(n):
    return "ARITY_ANY" if n >= 0x7FFF else str(n)


def param(p):
    option = p.option.name
    mark = {"Single": "", "Optional": "?", "Variadic": "*"}[option]
    if option == "Variadic" and not p.is_homogeneous:
        mark += "~"
    for c in " :?*~":
        assert c not in p.name, p.name
    return f"{p.name}{mark}:{p.type_str}"


def number(x):
    # Floats are single precision: the shortest text that reads back equal.
    import numpy as np
    return repr(float(str(np.float32(x))))


def default(a):
    p = a.default_value
    kind = a.type.name
    if kind == "INT":
        return str(p.i)
    if kind == "FLOAT":
        return number(p.f)
    if kind == "STRING":
        text = p.s.decode()
        assert '"' not in text and " " not in text
        return f'"{text}"'
    if kind == "INTS":
        return "[" + ",".join(str(i) for i in p.ints) + "]"
    if kind == "FLOATS":
        return "[" + ",".join(number(f) for f in p.floats) + "]"
    if kind == "STRINGS":
        return "[" + ",".join(f'"{s.decode()}"' for s in p.strings) + "]"
    if kind == "TENSOR":  # an empty tensor stands for "absent"
        assert not p.t.dims and not p.t.raw_data
        return ""
    raise SystemExit(f"default of kind {kind}")


def attribute(a):
    text = f"{a.name}:{KINDS[a.type.name]}"
    if a.required:
        return text + "!"
    if a.default_value.name:
        value = default(a)
        if value:
            return f"{text}={value}"
    return text


def flags(s):
    f = []
    if s.name in RANDOM or (s.name, s.since_version) in RANDOM_VERSIONS:
        f.append("OPF_RANDOM")
    else:
        f.append("OPF_PURE")
    if s.domain == "":
        if s.name in ELEMENTWISE:
            f.append("OPF_ELEMENTWISE")
        if s.name in COMMUTATIVE and s.since_version not in OLD_BROADCAST:
            f.append("OPF_COMMUTATIVE")
        if s.name in SHAPE_ONLY:
            f.append("OPF_SHAPE_ONLY")
    if any(a.type.name in ("GRAPH", "GRAPHS") for a in s.attributes.values()):
        f.append("OPF_SUBGRAPH")
    if s.deprecated:
        f.append("OPF_DEPRECATED")
    return " | ".join(f)


def type_key(c):
    # Columns are separated by blanks: "map(int64, float)" loses its own.
    return tuple(sorted(t.replace(", ", ",") for t in c.allowed_type_strs))


def type_sets(schemas):
    """Sets of four types and more that occur more than once, by first use."""
    count = {}
    for s in schemas:
        for c in s.type_constraints:
            key = type_key(c)
            count[key] = count.get(key, 0) + 1
    names = {}
    for key, n in count.items():
        if n > 1 and len(key) > 3:
            names[key] = f"TS{len(names) + 1}"
    return names


def wrap(parts, indent, width=78):
    lines, line = [], indent
    for p in parts:
        if len(line) + len(p) + 1 > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += p + " "
    lines.append(line.rstrip())
    return lines


def define(name, key):
    parts = [quote(("|" if i else "") + t) for i, t in enumerate(key)]
    lines = wrap(parts, "    ", 76)
    return f"#define {name} \\\n" + " \\\n".join(lines)


def constraints(s, names):
    out = []
    for i, c in enumerate(s.type_constraints):
        key = type_key(c)
        head = (" " if i else "") + c.type_param_str + "="
        if key in names:
            out += [quote(head), names[key]]
        else:
            out.append(quote(head + "|".join(key)))
    return out or ['""']


def version(s, names, ident):
    head = (f"VERSION({ident}, {s.since_version}, {flags(s)}, "
            f"{arity(s.min_input)}, {arity(s.max_input)}, "
            f"{arity(s.min_output)}, {arity(s.max_output)},")
    attrs = [attribute(s.attributes[k]) for k in sorted(s.attributes)]
    rows = [
        quote(" ".join(param(p) for p in s.inputs)) + ",",
        quote(" ".join(param(p) for p in s.outputs)) + ",",
        quote(" ".join(attrs)) + ",",
        " ".join(constraints(s, names)) + ")",
    ]
    return "\n".join([head] + ["    " + r for r in rows])


HEAD = """/* SPDX-License-Identifier: MIT */
/*
 * schema.def -- every version of every operator.
 *
 * Made by tools/genschema.py from the schemas of onnx %s; not edited by
 * hand.  ir.h (struct op) explains the columns.
 */
#ifndef OPERATOR
#define OPERATOR(id, domain, name)
#endif
#ifndef VERSION
#define VERSION(id, since, flags, in_min, in_max, out_min, out_max, in, out, \\
		attrs, constraints)
#endif

/* Type sets that more than one row uses. */
"""


def generate():
    schemas = [s for s in defs.get_all_schemas_with_history()
               if s.domain in DOMAINS]
    order = list(DOMAINS)
    schemas.sort(key=lambda s: (order.index(s.domain), s.name,
                                s.since_version))
    names = type_sets(schemas)
    out = [HEAD % onnx.__version__]
    out += [define(n, k) + "\n" for k, n in names.items()]
    last = None
    for s in schemas:
        dom, prefix = DOMAINS[s.domain]
        ident = prefix + s.name
        if ident != last:
            out.append(f"\nOPERATOR({ident}, {dom}, {quote(s.name)})\n")
            last = ident
        out.append(version(s, names, ident) + "\n")
    out.append('\n#include "ir/schema_ms.def"\n\n')
    out += [f"#undef {n}\n" for n in names.values()]
    out.append("#undef OPERATOR\n#undef VERSION\n")
    return "".join(out)


def main(args):
    check = "--check" in args
    files = [a for a in args if a != "--check"]
    path = Path(files[0] if files else
                Path(__file__).parent.parent / "ir" / "schema.def")
    text = generate()
    if check:
        if path.read_text() != text:
            print(f"{path}: differs from what genschema.py makes with onnx "
                  f"{onnx.__version__}", file=sys.stderr)
            return 1
        return 0
    path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
