#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generate ir/schema_ms.def from the schemas of the `onnxruntime` package.

usage: genschema_ms.py [--check] [FILE]

As genschema.py, for the operators that ONNX Runtime adds: the domain
com.microsoft, and what it writes into the domain ai.onnx.
"""
import sys
from pathlib import Path
from types import SimpleNamespace

import onnx
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

import genschema

genschema.DOMAINS = {"": ("DOM_ORT", "ort_"), "com.microsoft": ("DOM_MS", "ms_")}
genschema.ELEMENTWISE |= {"QuickGelu"}
genschema.RANDOM |= {"BiasDropout", "BitmaskBiasDropout", "BitmaskDropout",
                     "Sampling", "TorchEmbedding"}
# What it writes into the domain ai.onnx, whatever the opset: (name, version).
IN_ONNX = {("LayerNormalization", 1), ("SimplifiedLayerNormalization", 1)}

HEAD = """/* SPDX-License-Identifier: MIT */
/*
 * schema_ms.def -- the operators that ONNX Runtime adds; columns as in
 * schema.def, which includes this file.
 *
 * Made by tools/genschema_ms.py from the schemas of onnxruntime %s; not
 * edited by hand.  These schemas gain optional attributes without a new
 * version, so that an attribute missing here is no error.  Operators of
 * DOM_ORT stand in the domain ai.onnx, where ONNX has no such operator at that
 * version.
 */

/* Type sets that more than one row uses. */
"""


def plain(schema):
    """ONNX Runtime's schema object in the shape of the onnx package's."""
    def formal(p):
        return SimpleNamespace(name=p.name, option=p.option,
                               is_homogeneous=p.isHomogeneous,
                               type_str=p.typeStr.replace(", ", ","))

    def attribute(a):
        proto = onnx.AttributeProto()
        proto.ParseFromString(a._default_value)
        return SimpleNamespace(name=a.name, type=a.type, required=a.required,
                               default_value=proto)

    return SimpleNamespace(
        name=schema.name, domain=schema.domain,
        since_version=schema.since_version, deprecated=schema.deprecated,
        min_input=schema.min_input, max_input=schema.max_input,
        min_output=schema.min_output, max_output=schema.max_output,
        inputs=[formal(p) for p in schema.inputs],
        outputs=[formal(p) for p in schema.outputs],
        attributes={k: attribute(a) for k, a in schema.attributes.items()},
        type_constraints=[
            SimpleNamespace(type_param_str=c.type_param_str,
                            allowed_type_strs=c.allowed_type_strs)
            for c in schema.type_constraints])


def generate():
    schemas = [plain(s) for s in state.get_all_operator_schema()
               if s.domain == "com.microsoft" or
               s.domain == "" and (s.name, s.since_version) in IN_ONNX]
    schemas.sort(key=lambda s: (s.domain, s.name, s.since_version))
    names = {k: f"TM{n[2:]}" for k, n in genschema.type_sets(schemas).items()}
    out = [HEAD % onnxruntime.__version__]
    out += [genschema.define(n, k) + "\n" for k, n in names.items()]
    for s in schemas:
        dom, prefix = genschema.DOMAINS[s.domain]
        ident = prefix + s.name
        out.append(f"\nOPERATOR({ident}, {dom}, "
                   f"{genschema.quote(s.name)})\n")
        out.append(genschema.version(s, names, ident) + "\n")
    out.append("\n")
    out += [f"#undef {n}\n" for n in names.values()]
    return "".join(out)


def main(args):
    check = "--check" in args
    files = [a for a in args if a != "--check"]
    path = Path(files[0] if files else
                Path(__file__).parent.parent / "ir" / "schema_ms.def")
    text = generate()
    if check and path.read_text() != text:
        print(f"{path}: differs from what genschema_ms.py makes with "
              f"onnxruntime {onnxruntime.__version__}", file=sys.stderr)
        return 1
    if not check:
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
