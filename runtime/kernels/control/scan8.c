/* SPDX-License-Identifier: MIT */
/*
 * scan8.c -- Scan of version 8: every entry of a batch is scanned on its own.
 *
 * All inputs and outputs lead with the batch axis; scanned ones have the
 * sequence second.  sequence_lens shortens an entry; the rest of its outputs
 * is zero.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/kernels/shared/move_p.h"

struct scan8 {
	struct graph *g;
	uint32_t nstate, nscan, nout; /* states, scanned inputs, outputs */
	struct array **x;             /* states, then scanned inputs */
	struct array **in, **out;
	int64_t batch, len;
};

/* x[b] or x[b, t], copied. */
static struct array *pick(struct kcall *c, const struct array *x, int lead,
			  int64_t at)
{
	struct array *y =
		array_create(c->d, x->dt, x->rank - lead, x->dim + lead);
	struct elems in, out;

	if (!y || elems_in(c, x, &in) || elems_out(c, y, &out)) {
		array_unref(y);
		return NULL;
	}
	memcpy(out.p, in.p + (size_t)(at * y->n) * in.size,
	       (size_t)y->n * in.size);
	elems_done(&out);
	if (array_own_strings(c->d, y)) {
		array_unref(y);
		return NULL;
	}
	return y;
}

/* a's elements as part `at` of y, which takes over copies of strings. */
static enum status store(struct kcall *c, struct array *y,
			 const struct array *a, int64_t at)
{
	uint8_t *to = (uint8_t *)y->data + (size_t)at * a->bytes;
	struct array *own;

	if (a->dt != DT_STRING) {
		memcpy(to, a->data, a->bytes);
		return OK;
	}
	own = array_copy(c->d, a);
	if (!own)
		return LIMIT;
	memcpy(to, own->data, own->bytes);
	own->owns_strings = false;
	y->owns_strings = true;
	array_unref(own);
	return OK;
}

/* Stores a as entry `at` of output i, which is made with the first. */
static enum status put(struct kcall *c, uint32_t i, const struct array *a,
		       int lead, const int64_t *front, int64_t at)
{
	int64_t dim[KERNEL_MAX_RANK];
	struct array *y = c->out[i];

	if (!a || a->kind != ARR_TENSOR ||
	    (a->dt != DT_STRING && dtype_bits(a->dt) < 8))
		return kcall_error(c, E_unsupported, "output %u is no tensor",
				   i);
	if (a->rank + lead > KERNEL_MAX_RANK)
		return move_rank(c, KERNEL_MAX_RANK + 1);
	if (!y) {
		memcpy(dim, front, (size_t)lead * sizeof *dim);
		memcpy(dim + lead, a->dim, (size_t)a->rank * sizeof *dim);
		y = kcall_out(c, i, a->dt, a->rank + lead, dim);
		if (!y)
			return LIMIT;
		if (y->bytes)
			memset(y->data, 0, y->bytes);
	}
	if (y->dt != a->dt || y->rank != a->rank + lead ||
	    memcmp(y->dim + lead, a->dim, (size_t)a->rank * sizeof *dim))
		return kcall_error(c, E_shape, "output %u changes its shape",
				   i);
	return a->bytes ? store(c, y, a, at) : OK;
}

static void clear(struct array **v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		array_unref(v[i]);
		v[i] = NULL;
	}
}

/* Step t of len of entry b; backward from the sequence's own end. */
static enum status step(struct kcall *c, struct scan8 *s, int64_t b, int64_t t,
			int64_t len)
{
	const int64_t front[2] = {s->batch, s->len};
	enum status st;

	for (uint32_t k = s->nstate; k < s->nstate + s->nscan; k++) {
		bool back = false;
		size_t n;
		const int64_t *dir = node_attr_ints(c->node, "directions", &n);

		if (k - s->nstate < n)
			back = dir[k - s->nstate] != 0;
		array_unref(s->in[k]);
		s->in[k] = pick(c, s->x[k], 2,
				b * s->len + (back ? len - 1 - t : t));
		if (!s->in[k])
			return LIMIT;
	}
	st = kcall_body(c, s->g, s->in, s->out);
	for (uint32_t k = 0; !st && k < s->nstate; k++) {
		array_unref(s->in[k]);
		s->in[k] = s->out[k];
		s->out[k] = NULL;
	}
	for (uint32_t k = s->nstate; !st && k < s->nout; k++)
		st = put(c, k, s->out[k], 2, front, b * s->len + t);
	clear(s->out, s->nout);
	return st;
}

static enum status entry(struct kcall *c, struct scan8 *s, int64_t b,
			 int64_t len)
{
	enum status st = OK;

	for (uint32_t k = 0; k < s->nstate; k++) {
		s->in[k] = pick(c, s->x[k], 1, b);
		if (!s->in[k])
			return LIMIT;
	}
	for (int64_t t = 0; !st && t < len; t++)
		st = step(c, s, b, t, len);
	for (uint32_t k = 0; !st && k < s->nstate; k++)
		st = put(c, k, s->in[k], 1, &s->batch, b);
	clear(s->in, s->nstate + s->nscan);
	return st;
}

static enum status check(struct kcall *c, struct scan8 *s)
{
	for (uint32_t k = 0; k < s->nstate + s->nscan; k++) {
		const struct array *x = s->x[k];
		int lead = k < s->nstate ? 1 : 2;

		if (!x || x->kind != ARR_TENSOR || x->rank < lead ||
		    x->rank > KERNEL_MAX_RANK)
			return kcall_error(c, E_type, "input %u is no tensor",
					   k + 1);
		if (k == 0)
			s->batch = x->dim[0];
		if (k == s->nstate)
			s->len = x->dim[1];
		if (x->dim[0] != s->batch || (lead == 2 && x->dim[1] != s->len))
			return kcall_error(c, E_shape,
					   "input %u differs in batch or "
					   "length",
					   k + 1);
	}
	if (s->batch < 1 || (s->len < 1 && s->nout > s->nstate))
		return kcall_error(c, E_unsupported, "nothing to scan");
	return OK;
}

static enum status run(struct kcall *c, struct scan8 *s)
{
	const int64_t *lens;
	size_t n;
	enum status st = kcall_ints(c, 0, &lens, &n);

	if (!st && lens && n != (size_t)s->batch)
		st = kcall_error(c, E_shape, "%zu sequence lengths", n);
	for (int64_t b = 0; !st && b < s->batch; b++) {
		int64_t len = lens ? lens[b] : s->len;

		if (len < 0 || len > s->len)
			return kcall_error(c, E_value, "length %lld of %lld",
					   (long long)len, (long long)s->len);
		st = entry(c, s, b, len);
	}
	for (uint32_t k = 0; !st && k < s->nout; k++)
		if (!c->out[k])
			st = kcall_error(c, E_unsupported,
					 "output %u is never made", k);
	return st;
}

enum status k_scan_8(struct kcall *c)
{
	int64_t n = node_attr_int(c->node, "num_scan_inputs", 0);
	struct scan8 s = {.nscan = (uint32_t)n, .nout = c->nout};
	enum status st;

	if (n < 1 || n >= c->nin || c->nout < c->nin - 1 - (uint32_t)n)
		return kcall_error(c, E_attr, "%lld scanned inputs of %u",
				   (long long)n, c->nin);
	s.nstate = c->nin - 1 - s.nscan;
	s.x = c->in + 1;
	s.g = node_attr_graph(c->node, "body");
	if (!s.g || s.g->nin != c->nin - 1 || s.g->ret->nin != c->nout)
		return kcall_error(c, E_attr, "the body does not fit");
	st = check(c, &s);
	if (st)
		return st;
	s.in = xcalloc(c->nin, sizeof *s.in);
	s.out = xcalloc((size_t)c->nout + 1, sizeof *s.out);
	st = run(c, &s);
	clear(s.in, c->nin - 1);
	clear(s.out, c->nout);
	free(s.in);
	free(s.out);
	return st;
}
