# SPDX-License-Identifier: MIT
# Who may include whom.  usage: awk -f tools/layers.awk */*.[ch] */*/*.[ch]
# Prints violations and exits 1 if there are any.
BEGIN {
	may["base"] = "base"
	may["ir"] = "ir base"
	may["onnx"] = "onnx ir base"
	may["runtime"] = "runtime ir base"
	may["passes"] = "passes runtime ir base"
	may["quant"] = "quant passes runtime ir base"
	may["prune"] = "prune passes runtime ir base"
	may["native"] = "native runtime ir base"
	may["api"] = "api include native prune quant passes onnx runtime ir base"
	may["cli"] = "cli native prune quant passes onnx runtime ir base"
	may["include"] = ""
}
/^#include "/ {
	split(FILENAME, from, "/")
	split($2, part, "\"")
	target = part[2]
	if (!(from[1] in may) || target !~ /\//)
		next
	split(target, to, "/")
	if (!index(" " may[from[1]] " ", " " to[1] " ")) {
		printf "%s:%d: %s may not include %s\n", FILENAME, FNR, from[1], target
		bad = 1
	}
	if (target ~ /_p\.h$/ && to[1] != from[1]) {
		printf "%s:%d: %s is private to %s/\n", FILENAME, FNR, target, to[1]
		bad = 1
	}
}
END { exit bad }
