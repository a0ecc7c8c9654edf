/* SPDX-License-Identifier: MIT */
/*
 * regex_code.c -- the instructions of a regular expression.
 *
 * Jumps are relative, so a part that is repeated is copied as it stands.
 */
#include <string.h>

#include "runtime/kernels/text/regex_p.h"

bool regex_emit(struct regex *r, struct regex_inst in)
{
	if (r->code.n >= REGEX_MAX)
		return false;
	vec_push(&r->code, in);
	return true;
}

static void copy_code(struct regex *r, const struct regex_inst *part, size_t n)
{
	for (size_t i = 0; i < n; i++)
		vec_push(&r->code, part[i]);
}

/* What is from `start` on, min to max times (max < 0: any number). */
static void repeat_code(struct regex *r, size_t start,
			const struct regex_inst *part, int min, int max)
{
	int32_t len = (int32_t)(r->code.n - start);
	size_t n = (size_t)len;

	r->code.n = start;
	for (int i = 0; i < min; i++)
		copy_code(r, part, n);
	if (max < 0 && min > 0) { /* the last of them again */
		vec_push(&r->code, ((struct regex_inst){RX_SPLIT, 0, -len, 1}));
	} else if (max < 0) {
		vec_push(&r->code,
			 ((struct regex_inst){RX_SPLIT, 0, 1, len + 2}));
		copy_code(r, part, n);
		vec_push(&r->code,
			 ((struct regex_inst){RX_JUMP, 0, -len - 1, 0}));
	}
	for (int left = max - min; left > 0; left--) {
		vec_push(&r->code, ((struct regex_inst){RX_SPLIT, 0, 1,
							left * (len + 1)}));
		copy_code(r, part, n);
	}
}

bool regex_repeat(struct regex *r, size_t start, int min, int max)
{
	size_t n = r->code.n - start, times = (size_t)(max < 0 ? min + 1 : max);
	struct regex_inst *part;

	if (start + times * (n + 1) + 2 > REGEX_MAX)
		return false;
	part = xmalloc((n + 1) * sizeof *part);
	memcpy(part, r->code.p + start, n * sizeof *part);
	repeat_code(r, start, part, min, max);
	free(part);
	return true;
}

void regex_release(struct regex *r)
{
	vec_release(&r->code);
	vec_release(&r->classes);
	vec_release(&r->ranges);
}
