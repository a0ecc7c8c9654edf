# SPDX-License-Identifier: MIT
"""usage: load.py PARE m.pare m.onnx: load times in milliseconds, best of 20."""
import json
import subprocess
import sys
import time

import onnxruntime as ort

pare, native, model = sys.argv[1:]
best_pare = best_ort = 1e9
for _ in range(20):
    text = subprocess.run([pare, "bench", native, "--runs", "1", "--warmup",
                           "0", "--json"], capture_output=True, check=True)
    best_pare = min(best_pare, json.loads(text.stdout)["models"][0]["load_s"])
    so = ort.SessionOptions()
    so.intra_op_num_threads = 1
    start = time.perf_counter()
    ort.InferenceSession(model, so, providers=["CPUExecutionProvider"])
    best_ort = min(best_ort, time.perf_counter() - start)
ratio = best_pare / best_ort
print(f"pare {1e3 * best_pare:.2f} ms, ONNX Runtime {1e3 * best_ort:.2f} ms, "
      f"ratio {ratio:.3f}")
print(f"{int(ratio < 0.1)} passed, {int(ratio >= 0.1)} failed")
