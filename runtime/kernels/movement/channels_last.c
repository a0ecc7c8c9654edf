/* SPDX-License-Identifier: MIT */
/*
 * channels_last.c -- kernels for [batch, channels, spatial...] serve inputs
 * whose channels come last, by two transpositions.
 */
#include <string.h>

#include "runtime/kernels/movement/channels_last_p.h"
#include "runtime/kernels/shared/move_p.h"
#include "runtime/kernels/shared/nn_p.h"

/* dst = src with the last axis moved behind the first, or back. */
static void permute(int rank, const int64_t *dim, size_t es, void *dst,
		    const void *src, bool to_first)
{
	int64_t to[KERNEL_MAX_RANK], stride[KERNEL_MAX_RANK];
	int64_t step[KERNEL_MAX_RANK], s = (int64_t)es;

	for (int i = rank - 1; i >= 0; i--) {
		step[i] = s;
		s *= dim[i];
	}
	for (int i = 0; i < rank; i++) {
		int from = i == 0               ? 0
			   : to_first && i == 1 ? rank - 1
			   : to_first           ? i - 1
			   : i == rank - 1      ? 1
						: i + 1;

		to[i] = dim[from];
		stride[i] = step[from];
	}
	move_strided(rank, to, es, dst, src, stride);
}

/* Input 0 with the channels second. */
static struct array *moved_input(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct array *a =
		kcall_scratch(c, sizeof *a + (size_t)x->rank * sizeof *a->dim);

	if (!a)
		return NULL;
	*a = *x;
	a->blob = NULL;
	a->region = NULL;
	a->data = nn_scratch(c, x->n, dtype_bits(x->dt) / 8);
	if (!a->data)
		return NULL;
	for (int i = 0; i < x->rank; i++)
		a->dim[i] = i == 0   ? x->dim[0]
			    : i == 1 ? x->dim[x->rank - 1]
				     : x->dim[i - 1];
	if (x->n > 0)
		permute(x->rank, x->dim, dtype_bits(x->dt) / 8, a->data,
			x->data, true);
	return a;
}

static enum status move_output(struct kcall *c)
{
	struct array *y = c->out[0];
	size_t es = dtype_bits(y->dt) / 8;
	int64_t channels = y->dim[1];
	void *copy = nn_scratch(c, y->n, es);

	if (!copy)
		return LIMIT;
	if (y->n > 0) {
		memcpy(copy, y->data, (size_t)y->n * es);
		permute(y->rank, y->dim, es, y->data, copy, false);
	}
	for (int i = 1; i < y->rank - 1; i++)
		y->dim[i] = y->dim[i + 1];
	y->dim[y->rank - 1] = channels;
	return OK;
}

enum status channels_last(struct kcall *c, kernel_fn *fn)
{
	struct array *x = c->in[0];
	enum status s = nn_rank(c, 0, 3, KERNEL_MAX_RANK);

	if (s != OK)
		return s;
	if (dtype_bits(x->dt) < 8)
		return kcall_error(c, E_type, "input 0 is of type %s",
				   dtype_name(x->dt));
	c->in[0] = moved_input(c);
	s = c->in[0] ? fn(c) : LIMIT;
	c->in[0] = x;
	return s == OK ? move_output(c) : s;
}
