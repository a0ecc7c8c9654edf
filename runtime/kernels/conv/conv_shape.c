/* SPDX-License-Identifier: MIT */
/*
 * conv_shape.c -- shapes of convolutions.
 */
#include "runtime/kernels/conv/conv_p.h"

static enum status conv_ranks(struct kcall *c, struct conv *v)
{
	enum status s = nn_rank(c, v->jx, 3, WINDOW_MAX + 2);

	if (s == OK)
		s = nn_rank(c, v->jw, c->in[v->jx]->rank, c->in[v->jx]->rank);
	if (s != OK)
		return s;
	v->rank = c->in[v->jx]->rank;
	v->group = node_attr_int(c->node, "group", 1);
	if (v->group < 1)
		return kcall_error(c, E_value, "attribute group is %lld",
				   (long long)v->group);
	return OK;
}

static enum status conv_result(struct kcall *c, struct conv *v,
			       const int64_t *spatial)
{
	int64_t n;

	v->dim[0] = v->batch;
	v->dim[1] = v->group * v->m;
	for (int i = 0; i < v->w.rank; i++)
		v->dim[2 + i] = spatial[i];
	if (!nn_count(v->rank, v->dim, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	return OK;
}

enum status conv_init(struct kcall *c, struct conv *v, uint32_t jx, uint32_t jw,
		      uint32_t jb, enum dtype bias_dt)
{
	const int64_t *x, *w;
	enum status s;

	v->jx = jx;
	v->jw = jw;
	s = conv_ranks(c, v);
	if (s != OK)
		return s;
	x = c->in[jx]->dim;
	w = c->in[jw]->dim;
	if (w[1] > INT64_MAX / v->group || x[1] != w[1] * v->group ||
	    w[0] % v->group != 0)
		return kcall_error(
			c, E_shape,
			"weight of %lld x %lld channels does not fit "
			"input of %lld channels in %lld groups",
			(long long)w[0], (long long)w[1], (long long)x[1],
			(long long)v->group);
	v->batch = x[0];
	v->c = w[1];
	v->m = w[0] / v->group;
	s = window_init(c, &v->w, v->rank - 2, x + 2, w + 2);
	if (s == OK)
		s = nn_vector(c, jb, bias_dt, w[0]);
	return s == OK ? conv_result(c, v, v->w.out) : s;
}

enum status conv_init_transposed(struct kcall *c, struct conv *v)
{
	const int64_t *x, *w;
	enum status s;

	v->jx = 0;
	v->jw = 1;
	s = conv_ranks(c, v);
	if (s != OK)
		return s;
	x = c->in[0]->dim;
	w = c->in[1]->dim;
	if (x[1] != w[0] || x[1] % v->group != 0 || w[1] > INT64_MAX / v->group)
		return kcall_error(c, E_shape,
				   "weight of %lld input channels does not fit "
				   "input of %lld channels in %lld groups",
				   (long long)w[0], (long long)x[1],
				   (long long)v->group);
	v->batch = x[0];
	v->c = x[1] / v->group;
	v->m = w[1];
	s = window_init_transposed(c, &v->w, v->rank - 2, x + 2, w + 2);
	if (s == OK)
		s = nn_vector(c, 2, c->in[0]->dt, w[1] * v->group);
	return s == OK ? conv_result(c, v, v->w.in) : s;
}
