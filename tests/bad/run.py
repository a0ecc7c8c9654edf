#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that every hostile file ends in its message, soon and in little memory.

usage: run.py PARE [DIR]

Writes the files of gen.py into DIR (default: a temporary directory), runs
'PARE check' on each and compares the first diagnostic code with expect.txt.
"""
import os
import re
import subprocess
import sys
import tempfile

SECONDS, MIB = 1.0, 256
SLOW = os.environ.get('PARE_TEST_SLOW')  # a sanitizer build
HERE = os.path.dirname(os.path.abspath(__file__))


def check(pare, path):
    """Exit code, standard error, CPU seconds, peak MiB."""
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen([pare, 'check', path], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=err)
        _, status, use = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        text = err.read().decode('utf-8', 'replace')
    return (p.returncode, text, use.ru_utime + use.ru_stime,
            use.ru_maxrss / 1024)


def problem(want, code, text, seconds, mib):
    found = re.search(r'error\[(E-[a-z-]+)\]', text)
    if code not in (3, 4, 5):
        return 'exit code %d' % code
    if not found or found.group(1) != want:
        return 'expected %s, got: %s' % (want, text.strip()[:200])
    if seconds > SECONDS and not SLOW:
        return 'took %.1f s' % seconds
    if mib > MIB and not SLOW:
        return 'took %d MiB' % mib
    return None


def run(pare, directory):
    subprocess.run([sys.executable, os.path.join(HERE, 'gen.py'), directory],
                   check=True)
    with open(os.path.join(HERE, 'expect.txt')) as f:
        expect = dict(line.split() for line in f if line.strip())
    made = {n[:-5] for n in os.listdir(directory) if n.endswith('.onnx')}
    bad = ['%s: not in expect.txt' % n for n in sorted(made - set(expect))]
    for name, want in sorted(expect.items()):
        why = problem(want, *check(pare, os.path.join(directory,
                                                      name + '.onnx')))
        if why:
            bad.append('%s: %s' % (name, why))
    for line in bad:
        print('not ok', line)
    print('bad input: %d of %d as expected' %
          (len(expect) - len(bad), len(expect)))
    return 1 if bad else 0


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        sys.exit(run(*sys.argv[1:]))
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(run(sys.argv[1], os.path.join(directory, 'bad')))


if __name__ == '__main__':
    main()
