/* SPDX-License-Identifier: MIT */
/*
 * sequence.c -- Sequence*, Optional*, SplitToSequence, ConcatFromSequence.
 *
 * A sequence is an array of references; operators make new ones and share
 * the elements.
 */
#include <string.h>

#include "runtime/kernels/shared/move_p.h"

static enum status need_seq(struct kcall *c, uint32_t j, const struct array **s)
{
	*s = kcall_has(c, j) ? c->in[j] : NULL;
	/* An optional that holds a sequence serves as one. */
	if (*s && (*s)->kind == ARR_OPTIONAL && (*s)->nitem)
		*s = (*s)->item[0];
	if (*s && (*s)->kind == ARR_SEQ)
		return OK;
	return kcall_error(c, E_type, "input %u is not a sequence", j);
}

static void put(struct kcall *c, struct array *a)
{
	kcall_pass(c, 0, a);
	array_unref(a);
}

/* Position in [0, n], counted from the end when negative. */
static enum status position(struct kcall *c, uint32_t j, int64_t n, int64_t max,
			    int64_t dflt, int64_t *at)
{
	enum status st = kcall_int(c, j, dflt, at);

	if (st)
		return st;
	if (*at < 0)
		*at += n;
	if (*at < 0 || *at > max)
		return kcall_error(c, E_value, "position %lld of %lld",
				   (long long)*at, (long long)n);
	return OK;
}

enum status k_sequence_empty(struct kcall *c)
{
	put(c, array_seq(0));
	return OK;
}

enum status k_sequence_construct(struct kcall *c)
{
	struct array *s = array_seq(c->nin);

	for (uint32_t i = 0; i < c->nin; i++)
		s->item[i] = array_ref(c->in[i]);
	for (uint32_t i = 0; i < c->nin; i++)
		if (!c->in[i]) {
			array_unref(s);
			return kcall_error(c, E_value, "input %u is missing",
					   i);
		}
	put(c, s);
	return OK;
}

enum status k_sequence_length(struct kcall *c)
{
	const struct array *s;
	struct array *y;
	int64_t n;
	enum status st = need_seq(c, 0, &s);

	if (st)
		return st;
	y = kcall_out(c, 0, DT_I64, 0, NULL);
	if (!y)
		return LIMIT;
	n = s->nitem;
	memcpy(y->data, &n, sizeof n);
	return OK;
}

enum status k_sequence_at(struct kcall *c)
{
	const struct array *s;
	int64_t at;
	enum status st = need_seq(c, 0, &s);

	if (!st)
		st = position(c, 1, s->nitem, (int64_t)s->nitem - 1, 0, &at);
	if (!st)
		kcall_pass(c, 0, s->item[at]);
	return st;
}

enum status k_sequence_insert(struct kcall *c)
{
	const struct array *s;
	struct array *r;
	int64_t at, k = 0;
	enum status st = need_seq(c, 0, &s);

	if (!st)
		st = position(c, 2, s->nitem, s->nitem, s->nitem, &at);
	if (st)
		return st;
	if (s->nitem == UINT32_MAX)
		return kcall_error(c, E_value, "the sequence is full");
	r = array_seq((size_t)s->nitem + 1);
	for (uint32_t i = 0; i < r->nitem; i++)
		r->item[i] = array_ref(i == at ? c->in[1] : s->item[k++]);
	put(c, r);
	return OK;
}

enum status k_sequence_erase(struct kcall *c)
{
	const struct array *s;
	struct array *r;
	int64_t at, k = 0;
	enum status st = need_seq(c, 0, &s);

	if (!st)
		st = position(c, 1, s->nitem, (int64_t)s->nitem - 1,
			      (int64_t)s->nitem - 1, &at);
	if (st)
		return st;
	r = array_seq((size_t)s->nitem - 1);
	for (uint32_t i = 0; i < s->nitem; i++)
		if (i != at)
			r->item[k++] = array_ref(s->item[i]);
	put(c, r);
	return OK;
}

/* ---- SplitToSequence ---- */

/* A scalar split is the size of each part; none: one each, axis dropped
 * unless keepdims. */
static enum status parts_of(struct kcall *c, int64_t len, const int64_t **v,
			    int64_t *each, int64_t *count)
{
	size_t n;
	int64_t sum = 0;
	enum status st;

	*v = NULL;
	*each = 1;
	if (kcall_has(c, 1) && c->in[1]->kind != ARR_TENSOR)
		return kcall_error(c, E_type, "split is not a tensor");
	if (kcall_has(c, 1) && c->in[1]->rank == 0) {
		st = kcall_int(c, 1, 1, each);
		if (!st && *each < 1)
			st = kcall_error(c, E_value, "parts of %lld",
					 (long long)*each);
		if (st)
			return st;
	} else if (kcall_has(c, 1)) {
		st = kcall_ints(c, 1, v, &n);
		if (st)
			return st;
		for (size_t i = 0; i < n; i++)
			if ((*v)[i] < 0 || !add_i64(sum, (*v)[i], &sum))
				sum = -1, i = n;
		*count = (int64_t)n;
		return sum == len ? OK
				  : kcall_error(c, E_value,
						"sizes do not add up to %lld",
						(long long)len);
	}
	*count = len / *each + (len % *each != 0);
	return OK;
}

static struct array *part(struct kcall *c, const struct array *x,
			  const struct elems *in, int axis, int64_t at,
			  int64_t n, bool drop)
{
	int64_t dim[KERNEL_MAX_RANK], outer = dims_product(x, 0, axis);
	size_t inner = (size_t)dims_product(x, axis + 1, x->rank) * in->size;
	struct elems out;
	struct array *y;
	int rank = 0;

	for (int d = 0; d < x->rank; d++)
		if (d != axis)
			dim[rank++] = x->dim[d];
		else if (!drop)
			dim[rank++] = n;
	y = array_create(c->d, x->dt, rank, dim);
	if (!y || elems_out(c, y, &out)) {
		array_unref(y);
		return NULL;
	}
	for (int64_t o = 0; y->n && o < outer; o++)
		memcpy(out.p + (size_t)(o * n) * inner,
		       in->p + (size_t)(o * x->dim[axis] + at) * inner,
		       (size_t)n * inner);
	elems_done(&out);
	if (array_own_strings(c->d, y)) {
		array_unref(y);
		return NULL;
	}
	return y;
}

enum status k_split_to_sequence(struct kcall *c)
{
	const struct array *x = c->in[0];
	bool drop = !kcall_has(c, 1) && !node_attr_int(c->node, "keepdims", 1);
	int64_t each, count = 0, at = 0;
	struct array *s;
	struct elems in;
	const int64_t *v;
	int axis;
	enum status st = x->kind == ARR_TENSOR
				 ? move_rank(c, x->rank)
				 : kcall_error(c, E_type, "not a tensor");

	if (!st)
		st = kcall_axis(c, node_attr_int(c->node, "axis", 0), x->rank,
				&axis);
	if (!st)
		st = parts_of(c, x->dim[axis], &v, &each, &count);
	if (!st)
		st = elems_in(c, x, &in);
	if (!st && count > 1 << 24)
		st = kcall_error(c, E_value, "%lld parts", (long long)count);
	if (st)
		return st;
	s = array_seq((size_t)count);
	for (int64_t i = 0; !st && i < count; i++) {
		int64_t rest = x->dim[axis] - at;
		int64_t n = v ? v[i] : rest < each ? rest : each;

		s->item[i] = part(c, x, &in, axis, at, n, drop);
		if (!s->item[i])
			st = LIMIT;
		at += n;
	}
	if (st)
		array_unref(s);
	else
		put(c, s);
	return st;
}

/* ---- ConcatFromSequence ---- */

static enum status joined_dims(struct kcall *c, const struct array *s, int axis,
			       bool fresh, int64_t *dim)
{
	const struct array *x = s->item[0];

	for (int d = 0, k = 0; d < x->rank + fresh; d++)
		dim[d] = fresh && d == axis ? 0 : x->dim[k++];
	dim[axis] = 0;
	for (uint32_t i = 0; i < s->nitem; i++) {
		const struct array *a = s->item[i];

		if (a->kind != ARR_TENSOR || a->dt != x->dt ||
		    a->rank != x->rank)
			return kcall_error(c, E_type,
					   "element %u differs in type", i);
		for (int d = 0; d < x->rank; d++)
			if ((fresh || d != axis) && a->dim[d] != x->dim[d])
				return kcall_error(c, E_shape,
						   "element %u differs in "
						   "shape",
						   i);
		dim[axis] += fresh ? 1 : a->dim[axis];
	}
	return OK;
}

enum status k_concat_from_sequence(struct kcall *c)
{
	bool fresh = node_attr_int(c->node, "new_axis", 0) != 0;
	const struct array *s, *x;
	int64_t dim[KERNEL_MAX_RANK], outer;
	struct elems in, out;
	struct array *y;
	size_t row, at = 0;
	int axis, rank;
	enum status st = need_seq(c, 0, &s);

	if (!st && (s->nitem == 0 || s->item[0]->kind != ARR_TENSOR))
		st = kcall_error(c, E_value, "the sequence is empty");
	if (st)
		return st;
	x = s->item[0];
	rank = x->rank + fresh;
	st = move_rank(c, rank);
	if (!st)
		st = kcall_axis(c, node_attr_int(c->node, "axis", 0), rank,
				&axis);
	if (!st)
		st = joined_dims(c, s, axis, fresh, dim);
	if (!st)
		st = move_out(c, 0, x->dt, rank, dim, &y, &out);
	if (st || y->n == 0)
		return st;
	outer = dims_product(y, 0, axis);
	row = (size_t)dims_product(y, axis, rank) * out.size;
	for (uint32_t i = 0; i < s->nitem; i++) {
		size_t n = (size_t)(s->item[i]->n / outer) * out.size;

		st = elems_in(c, s->item[i], &in);
		if (st)
			return st;
		for (int64_t o = 0; o < outer; o++)
			memcpy(out.p + (size_t)o * row + at,
			       in.p + (size_t)o * n, n);
		at += n;
	}
	elems_done(&out);
	return OK;
}

/* ---- SequenceMap ---- */

/* Runs the body once per element; tensors among the inputs are the same for
 * each. */
static enum status map_once(struct kcall *c, struct graph *g, uint32_t i,
			    struct array **in, struct array **out)
{
	const struct array *first = c->in[0];
	enum status st;

	for (uint32_t k = 0; k < c->nin; k++) {
		struct array *a = c->in[k];

		if (a && a->kind == ARR_SEQ && a->nitem != first->nitem)
			return kcall_error(c, E_value,
					   "sequences of different lengths");
		in[k] = a && a->kind == ARR_SEQ ? a->item[i] : a;
	}
	memset(out, 0, c->nout * sizeof(struct array *));
	st = kcall_body(c, g, in, out);
	for (uint32_t k = 0; !st && k < c->nout; k++) {
		c->out[k]->item[i] = out[k];
		if (!out[k])
			st = kcall_error(c, E_value, "a result is missing");
	}
	return st;
}

enum status k_sequence_map(struct kcall *c)
{
	struct graph *g = node_attr_graph(c->node, "body");
	const struct array *first;
	struct array **in, **out;
	enum status st = need_seq(c, 0, &first);

	if (st)
		return st;
	if (!g || g->nin != c->nin || g->ret->nin != c->nout ||
	    first != c->in[0])
		return kcall_error(c, E_attr, "the body does not fit");
	in = kcall_scratch(c, (size_t)c->nin * sizeof(struct array *));
	out = kcall_scratch(c, (size_t)c->nout * sizeof(struct array *));
	if (!in || !out)
		return LIMIT;
	for (uint32_t k = 0; k < c->nout; k++) {
		struct array *s = array_seq(first->nitem);

		kcall_pass(c, k, s);
		array_unref(s);
	}
	for (uint32_t i = 0; !st && i < first->nitem; i++)
		st = map_once(c, g, i, in, out);
	return st;
}

/* ---- Optional ---- */

enum status k_optional(struct kcall *c)
{
	put(c, array_optional(kcall_has(c, 0) ? c->in[0] : NULL));
	return OK;
}

enum status k_optional_has(struct kcall *c)
{
	const struct array *a = kcall_has(c, 0) ? c->in[0] : NULL;
	struct array *y = kcall_out(c, 0, DT_BOOL, 0, NULL);

	if (!y)
		return LIMIT;
	*(uint8_t *)y->data = a && (a->kind != ARR_OPTIONAL || a->nitem);
	return OK;
}

enum status k_optional_get(struct kcall *c)
{
	struct array *a = c->in[0];

	if (a->kind == ARR_OPTIONAL && a->nitem == 0)
		return kcall_error(c, E_value, "the optional is empty");
	kcall_pass(c, 0, a->kind == ARR_OPTIONAL ? a->item[0] : a);
	return OK;
}
