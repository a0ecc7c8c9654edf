#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the networks of nets.py as ONNX files, as PyTorch exports them.

usage: export.py DIRECTORY [NAME...]

With the TorchScript exporter for opsets 11, 13 and 17; with the one of
torch.export, too, where PyTorch is new enough to have it.  Weights come from
a fixed seed.  Files that exist are kept.
"""
import inspect
import os
import sys
import warnings

import torch

from nets import NETS

OPSETS = (11, 13, 17)
warnings.filterwarnings("ignore")


def script_export(net, model, args, path, opset):
    options = dict(input_names=net.names, output_names=net.outputs,
                   dynamic_axes=net.axes, opset_version=opset)
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    torch.onnx.export(model, args, path, **options)


def dynamo_export(net, model, args, path):
    shapes = []
    for name, a in zip(net.names, args):
        axes = net.axes.get(name, {})
        shapes.append({k: torch.export.Dim.DYNAMIC for k in axes} or None)
    star = any(p.kind == p.VAR_POSITIONAL for p in
               inspect.signature(model.forward).parameters.values())
    spec = (shapes[0], tuple(shapes[1:])) if star else tuple(shapes)
    torch.onnx.export(model, args, path, dynamo=True, dynamic_shapes=spec,
                      input_names=net.names, output_names=net.outputs,
                      external_data=False, verbose=False)


def export(name, folder):
    """Yields (path, error or None) per file."""
    net = NETS[name]
    jobs = [(f"{name}-op{o}.onnx", o) for o in OPSETS]
    if net.dynamo and hasattr(torch, "export") and \
            "dynamo" in inspect.signature(torch.onnx.export).parameters:
        jobs.append((f"{name}-dynamo.onnx", None))
    for file, opset in jobs:
        path = os.path.join(folder, file)
        if os.path.exists(path):
            continue
        torch.manual_seed(1)
        model = net.make().eval()
        args = net.inputs()
        part = path + ".part"
        try:
            if opset:
                script_export(net, model, args, part, opset)
            else:
                dynamo_export(net, model, args, part)
            os.replace(part, path)
            yield path, None
        except Exception as e:  # the exporter's own types vary
            yield path, str(e).strip().split("\n")[0][:150]


def main(folder, names):
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for name in names or NETS:
        for path, error in export(name, folder):
            failed += error is not None
            print(f"{path}: {error}" if error else path, flush=True)
    return failed != 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
