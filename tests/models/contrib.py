# SPDX-License-Identifier: MIT
"""ONNX Runtime's own operators (domain com.microsoft) against ONNX Runtime.

usage: contrib.py [-v] [FILTER] [--count N] [--seed SEED]

Random nodes of contrib_cases.py, each run by ONNX Runtime alone; those that it
accepts are put together into one model per family, which pare runs with both
kernel sets.  The model declares the shapes that came out, so that a wrong
shape function shows too.
"""
import argparse
import os
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

import contrib_cases
from common import Score, difference, file_name, pare

OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]


def tensor(name, value):
    """An array, or a TensorProto for types that NumPy lacks."""
    if isinstance(value, TensorProto):
        t = TensorProto()
        t.CopyFrom(value)
        t.name = name
        return t
    return numpy_helper.from_array(value, name)


def parts(case, prefix, rng):
    """Node, initializers, graph inputs, values of the inputs."""
    names, inits, infos, feed = [], [], [], {}
    for k, value in enumerate(case.inputs):
        name = "" if value is None else f"{prefix}i{k}"
        names.append(name)
        if value is None:
            continue
        fixed = isinstance(value, TensorProto) or k in case.fixed
        if fixed or rng.integers(2):
            inits.append(tensor(name, value))
        else:
            t = helper.np_dtype_to_tensor_dtype(value.dtype)
            infos.append(helper.make_tensor_value_info(name, t, value.shape))
            feed[name] = value
    outs = [f"{prefix}o{k}" if k in case.outputs else ""
            for k in range(max(case.outputs) + 1)]
    node = helper.make_node(case.op, names, outs, domain=case.domain,
                            name=prefix + case.op, **case.attrs)
    return node, inits, infos, feed


def model(nodes, inits, infos, outs):
    graph = helper.make_graph(nodes, "contrib", infos, outs, inits)
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=10)


class Built:
    """A case with what ONNX Runtime makes of it, or why it refuses."""

    def __init__(self, case, index, rng):
        self.case = case
        self.name = f"{case.family} {index} {case.op} {case.attrs} " + str(
            [None if i is None else
             (i.dims if isinstance(i, TensorProto) else
              f"{i.dtype}{i.shape}") for i in case.inputs])
        self.node, self.inits, self.infos, self.feed = parts(
            case, f"c{index}_", rng)
        outs = [onnx.ValueInfoProto(name=n) for n in self.node.output if n]
        proto = model([self.node], self.inits, self.infos, outs)
        so = ort.SessionOptions()
        so.graph_optimization_level = \
            ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        so.log_severity_level = 4
        so.intra_op_num_threads = 1
        self.error = None
        try:
            if case.expected is not None:
                self.want = case.expected
            else:
                s = ort.InferenceSession(proto.SerializeToString(), so,
                                         providers=["CPUExecutionProvider"])
                self.want = s.run(None, self.feed)
        except Exception as e:  # its exceptions have no common base
            self.error = str(e)
            return
        self.outs = [
            helper.make_tensor_value_info(
                n, helper.np_dtype_to_tensor_dtype(w.dtype), w.shape)
            for n, w in zip((n for n in self.node.output if n), self.want)]


def run(built, options):
    """Outputs by name of all cases as one model; or the error text."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "m.onnx")
        onnx.save(model([b.node for b in built],
                        sum((b.inits for b in built), []),
                        sum((b.infos for b in built), []),
                        sum((b.outs for b in built), [])), path)
        args = ["run", path, "--output-dir", d, *options]
        feed = {k: v for b in built for k, v in b.feed.items()}
        if feed:
            np.savez(os.path.join(d, "in.npz"), **feed)
            args += ["--input", os.path.join(d, "in.npz")]
        code, _, err = pare(*args)
        if code:
            return None, err
        out = {}
        for b in built:
            for o in b.outs:
                f = os.path.join(d, file_name(o.name))
                if os.path.exists(f + ".npy"):
                    out[o.name] = np.load(f + ".npy")
                else:
                    t = onnx.load_tensor(f + ".pb")
                    out[o.name] = numpy_helper.to_array(t)
        return out, None


def judge(score, b, got, what):
    for o, want in zip(b.outs, b.want):
        g = got[o.name]
        if b.case.mask is not None:
            g, want = b.case.mask(o.name, g, want)
        if b.case.steps and g.shape == want.shape and g.dtype == want.dtype:
            d = np.abs(g.astype(np.int64) - want.astype(np.int64))
            score.check(d.size == 0 or d.max() <= b.case.steps,
                        f"{b.name}: {what}: {d.max()} steps off")
            continue
        d = difference(g, want)
        score.check(not isinstance(d, str) and d <= b.case.tolerance,
                    f"{b.name}: {what}: output {o.name}: {d}")


def family(score, cases, rng, verbose):
    built = [Built(c, k, rng) for k, c in enumerate(cases)]
    refused = [b for b in built if b.error]
    for b in refused:
        score.check(b.case.may_refuse, f"{b.name}: ONNX Runtime: {b.error}")
    if verbose:
        for e in sorted({b.error for b in refused}):
            print("  ", e.replace("\n", " ")[-200:])
        print(f"{cases[0].family}: {len(built)} cases, "
              f"{len(refused)} refused by ONNX Runtime")
    built = [b for b in built if not b.error]
    for what, options in (("fast", ()), ("reference", ("--reference",))):
        got, err = run(built, options) if built else ({}, None)
        for b in built:
            one = got
            if got is None:
                one, err = run([b], options)
            if score.check(one is not None, f"{b.name}: {what}: {err}"):
                judge(score, b, one, what)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("-v", action="store_true")
    p.add_argument("filter", nargs="?", default="")
    p.add_argument("--count", type=int, default=6)
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()
    score = Score()
    for name, make in sorted(contrib_cases.FAMILIES.items()):
        if o.filter not in name:
            continue
        rng = np.random.default_rng([o.seed, *name.encode()])
        cases = [c for _ in range(o.count) for c in make(rng)]
        for c in cases:
            c.family = name
        family(score, cases, rng, o.v)
    score.finish()


if __name__ == "__main__":
    main()
