# SPDX-License-Identifier: MIT
"""Every hostile file and every diagnostic code, through the program.

expect.txt: `NAME CODE` per file that gen.py makes, raised by optimize or, for
rules that optimize does not insist on, by check; commands.txt: `CODE | shell
command` for codes that no model file triggers.  Each must end with the code's
exit status and its name on one line of standard error, leave no output file,
and stay under a second and 256 MiB (not checked for sanitizer builds).  A code
of base/diag.def that neither list names fails.
"""
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
PARE = os.environ.get("PARE", os.path.join(ROOT, "build/release/pare"))
ASAN = "/asan/" in PARE
EXIT = {"USAGE": 2, "NO": 1, "BAD_MODEL": 3, "BAD_IO": 4, "LIMIT": 5}


def codes():
    with open(os.path.join(ROOT, "base", "diag.def")) as f:
        return {name: EXIT[status] for name, status in
                re.findall(r'(?m)^DIAG\(\w+,\s*"(E-[\w-]+)",\s*(\w+)', f.read())}


def run(command, cwd):
    """Exit code, standard error, seconds, peak MiB."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL,
                             stderr=err, stdin=subprocess.DEVNULL)
        _, status, use = os.wait4(p.pid, 0)
        err.seek(0)
        text = re.sub(r"\x1b\[[0-9;]*m", "",
                      err.read().decode(errors="replace"))
    return (os.waitstatus_to_exitcode(status), text,
            time.monotonic() - start, use.ru_maxrss / 1024)


def verdict(code, want, got, text, seconds, mib):
    if got != want:
        return f"exit {got} instead of {want}: {text[:300]}"
    lines = [s for s in text.splitlines() if s.startswith("pare: error")]
    if not lines or f"[{code}]" not in lines[0]:
        return f"not {code}: {text[:300]}"
    if not ASAN and (seconds > 1 or mib > 256):
        return f"{seconds:.1f} s, {mib:.0f} MiB"
    return None


def cases(d):
    with open(os.path.join(HERE, "expect.txt")) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, code = line.split()
                yield name, code, [PARE, "optimize", f"{name}.onnx", "-o",
                                   "out.onnx"]
    with open(os.path.join(HERE, "commands.txt")) as f:
        for line in f:
            if "|" in line and not line.startswith("#"):
                code, command = line.split("|", 1)
                yield command.strip(), code.strip(), ["sh", "-c", command]


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ.update(PARE=PARE, DATA=os.path.join(ROOT, "testdata"))
    table, seen = codes(), set()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as d:
        subprocess.run([sys.executable, os.path.join(HERE, "gen.py"), d],
                       check=True)
        for name, code, command in cases(d):
            seen.add(code)
            got = run(command, d)
            out = os.path.join(d, "out.onnx")
            written = os.path.exists(out)
            if written:
                os.unlink(out)
            if written and got[0] == 0 and "optimize" in command:
                got = run([PARE, "check", f"{name}.onnx"], d)
                written = False
            why = verdict(code, table[code], *got)
            if written:
                why = "an output file was written"
            passed += why is None
            failed += why is not None
            if why:
                print("FAIL", name, why)
    for code in sorted(set(table) - seen):
        failed += 1
        print("FAIL no file or command triggers", code)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
