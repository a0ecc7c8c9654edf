# SPDX-License-Identifier: MIT
"""Random models of one ai.onnx.ml operator each, judged by ONNX Runtime.

Every operator, type and mode that ONNX Runtime runs.  Weights are multiples
of 1/8, so that sums of scores are exact and labels do not hang on rounding.
Checked per model: `pare run` and, for every fourth, the result of `optimize
-O2`: not larger, and the same outputs.

Left out, since ONNX Runtime departs from the specification or does not say
what it computes: two classes with votes for both or with two base values,
PROBIT of a pair of scores, labels of a single class, several votes of a leaf
for one target, base values of targets without a vote, repeated keys, SOFTMAX
and LOGISTIC of TreeEnsemble (which it mixes up).

usage: ml.py [--count N] [--seed S] [--keep DIR] [OPERATOR]
"""
import argparse
import os
import shutil
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import Score, pare, session

POST = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"]
WORDS = ["a", "b", "cat", "dog", "é", "", "x y"]


class Case:
    """A node, its inputs by name and the types of its outputs."""

    def __init__(self, op, version, inputs, outputs, **attrs):
        self.op, self.version = op, version
        self.inputs, self.outputs = inputs, outputs
        self.attrs = {k: v for k, v in attrs.items() if v is not None}

    def model(self, ranks=None):
        """Without ranks of the outputs, the checker does not pass it."""
        outputs = self.outputs if ranks is None else [
            t if r is None else tensor(t.tensor_type.elem_type, r)
            for t, r in zip(self.outputs, ranks)]
        node = helper.make_node(self.op, list(self.inputs), [
            f"y{i}" for i in range(len(self.outputs))], domain="ai.onnx.ml",
            **self.attrs)
        graph = helper.make_graph(
            [node], "g",
            [helper.make_value_info(n, type_of(v))
             for n, v in self.inputs.items()],
            [helper.make_value_info(f"y{i}", t)
             for i, t in enumerate(outputs)])
        return helper.make_model(graph, ir_version=8, opset_imports=[
            helper.make_opsetid("", 18),
            helper.make_opsetid("ai.onnx.ml", self.version)])


def tensor(dtype, rank=None):
    return helper.make_tensor_type_proto(
        dtype, None if rank is None else [None] * rank)


FLOAT, INT64, STRING = (tensor(t) for t in (
    TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING))


def onnx_type(dtype):
    if dtype.kind in "OU":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(dtype)


def type_of(value):
    if isinstance(value, dict):
        k, v = next(iter(value.items()))
        key = TensorProto.STRING if isinstance(k, str) else TensorProto.INT64
        val = TensorProto.STRING if isinstance(v, str) else (
            TensorProto.FLOAT if isinstance(v, float) else TensorProto.INT64)
        return helper.make_map_type_proto(key, tensor(val, 0))
    return tensor(onnx_type(value.dtype), value.ndim)


# ---- data ----

def eighths(rng, shape, low=-16, high=17):
    return (rng.integers(low, high, shape) / 8).astype(np.float32)


def floats(rng, n):
    return [float(v) for v in eighths(rng, n)]


def words(rng, shape):
    return rng.choice(np.array(WORDS + ["other"], object), shape)


def rows(rng, types=(np.float32,), rank=None, nan=0.0):
    """[n, f] or [f] of one of the types."""
    f = int(rng.integers(1, 6))
    rank = rank or (2 if rng.random() < 0.8 else 1)
    shape = [int(rng.integers(1, 70)), f] if rank == 2 else [f]
    t = types[rng.integers(len(types))]
    x = rng.integers(-4, 5, shape).astype(t) \
        if np.issubdtype(t, np.integer) else eighths(rng, shape).astype(t)
    if nan and np.issubdtype(t, np.floating):
        x[rng.random(shape) < nan] = np.nan
    return x


NUMBERS = (np.float32, np.float64, np.int64, np.int32)


def labels(rng, n, ints="classlabels_ints"):
    """Attribute and output type."""
    if rng.random() < 0.5:
        return {ints: [int(v) for v in rng.permutation(50)[:n]]}, INT64
    return {"classlabels_strings": [f"c{v}" for v in range(n)]}, STRING


# ---- features and categories ----

def binarizer(rng):
    return Case("Binarizer", 1, {"x": rows(rng)}, [FLOAT],
                threshold=float(eighths(rng, ())))


def imputer(rng):
    x = rows(rng, (np.float32, np.int64), nan=0.2)
    n = x.shape[-1] if rng.random() < 0.5 else 1
    if x.dtype == np.int64:
        return Case("Imputer", 1, {"x": x}, [INT64], replaced_value_int64=2,
                    imputed_value_int64s=list(range(10, 10 + n)))
    missing = float("nan") if rng.random() < 0.5 else 0.5
    return Case("Imputer", 1, {"x": x}, [FLOAT], replaced_value_float=missing,
                imputed_value_floats=floats(rng, n))


def scaler(rng):
    x = rows(rng, NUMBERS)
    n = x.shape[-1] if rng.random() < 0.5 else 1
    return Case("Scaler", 1, {"x": x}, [FLOAT], offset=floats(rng, n),
                scale=floats(rng, n))


def normalizer(rng):
    return Case("Normalizer", 1, {"x": rows(rng, NUMBERS)}, [FLOAT],
                norm=str(rng.choice(["MAX", "L1", "L2"])))


def feature_vectorizer(rng):
    n, t = int(rng.integers(1, 5)), NUMBERS[rng.integers(4)]
    xs = {f"x{i}": eighths(rng, [n, int(rng.integers(1, 4))]).astype(t)
          for i in range(rng.integers(1, 4))}
    return Case("FeatureVectorizer", 1, xs, [FLOAT], inputdimensions=[
        max(1, x.shape[1] + int(rng.integers(-1, 2))) for x in xs.values()])


def array_feature_extractor(rng):
    x = rows(rng, NUMBERS)
    if rng.random() < 0.3:
        x = words(rng, x.shape)
    y = rng.integers(0, x.shape[-1], [1, int(rng.integers(1, 4))])
    return Case("ArrayFeatureExtractor", 1, {"x": x, "i": y},
                [tensor(onnx_type(x.dtype))])


def category_mapper(rng):
    ints = [int(v) for v in rng.permutation(20)[:len(WORDS)]]
    x = words(rng, [3, 4]) if rng.random() < 0.5 else \
        rng.integers(0, 20, [3, 4])
    return Case("CategoryMapper", 1, {"x": x},
                [INT64 if x.dtype.kind == "O" else STRING],
                cats_strings=WORDS, cats_int64s=ints, default_int64=-7,
                default_string="none")


LISTS = {"strings": (STRING, lambda rng: WORDS),
         "int64s": (INT64, lambda rng: [int(v) for v in
                                        rng.permutation(15)[:len(WORDS)]]),
         "floats": (FLOAT, lambda rng: [float(v) / 2 for v in
                                        rng.permutation(15)[:len(WORDS)]])}


def elements(rng, kind):
    if kind == "strings":
        return words(rng, [2, 9])
    x = rng.integers(0, 15, [2, 9])
    return x if kind == "int64s" else (x / 2).astype(np.float32)


def label_encoder(rng):
    version = int(rng.choice([1, 2, 4, 4]))
    if version == 1:
        x = words(rng, [5]) if rng.random() < 0.5 else rng.integers(-2, 9, [5])
        return Case("LabelEncoder", 1, {"x": x},
                    [INT64 if x.dtype.kind == "O" else STRING],
                    classes_strings=WORDS)
    if version == 4 and rng.random() < 0.5:
        return label_tensors(rng)
    k, v = (str(rng.choice(list(LISTS))) for _ in range(2))
    keys, x = LISTS[k][1](rng), elements(rng, k)
    if k == "floats" and version == 4:
        keys[0] = x[0, 0] = x[1, 3] = np.nan
    return Case("LabelEncoder", version, {"x": x}, [LISTS[v][0]],
                default_float=0.25, default_int64=-3, default_string="none",
                **{"keys_" + k: keys, "values_" + v: LISTS[v][1](rng)})


def label_tensors(rng):
    t = (np.int64, np.float64)[rng.integers(2)]
    keys = rng.permutation(15)[:6].astype(t)
    default = numpy_helper.from_array(np.array([77], t)) \
        if rng.random() < 0.5 else None
    return Case("LabelEncoder", 4, {"x": rng.integers(0, 15, [4, 3]).astype(t)},
                [tensor(onnx_type(np.dtype(t)))],
                keys_tensor=numpy_helper.from_array(keys),
                values_tensor=numpy_helper.from_array(keys[::-1].copy()),
                default_tensor=default)


def one_hot_encoder(rng):
    if rng.random() < 0.5:
        return Case("OneHotEncoder", 1, {"x": words(rng, [4, 2])}, [FLOAT],
                    cats_strings=WORDS)
    x = rows(rng, (np.float32, np.float64, np.int64))
    return Case("OneHotEncoder", 1, {"x": x}, [FLOAT],
                cats_int64s=[3, -1, 0, 1])


# ---- maps ----

def zip_map(rng):
    attrs, _ = labels(rng, 4, "classlabels_int64s")
    strings = "classlabels_strings" in attrs
    t = helper.make_sequence_type_proto(helper.make_map_type_proto(
        TensorProto.STRING if strings else TensorProto.INT64,
        tensor(TensorProto.FLOAT)))
    return Case("ZipMap", 1, {"x": eighths(rng, [int(rng.integers(1, 9)), 4])},
                [t], **attrs)


def some_map(rng, keys):
    n = int(rng.integers(1, len(keys)))
    return {k: v for k, v in zip(rng.permutation(np.array(keys, object))[:n],
                                 floats(rng, n))}


def dict_vectorizer(rng):
    if rng.random() < 0.5:
        return Case("DictVectorizer", 1, {"x": some_map(rng, WORDS)}, [FLOAT],
                    string_vocabulary=WORDS[::-1][:5])
    return Case("DictVectorizer", 1, {"x": some_map(rng, list(range(9)))},
                [FLOAT], int64_vocabulary=[1, 5, 3, 7])


def cast_map(rng):
    x = some_map(rng, list(range(9)))
    to = str(rng.choice(["TO_FLOAT", "TO_INT64", "TO_STRING"]))
    sparse = rng.random() < 0.5
    return Case("CastMap", 1, {"x": x},
                [{"TO_FLOAT": FLOAT, "TO_INT64": INT64,
                  "TO_STRING": STRING}[to]], cast_to=to,
                map_form="SPARSE" if sparse else "DENSE", max_map=9)


# ---- linear models and support vectors ----

def linear_classifier(rng):
    x = rows(rng, NUMBERS)
    k = int(rng.integers(1, 5))
    attrs, label = labels(rng, max(k, 2))
    return Case("LinearClassifier", 1, {"x": x}, [label, FLOAT],
                coefficients=floats(rng, k * x.shape[-1]),
                intercepts=floats(rng, k),
                post_transform=str(rng.choice(POST)), **attrs)


def linear_regressor(rng):
    x = rows(rng)
    k = int(rng.integers(1, 4))
    return Case("LinearRegressor", 1, {"x": x}, [FLOAT], targets=k,
                coefficients=floats(rng, k * x.shape[-1]),
                intercepts=floats(rng, k) if rng.random() < 0.7 else None,
                post_transform=str(rng.choice(POST)))


def kernel(rng):
    return {"kernel_type": str(rng.choice(["LINEAR", "POLY", "RBF",
                                           "SIGMOID"])),
            "kernel_params": [0.25, float(rng.integers(0, 2)),
                              float(rng.integers(1, 4))]}


def svm_regressor(rng):
    x = rows(rng)
    f, n = x.shape[-1], int(rng.integers(0, 6))
    return Case("SVMRegressor", 1, {"x": x}, [FLOAT], n_supports=n,
                coefficients=floats(rng, n or f), rho=[0.3],
                support_vectors=floats(rng, n * f) if n else None,
                one_class=int(rng.random() < 0.3), **kernel(rng))


def svm_classifier(rng):
    x = rows(rng, NUMBERS)
    f, k = x.shape[-1], int(rng.integers(2, 5))
    attrs, label = labels(rng, k)
    attrs.update(kernel(rng))
    if rng.random() < 0.25:
        return Case("SVMClassifier", 1, {"x": x}, [label, FLOAT],
                    coefficients=floats(rng, k * f), rho=[0.3] * k,
                    post_transform=str(rng.choice(POST)), **attrs)
    per, pairs = [int(v) for v in rng.integers(1, 4, k)], k * (k - 1) // 2
    n, post = sum(per), POST
    if rng.random() < 0.5:  # SOFTMAX_ZERO leaps at 1e-7
        post = POST[:3]
        attrs.update(prob_a=[-1 - v for v in map(abs, floats(rng, pairs))],
                     prob_b=floats(rng, pairs))
    return Case("SVMClassifier", 1, {"x": x}, [label, FLOAT],
                coefficients=floats(rng, (k - 1) * n), vectors_per_class=per,
                support_vectors=floats(rng, n * f),
                rho=[v + 0.01 for v in floats(rng, pairs)],
                post_transform=str(rng.choice(post)), **attrs)


# ---- trees ----

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ",
         "BRANCH_NEQ"]


class Forest:
    """Random trees as nested tuples: (mode, feature, split, missing, yes, no)
    or a leaf's list of (target, weight)."""

    def __init__(self, rng, features, targets, modes, missing=False, votes=1):
        self.rng, self.features, self.modes = rng, features, modes
        self.targets, self.missing, self.votes = targets, missing, votes
        self.trees = [self.grow(int(rng.integers(1, 6)))
                      for _ in range(rng.integers(1, 8))]

    def grow(self, depth):
        rng = self.rng
        if depth == 0 or rng.random() < 0.1:
            return [(int(t), float(eighths(rng, ())))
                    for t in rng.permutation(self.targets)[:self.votes]]
        return (int(rng.choice(self.modes)), int(rng.integers(self.features)),
                float(eighths(rng, ())),
                int(self.missing and rng.random() < 0.5),
                self.grow(depth - 1), self.grow(depth - 1))

    def old(self, prefix, tensors=None):
        """Attributes of TreeEnsembleClassifier and -Regressor."""
        node = {k: [] for k in ("treeids", "nodeids", "featureids", "modes",
                                "values", "truenodeids", "falsenodeids",
                                "missing_value_tracks_true")}
        vote = {k: [] for k in ("treeids", "nodeids", "ids", "weights")}
        for tree, root in enumerate(self.trees):
            pending, count = [(0, root)], 1
            while pending:
                at, n = pending.pop(0)
                leaf = isinstance(n, list)
                yes, no = (0, 0) if leaf else (count, count + 1)
                row = (tree, at) + ((0, "LEAF", 0.0) if leaf else
                                    (n[1], MODES[n[0]], n[2])) + (
                    yes, no, 0 if leaf else n[3])
                for k, v in zip(node, row):
                    node[k].append(v)
                if leaf:
                    for t, w in n:
                        for k, v in zip(vote, (tree, at, t, w)):
                            vote[k].append(v)
                else:
                    pending += [(yes, n[4]), (no, n[5])]
                    count += 2
        attrs = {"nodes_" + k: v for k, v in node.items()}
        attrs.update({f"{prefix}_{k}": v for k, v in vote.items()})
        if not self.missing:
            del attrs["nodes_missing_value_tracks_true"]
        if tensors:
            for k in ("nodes_values", prefix + "_weights"):
                attrs[k + "_as_tensor"] = numpy_helper.from_array(
                    np.array(attrs.pop(k), tensors))
        return attrs

    def new(self, dtype):
        """Attributes of TreeEnsemble."""
        names = ("featureids", "modes", "splits", "truenodeids",
                 "falsenodeids", "trueleafs", "falseleafs",
                 "missing_value_tracks_true")
        node, leaf, roots, sets = {k: [] for k in names}, [], [], []

        def add(n):
            if isinstance(n, list):
                leaf.append(n[0])
                return len(leaf) - 1
            at = len(node["modes"])
            for k in names:
                node[k].append(0)
            mode = n[0]
            if mode == 6:
                sets.append((at, [float(v) for v in self.rng.permutation(
                    9)[:self.rng.integers(1, 5)]]))
            values = (n[1], mode, n[2], add(n[4]), add(n[5]),
                      int(isinstance(n[4], list)), int(isinstance(n[5], list)),
                      n[3])
            for k, v in zip(names, values):
                node[k][at] = v
            return at

        for t in self.trees:
            roots.append(add(t))
        array = numpy_helper.from_array
        attrs = {"nodes_" + k: v for k, v in node.items()}
        attrs.update(
            tree_roots=roots, leaf_targetids=[t for t, _ in leaf],
            leaf_weights=array(np.array([w for _, w in leaf], dtype)),
            nodes_modes=array(np.array(node["modes"], np.uint8)),
            nodes_splits=array(np.array(node["splits"], dtype)))
        if sets:
            attrs["membership_values"] = array(np.array(
                [v for _, s in sorted(sets) for v in s + [np.nan]], dtype))
        return attrs


def some_modes(rng):
    return [int(rng.integers(6))] if rng.random() < 0.5 else list(range(6))


def tree_regressor(rng):
    missing = bool(rng.random() < 0.4)
    x = rows(rng, (np.float32, np.float64), rank=2,
             nan=0.2 if missing else 0)
    k = int(rng.integers(1, 4))
    version = int(rng.choice([1, 3]))
    f = Forest(rng, x.shape[-1], np.arange(k), some_modes(rng),
               missing, votes=k)
    double = version == 3 and x.dtype == np.float64 and rng.random() < 0.5
    base = floats(rng, k) if rng.random() < 0.5 else None
    return Case("TreeEnsembleRegressor", version, {"x": x}, [FLOAT],
                n_targets=k, base_values=base,
                aggregate_function=str(rng.choice(
                    ["SUM", "AVERAGE", "MIN", "MAX"])),
                post_transform=str(rng.choice(POST if k > 1 else ["NONE"])),
                **f.old("target", np.float64 if double else None))


def tree_classifier(rng):
    missing = bool(rng.random() < 0.4)
    x = rows(rng, NUMBERS, rank=2, nan=0.2 if missing else 0)
    k = int(rng.integers(2, 5))
    version = int(rng.choice([1, 3]))
    attrs, label = labels(rng, k, "classlabels_int64s")
    if k == 2:   # votes for one class decide
        f = Forest(rng, x.shape[-1], np.array([rng.integers(2)]),
                   some_modes(rng), missing)
        base = floats(rng, 1) if f.targets[0] == 0 and rng.random() < 0.4 \
            else None
    else:
        f = Forest(rng, x.shape[-1], np.arange(k), some_modes(rng),
                   missing, votes=k)
        base = floats(rng, k) if rng.random() < 0.5 else None
    double = version == 3 and x.dtype == np.float64 and rng.random() < 0.5
    return Case("TreeEnsembleClassifier", version, {"x": x}, [label, FLOAT],
                base_values=base, post_transform=str(rng.choice(POST)),
                **f.old("class", np.float64 if double else None), **attrs)


def tree_ensemble(rng):
    missing = bool(rng.random() < 0.4)
    dtype = (np.float32, np.float64)[rng.integers(2)]
    x = rows(rng, (dtype,), rank=2, nan=0.2 if missing else 0)
    if rng.random() < 0.5:
        x = np.round(x)
    k = int(rng.integers(1, 4))
    modes = some_modes(rng) + ([6] if rng.random() < 0.5 else [])
    f = Forest(rng, x.shape[-1], np.arange(k), modes, missing)
    f.trees = [t for t in f.trees if not isinstance(t, list)] or [
        (0, 0, 0.5, 0, [(0, 1.0)], [(0, 2.0)])]
    return Case("TreeEnsemble", 5, {"x": x}, [tensor(onnx_type(x.dtype))],
                n_targets=k, aggregate_function=int(rng.integers(4)),
                post_transform=int(rng.choice([0, 3])) if k > 1 else 0,
                **f.new(dtype))


MAKERS = [binarizer, imputer, scaler, normalizer, feature_vectorizer,
          array_feature_extractor, category_mapper, label_encoder,
          one_hot_encoder, zip_map, dict_vectorizer, cast_map,
          linear_classifier, linear_regressor, svm_regressor, svm_classifier,
          tree_regressor, tree_classifier, tree_ensemble, tree_ensemble,
          tree_classifier, tree_regressor, label_encoder, svm_classifier]


# ---- running ----

def write_value(path, value):
    """A file for `pare run --input`."""
    if isinstance(value, dict):
        m = onnx.MapProto()
        strings = isinstance(next(iter(value)), str)
        m.key_type = TensorProto.STRING if strings else TensorProto.INT64
        if strings:
            m.string_keys.extend(k.encode() for k in value)
        else:
            m.keys.extend(value)
        t = object if isinstance(next(iter(value.values())), str) \
            else np.float32
        m.values.elem_type = onnx.SequenceProto.TENSOR
        m.values.tensor_values.extend(
            numpy_helper.from_array(np.array(v, t)) for v in value.values())
        proto = m
    else:
        proto = numpy_helper.from_array(value)
    with open(path, "wb") as f:
        f.write(proto.SerializeToString())
    return path


def read_value(path, declared):
    with open(path, "rb") as f:
        data = f.read()
    if declared.WhichOneof("value") == "tensor_type":
        return numpy_helper.to_array(onnx.TensorProto.FromString(data))
    out = []
    for m in onnx.SequenceProto.FromString(data).map_values:
        keys = [k.decode() for k in m.string_keys] or list(m.keys)
        out.append(dict(zip(keys, (float(numpy_helper.to_array(t))
                                   for t in m.values.tensor_values))))
    return out


def run_pare(path, case, folder):
    args = ["run", path, "--output-dir", folder, "--format", "pb"]
    for i, (name, v) in enumerate(case.inputs.items()):
        f = write_value(os.path.join(folder, f"in{i}.pb"), v)
        args += ["--input", f"{name}={f}"]
    code, _, err = pare(*args)
    if code:
        return None, err
    return [read_value(os.path.join(folder, f"y{i}.pb"), t)
            for i, t in enumerate(case.outputs)], None


def run_ort(model, case):
    """model: a path or bytes."""
    return session(model).run(None, {
        n: {(k if isinstance(k, str) else int(k)): e for k, e in v.items()}
        if isinstance(v, dict) else v for n, v in case.inputs.items()})


def differs(got, want):
    """A reason, or None."""
    if isinstance(want, list):
        return None if got == want else "maps differ"
    want = np.asarray(want)
    if got.shape != want.shape:
        return f"shape {got.shape} instead of {want.shape}"
    if want.dtype.kind in "OU":
        return None if (got.astype(str) == want.astype(str)).all() \
            else "strings differ"
    if got.dtype != want.dtype:
        return f"{got.dtype} instead of {want.dtype}"
    if want.dtype.kind == "i":
        return None if np.array_equal(got, want) else "integers differ"
    if np.isnan(want).any():    # SOFTMAX_ZERO of zeros: 0/0
        want = np.where(np.isnan(want) & (got == 0.5), got, want)
    if np.allclose(got, want, rtol=2e-5, atol=2e-6, equal_nan=True):
        return None
    return f"off by {np.nanmax(np.abs(got - want)):.3g}"


def check_optimized(path, case, want):
    out = path + ".O2.onnx"
    code, _, err = pare("optimize", "-O2", "-q", path, "-o", out)
    if code:
        return f"optimize: {err}"
    onnx.checker.check_model(out)
    if os.path.getsize(out) > os.path.getsize(path):
        return "optimize: larger"
    found = [differs(np.asarray(g) if not isinstance(g, list) else g, w)
             for g, w in zip(run_ort(out, case), want)]
    return next((f"optimize: {f}" for f in found if f), None)


def check(path, case, folder, optimize):
    """A reason, or None."""
    want = run_ort(case.model().SerializeToString(), case)
    onnx.save(case.model([None if isinstance(w, list) else np.ndim(w)
                          for w in want]), path)
    got, err = run_pare(path, case, folder)
    if err:
        return err.strip()
    found = next((f for f in map(differs, got, want) if f), None)
    if found or not optimize:
        return found
    return check_optimized(path, case, want)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--count", type=int, default=192)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--keep")
    ap.add_argument("operator", nargs="?", default="")
    a = ap.parse_args()
    score = Score()
    makers = [m for m in MAKERS if a.operator in m.__name__]
    with tempfile.TemporaryDirectory() as folder:
        for i in range(a.count):
            make = makers[i % len(makers)]
            case = make(np.random.default_rng([a.seed, i]))
            path = os.path.join(folder, "m.onnx")
            why = check(path, case, folder, i // len(makers) % 4 == 0)
            name = f"{make.__name__} {i}"
            if not score.check(why is None, f"{name}: {why}") and a.keep:
                os.makedirs(a.keep, exist_ok=True)
                shutil.copy(path, os.path.join(
                    a.keep, f"{make.__name__}-{i}.onnx"))
    score.finish()


if __name__ == "__main__":
    main()
