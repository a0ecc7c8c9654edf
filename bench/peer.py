# SPDX-License-Identifier: MIT
"""usage: peer.py PARE MODEL: pare optimize against onnxsim, best of 3."""
import os
import subprocess
import sys
import tempfile
import time


def measure(command):
    best, peak = 1e9, 0
    for _ in range(3):
        start = time.perf_counter()
        p = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        _, status, use = os.wait4(p.pid, 0)
        if status:
            sys.exit(f"failed: {command}")
        best = min(best, time.perf_counter() - start)
        peak = max(peak, use.ru_maxrss / 1024)
    return best, peak


pare, model = sys.argv[1:]
with tempfile.TemporaryDirectory() as d:
    out = os.path.join(d, "out.onnx")
    rows = {
        "pare": measure([pare, "optimize", model, "-o", out, "-q"]),
        "pare --no-check": measure([pare, "optimize", model, "-o", out, "-q",
                                    "--no-check"]),
        "onnxsim": measure([sys.executable, "-m", "onnxsim", model, out]),
    }
print(os.path.basename(model), os.path.getsize(model), "bytes")
for name, (seconds, mib) in rows.items():
    print(f"{name:16s} {seconds:7.3f} s {mib:7.1f} MiB")
time_ratio = rows["onnxsim"][0] / rows["pare"][0]
memory = rows["pare"][1] / rows["onnxsim"][1]
print(f"time ratio {time_ratio:.1f}, memory share {memory:.2f}")
ok = time_ratio >= 10 and memory <= 0.5
print(f"{int(ok)} passed, {int(not ok)} failed")
