# SPDX-License-Identifier: MIT
"""usage: speed.py PARE DIR [--models A,B] [--threads 1,2] [--rounds N]
[--raw]: time per run, memory and time to the first result, as ratios against
ONNX Runtime in the same run.

Both take turns in short bursts, so that a busy moment of the machine hits
them alike.  ONNX Runtime gets the model as exported, with its default graph
optimizations; pare gets what `pare optimize` makes of it (--raw: the model
itself).
"""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

BURST = 0.3     # seconds of one turn
NPM = os.path.join("build", "npm", "**")
MODELS = {      # where it is, and its inputs: shapes or values
    "resnet50": ("resnet50.onnx", {"x": [1, 3, 224, 224]}),
    "mobilenet-v2": ("mobilenet-v2.onnx", {"x": [1, 3, 224, 224]}),
    "bert-6": ("bert-6.onnx", {"x": [1, 128, 768]}),
    "ocr-det": ("ch_PP-OCRv4_det_infer.onnx", {"x": [1, 3, 640, 640]}),
    "ocr-rec": ("ch_PP-OCRv4_rec_infer.onnx", {"x": [1, 3, 48, 320]}),
    "silero-v5": ("silero_vad_v5.onnx", {"input": [1, 512],
                                         "state": [2, 1, 128], "sr": 16000}),
    "blazeface": ("face_detection_back_256x256_barracuda.onnx",
                  {"input:0": [1, 256, 256, 3]}),
}


def find(directory, name):
    here = os.path.join(directory, name)
    if os.path.exists(here):
        return here
    there = glob.glob(os.path.join(NPM, name), recursive=True)
    return there[0] if there else None


def feeds(inputs):
    rng = np.random.default_rng(1)
    return {k: np.array(v) if isinstance(v, int) else
            rng.standard_normal(v).astype(np.float32) / 2
            for k, v in inputs.items()}


def session(path, threads):
    import onnxruntime as ort
    so = ort.SessionOptions()
    so.intra_op_num_threads = threads
    so.inter_op_num_threads = 1
    so.log_severity_level = 3
    return ort.InferenceSession(path, so, providers=["CPUExecutionProvider"])


class Pare:
    def __init__(self, exe, path, x, threads, directory):
        self.common = ["-q", "-j", str(threads)]
        for i, (name, value) in enumerate(x.items()):
            file = os.path.join(directory, f"{i}.npy")
            np.save(file, value)
            self.common += ["-i", f"{name}={file}"]
        self.exe, self.path = exe, path

    def burst(self, runs):
        out = subprocess.run([self.exe, "bench", self.path, "--json",
                              "--warmup", "2", "--runs", str(runs),
                              *self.common], check=True, capture_output=True)
        r = json.loads(out.stdout)["models"][0]
        return r["min_s"], r["median_s"]

    def first(self):
        """The whole process: seconds and peak bytes."""
        start = time.perf_counter()
        subprocess.run([self.exe, "run", self.path, *self.common], check=True,
                       stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        out = subprocess.run([self.exe, "bench", self.path, "--json",
                              "--warmup", "0", "--runs", "1", *self.common],
                             check=True, capture_output=True)
        return seconds, json.loads(out.stdout)["models"][0]["peak_bytes"]


class Peer:
    def __init__(self, path, x, threads):
        self.path, self.x, self.threads = path, x, threads
        self.s = session(path, threads)
        self.s.run(None, x)

    def burst(self, runs):
        t = []
        for k in range(runs + 2):
            start = time.perf_counter()
            self.s.run(None, self.x)
            t.append(time.perf_counter() - start)
        return min(t[2:]), statistics.median(t[2:])

    def first(self):
        """Session and first run in a process that has the library loaded:
        seconds, and bytes above what Python and the library took."""
        with tempfile.TemporaryDirectory() as d:
            file = os.path.join(d, "x.npz")
            np.savez(file, **self.x)
            out = subprocess.run([sys.executable, __file__, "--peer-first",
                                  self.path, file, str(self.threads)],
                                 check=True, capture_output=True)
        seconds, peak = out.stdout.split()
        return float(seconds), float(peak)


def resident(field):
    with open("/proc/self/status") as f:
        return next(1024 * int(line.split()[1]) for line in f
                    if line.startswith(field))


def peer_first(path, file, threads):
    import onnxruntime  # noqa: F401: its loading is not what is measured
    x = dict(np.load(file))
    base, start = resident("VmRSS"), time.perf_counter()
    session(path, int(threads)).run(None, x)
    print(time.perf_counter() - start, resident("VmHWM") - base)


def compare(a, name, path, mine, x, threads, directory):
    pare = Pare(a.pare, mine, x, threads, directory)
    peer = Peer(path, x, threads)
    runs = max(3, min(300, int(BURST / peer.burst(3)[0])))
    both = [(pare.burst(runs), peer.burst(runs)) for _ in range(a.rounds)]
    row = {"model": name, "threads": threads}
    for i, who in enumerate(("pare", "peer")):
        row[who + "_min"] = min(b[i][0] for b in both)
        row[who + "_median"] = statistics.median(b[i][1] for b in both)
    firsts = [(pare.first(), peer.first()) for _ in range(3)]
    for i, who in enumerate(("pare", "peer")):
        row[who + "_first"] = min(f[i][0] for f in firsts)
        row[who + "_bytes"] = min(f[i][1] for f in firsts)
    for who in ("pare", "peer"):
        row[who + "_start"] = max(row[who + "_first"] - row[who + "_min"],
                                  1e-4)
    return row


def ratio(row, what):
    return row["pare_" + what] / row["peer_" + what]


RATIOS = ("min", "median", "bytes", "first", "start")
HEAD = (f"{'model':14s}{'threads':>8s}{'pare ms':>10s}{'peer ms':>10s}"
        f"{'min':>8s}{'median':>8s}{'memory':>8s}{'first':>8s}{'start':>8s}")


def show(row):
    print(f"{row['model']:14s}{row['threads']:8d}"
          f"{1e3 * row['pare_min']:10.3f}{1e3 * row['peer_min']:10.3f}"
          + "".join(f"{ratio(row, k):8.2f}" for k in RATIOS), flush=True)


def peaks(directory):
    """Gflop/s of one core by instruction set."""
    out = subprocess.run([os.path.join(directory, "peak")], check=True,
                         capture_output=True, text=True).stdout
    return {k: float(v) for k, v in map(str.split, out.splitlines())}


def flops(exe, path):
    out = subprocess.run([exe, "info", path, "--json"], check=True,
                         capture_output=True)
    return 2e-9 * json.loads(out.stdout)["models"][0]["macs"]


def share(a, file, inputs, directory):
    """ResNet-50 as a share of the peak, burst by burst, both in turns."""
    path = os.path.join(directory, "m.onnx")
    work = flops(a.pare, path)
    for isa in peaks(a.dir):
        os.environ["PARE_CPU"] = isa
        pare = Pare(a.pare, path, feeds(inputs), 1, directory)
        turns = [(peaks(a.dir)[isa], work / pare.burst(3)[0])
                 for _ in range(a.rounds)]
        del os.environ["PARE_CPU"]
        peak, got = (max(t[i] for t in turns) for i in (0, 1))
        print(f"{'':14s}{isa}: {got:.1f} of {peak:.1f} Gflop/s at most, "
              f"{100 * got / peak:.0f} %; best turn "
              f"{100 * max(g / p for p, g in turns):.0f} %", flush=True)


def mean(rows, what):
    return float(np.exp(np.mean([np.log(ratio(r, what)) for r in rows])))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("pare")
    p.add_argument("dir")
    p.add_argument("--models", default=",".join(MODELS))
    p.add_argument("--threads", default="1,2")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--raw", action="store_true")
    a = p.parse_args()
    rows = []
    print(HEAD)
    for name in a.models.split(","):
        file, inputs = MODELS[name]
        path = find(a.dir, file)
        if not path:
            print(f"{name:14s} SKIP: {file} is not to be had")
            continue
        with tempfile.TemporaryDirectory() as d:
            mine = path if a.raw else os.path.join(d, "m.onnx")
            if not a.raw:
                subprocess.run([a.pare, "optimize", path, "-o", mine, "-q",
                                "--no-check"], check=True)
            for threads in map(int, a.threads.split(",")):
                rows.append(compare(a, name, path, mine, feeds(inputs),
                                    threads, d))
                show(rows[-1])
            if name == "resnet50":
                share(a, file, inputs, d)
    print("geometric mean".ljust(42) + "".join(
        f"{mean(rows, k):8.2f}" for k in RATIOS))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer-first"]:
        peer_first(*sys.argv[2:])
    else:
        main()
