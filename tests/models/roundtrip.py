#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read and write models without a pass: the bytes must not change.

usage: roundtrip.py PARE FILE-OR-DIRECTORY...

Runs 'PARE optimize -O0 --no-check IN -o OUT' on every .onnx file and compares
IN with OUT.  Prints each difference and the counts; exits 1 if there is one.
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile


def models(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for root, _, names in os.walk(path):
            for name in names:
                if name.endswith('.onnx'):
                    yield os.path.join(root, name)


def first_difference(a, b):
    n = min(len(a), len(b))
    return next((i for i in range(n) if a[i] != b[i]), n)


def check(pare, path, out):
    """None if the bytes are the same, else what is wrong."""
    p = subprocess.run([pare, 'optimize', '-q', '-O0', '--no-check', path,
                        '-o', out], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if p.returncode:
        return 'exit %d: %s' % (p.returncode,
                                p.stderr.decode('utf-8', 'replace').strip())
    with open(path, 'rb') as f, open(out, 'rb') as g:
        a, b = f.read(), g.read()
    os.unlink(out)
    if a == b:
        return None
    return 'differs from byte %d on' % first_difference(a, b)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    pare, files = sys.argv[1], sorted(set(models(sys.argv[2:])))
    with tempfile.TemporaryDirectory() as tmp, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(check, pare, f, os.path.join(tmp, '%d.onnx' % i))
                for i, f in enumerate(files)]
        bad = [(f, j.result()) for f, j in zip(files, jobs) if j.result()]
    for name, why in bad:
        print('not ok %s: %s' % (name, why))
    print('round trip: %d of %d models byte-identical' %
          (len(files) - len(bad), len(files)))
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
