/* SPDX-License-Identifier: MIT */
/*
 * t_genrw.c -- the rule compiler stops at the line of each mistake.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

/* What genrw says about a rules file; its exit status in *code. */
static void compile(const char *rules, char *out, size_t cap, int *code)
{
	char name[] = "/tmp/genrw-XXXXXX", cmd[256];
	int fd = mkstemp(name);
	size_t n;
	FILE *f;

	cr_assert(fd >= 0);
	cr_assert(write(fd, rules, strlen(rules)) == (ssize_t)strlen(rules));
	close(fd);
	snprintf(cmd, sizeof cmd,
		 "build/host/genrw passes/guards.def %s 2>&1 >/dev/null", name);
	f = popen(cmd, "r");
	cr_assert(f != NULL);
	n = fread(out, 1, cap - 1, f);
	out[n] = '\0';
	*code = pclose(f);
	unlink(name);
}

Test(genrw, mistakes_are_reported_with_their_line)
{
	static const struct {
		const char *rules, *message;
	} bad[] = {
		{"; c\n(rule a exact \"s\"\n (Relu x)\n q)",
		 ":4: error: 'q' is not bound by the pattern"},
		{"; c\n(rule a exact \"s\" (Relu x) (when (nosuch x)) x)",
		 ":2: error: no guard 'nosuch' in guards.def"},
		{"; c\n(rule a exact \"s\" (Relu x) (when (float x x)) x)",
		 ":2: error: 'float' takes 1 arguments"},
		{"; c\n(rule a exact \"s\" (Relu x) (nosuch x))",
		 ":2: error: 'nosuch' is not in guards.def"},
		{"; c\n(rule a exact \"s\" (Relu x)\n (when (inference x)) x)",
		 ":3: error: 'x' is not the name of a node"},
		{"; c\n(rule a exact \"s\" (Relu x) (when (rank-is x y)) x)",
		 ":2: error: 'rank-is' wants a number here"},
		{"; c\n(rule a exact \"s\" (relu x) x)",
		 ":2: error: 'relu' is no operator"},
		{"; c\n(rule a fast \"s\" (Relu x) x)",
		 ":2: error: class 'fast' is not exact, round or fast-math"},
		{"; c\n(rule a exact \"s\" (Relu x:big) x)",
		 ":2: error: unknown suffix ':big'"},
		{"; c\n(rule a exact \"s\" (Relu:c x) x)",
		 ":2: error: ':c' needs two inputs"},
		{"; c\n(rule a exact \"s\" (Neg (Add? (Relu x) (Relu y))) x)",
		 ":2: error: an operator that may be missing"},
		{"; c\n(rule a exact \"s\" (Relu x) (let x 1) x)",
		 ":2: error: 'x' is bound twice"},
		{"; c\n(rule a exact \"s\" (Relu x) (what x) x)",
		 ":2: error: unknown clause 'what'"},
		{"; c\n(rule a exact \"s\" (Relu x=y) x)",
		 ":2: error: 'y' is no number"},
		{"; c\n(rule a exact (Relu x) x)",
		 ":2: error: expected (rule NAME CLASS"},
		{"(rule a exact \"s\" (Relu x) x)",
		 ":1: error: rule 'a' has no comment above it"},
		{"; c\n(rule a exact \"s\" (Relu x) x)\n; c\n"
		 "(rule a exact \"s\" (Relu x) x)",
		 ":4: error: rule 'a' exists already"},
		{"; c\n(rule a exact \"s\" (Relu x)", "is never closed"},
		{"; c\n(rule a exact \"s (Relu x) x)\n",
		 ":2: error: a string ends with its line"},
		{"; c\n)", ":2: error: ')' without '('"},
		{"; c\n(rule a exact \"s\" (Relu (Relu (Relu (Relu (Relu (Relu "
		 "(Relu (Relu (Relu (Relu (Relu (Relu (Relu x))))))))))))) x)",
		 "nested too deeply"},
	};

	if (access("build/host/genrw", X_OK) != 0)
		cr_skip_test("build/host/genrw is not there");
	for (size_t i = 0; i < countof(bad); i++) {
		char out[1024];
		int code;

		compile(bad[i].rules, out, sizeof out, &code);
		cr_expect(code != 0, "accepted: %s", bad[i].rules);
		cr_expect(strstr(out, bad[i].message) != NULL,
			  "rules: %s\nwant: %s\ngot: %s", bad[i].rules,
			  bad[i].message, out);
	}
}

Test(genrw, a_good_rule_compiles)
{
	char out[1024];
	int code;

	if (access("build/host/genrw", X_OK) != 0)
		cr_skip_test("build/host/genrw is not there");
	compile("; identity\n(rule a round canon \"s\"\n"
		" (for F Relu Abs)\n"
		" (Add:c @y! (F! @n x) c:const? z=0 _)\n",
		out, sizeof out, &code);
	cr_expect(code != 0);
	compile("; identity\n(rule a round canon \"s\"\n"
		" (for F Relu Abs)\n (Add:c @y (F! @n x) c:const)\n"
		" (when (float x) (at-most (element c) 3))\n"
		" (let k (Neg c))\n"
		" (Gemm (attrs n) (set alpha 2.5) (set mode \"x\") x\n"
		"  (if c (Mul k -1e-3) none) (or c 0)))\n",
		out, sizeof out, &code);
	cr_expect(code == 0, "%s", out);
}
