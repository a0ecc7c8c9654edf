/* SPDX-License-Identifier: MIT */
/*
 * lettercase.c -- case mappings from a table of runs, found by bisection.
 */
#include "base/lettercase.h"

struct run {
	uint32_t first, last, step;
	int32_t distance;
};

static const struct run to_upper[] = {
#define TO_UPPER(first, last, step, distance) {first, last, step, distance},
#define TO_LOWER(first, last, step, distance)
#include "base/lettercase.def"
#undef TO_UPPER
#undef TO_LOWER
};

static const struct run to_lower[] = {
#define TO_UPPER(first, last, step, distance)
#define TO_LOWER(first, last, step, distance) {first, last, step, distance},
#include "base/lettercase.def"
#undef TO_UPPER
#undef TO_LOWER
};

/* Number of the first run that does not end before c. */
static size_t find(const struct run *r, size_t n, uint32_t c)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r[mid].last < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t map(const struct run *r, size_t n, uint32_t c)
{
	size_t i = find(r, n, c);

	if (i == n || c < r[i].first || (c - r[i].first) % r[i].step)
		return c;
	return (uint32_t)((int64_t)c + r[i].distance);
}

static uint32_t next(const struct run *r, size_t n, uint32_t c)
{
	size_t i = find(r, n, c);
	uint32_t past;

	if (i == n)
		return UINT32_MAX;
	if (c <= r[i].first)
		return r[i].first;
	past = (c - r[i].first) % r[i].step;
	return past ? c + r[i].step - past : c;
}

uint32_t case_upper(uint32_t c)
{
	return map(to_upper, countof(to_upper), c);
}

uint32_t case_lower(uint32_t c)
{
	return map(to_lower, countof(to_lower), c);
}

uint32_t case_fold(uint32_t c)
{
	if (c == 0x130 || c == 0x131)
		return c;
	return case_lower(case_upper(c));
}

uint32_t case_next(uint32_t c)
{
	uint32_t u = next(to_upper, countof(to_upper), c);
	uint32_t l = next(to_lower, countof(to_lower), c);
	uint32_t least = u < l ? u : l;

	return least == UINT32_MAX ? 0 : least;
}
