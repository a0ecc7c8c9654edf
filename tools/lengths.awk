# SPDX-License-Identifier: MIT
# Functions over 60 lines and files over 600.
FNR == 1 { if (last && n > 600) { print last ": " n " lines"; bad = 1 } start = 0 }
/^\{/ { start = FNR }
/^\}/ {
	if (start && FNR - start > 61) {
		printf "%s:%d: function of %d lines\n", FILENAME, start, FNR - start - 1
		bad = 1
	}
	start = 0
}
{ last = FILENAME; n = FNR }
END { if (n > 600) { print last ": " n " lines"; bad = 1 } exit bad }
