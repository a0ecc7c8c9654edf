#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generate base/lettercase.def from Python's copy of the Unicode data.

usage: gencase.py > base/lettercase.def

Simple case mappings, one character to one: runs of code points that move by
the same distance.  Where the full mapping has several characters, the title
case is the simple one, if it is a single character.
"""
import unicodedata


def upper(c):
    for t in (chr(c).upper(), chr(c).title()):
        if len(t) == 1:
            return ord(t)
    return c


def lower(c):
    t = chr(c).lower()
    # U+0130, capital I with a dot, is the one whose full mapping is longer.
    return ord(t) if len(t) == 1 else ord("i")


def runs(mapping):
    """[first, last, step, distance]"""
    out = []
    for c in range(0x110000):
        d = mapping(c) - c
        if d == 0 or 0xd800 <= c < 0xe000:
            continue
        if out and out[-1][3] == d:
            first, last, step, _ = out[-1]
            if c - last == step or first == last and c - last <= 2:
                out[-1][1:3] = c, c - last
                continue
        out.append([c, c, 1, d])
    return out


def main():
    print("/* SPDX-License-Identifier: MIT */")
    print("/*")
    print(" * lettercase.def -- simple case mappings of Unicode "
          f"{unicodedata.unidata_version},")
    print(" * made by tools/gencase.py: TO_UPPER(first, last, step, "
          "distance)")
    print(" */")
    for name, mapping in (("TO_UPPER", upper), ("TO_LOWER", lower)):
        for first, last, step, d in runs(mapping):
            print(f"{name}(0x{first:x}, 0x{last:x}, {step}, {d})")


if __name__ == "__main__":
    main()
