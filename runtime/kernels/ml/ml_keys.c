/* SPDX-License-Identifier: MIT */
/*
 * ml_keys.c -- tables from the elements of an attribute to their places.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/kernels/ml/ml_p.h"

/* ---- comparison ---- */

static uint64_t of_float(double v)
{
	uint64_t u;

	if (v != v)
		return UINT64_MAX;
	v += 0.0; /* -0 */
	memcpy(&u, &v, sizeof u);
	return u;
}

/* In order of the numbers. */
static uint64_t of_int(int64_t v)
{
	return (uint64_t)v ^ UINT64_C(1) << 63;
}

static uint64_t of_number(enum dtype dt, const void *p, size_t i)
{
	return dtype_is_float(dt) ? of_float(dtype_get(dt, p, i))
				  : of_int(dtype_get_int(dt, p, i));
}

static int by_string(const void *a, const void *b)
{
	const struct ml_key *x = a, *y = b;
	int order = str_cmp(x->s, y->s);

	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static int by_number(const void *a, const void *b)
{
	const struct ml_key *x = a, *y = b;

	if (x->u != y->u)
		return x->u < y->u ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* ---- building ---- */

bool ml_keys_bytes(size_t n, size_t *bytes)
{
	return mul_size(n, sizeof(struct ml_key), bytes) &&
	       add_size(*bytes, sizeof(struct ml_keys), bytes);
}

void ml_keys_fill(struct ml_keys *k, const struct ml_list *l)
{
	bool strings = l->dt == DT_STRING;

	k->dt = l->dt;
	k->n = l->n;
	for (size_t i = 0; i < l->n; i++) {
		k->key[i] = (struct ml_key){.at = i};
		if (strings)
			k->key[i].s = l->s[i];
		else
			k->key[i].u = of_number(l->dt, l->p, i);
	}
	if (l->n)
		qsort(k->key, l->n, sizeof k->key[0],
		      strings ? by_string : by_number);
}

struct ml_keys *ml_keys_make(struct kcall *c, const struct ml_list *l)
{
	struct ml_keys *k;
	size_t bytes;

	if (!ml_keys_bytes(l->n, &bytes)) {
		kcall_error(c, E_memory, "a table of %zu keys", l->n);
		return NULL;
	}
	k = kcall_scratch_dirty(c, bytes);
	if (k)
		ml_keys_fill(k, l);
	return k;
}

static bool same_key(const struct ml_keys *k, const struct ml_key *a,
		     const struct ml_key *b)
{
	return k->dt == DT_STRING ? str_eq(a->s, b->s) : a->u == b->u;
}

bool ml_keys_unique(const struct ml_keys *k)
{
	for (size_t i = 1; i < k->n; i++)
		if (same_key(k, &k->key[i - 1], &k->key[i]))
			return false;
	return true;
}

/* ---- looking up ---- */

/* The last entry not above x. */
static int64_t find(const struct ml_keys *k, struct ml_key x)
{
	int (*order)(const void *, const void *) =
		k->dt == DT_STRING ? by_string : by_number;
	size_t lo = 0, hi = k->n;

	x.at = SIZE_MAX;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (order(&k->key[mid], &x) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || !same_key(k, &k->key[lo - 1], &x))
		return -1;
	return (int64_t)k->key[lo - 1].at;
}

int64_t ml_find(const struct ml_keys *k, const struct ml_list *l, size_t i)
{
	struct ml_key x = {.at = 0};

	if (k->dt == DT_STRING)
		x.s = l->s[i];
	else
		x.u = of_number(l->dt, l->p, i);
	return find(k, x);
}

int64_t ml_find_int(const struct ml_keys *k, int64_t v)
{
	return find(k, (struct ml_key){.u = of_int(v)});
}
