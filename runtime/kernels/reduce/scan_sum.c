/* SPDX-License-Identifier: MIT */
/*
 * scan_sum.c -- running sums and products along an axis: CumSum, CumProd.
 */
#include "runtime/kernels/shared/lanes_p.h"
#include "runtime/kernels/shared/move_p.h"

struct cum {
	bool product, exclusive, reverse;
	int64_t len, inner;
};

static void cum_f(const struct cum *k, const struct array *x, struct array *y,
		  int64_t base)
{
	double acc = k->product ? 1 : 0;

	for (int64_t i = 0; i < k->len; i++) {
		int64_t t = k->reverse ? k->len - 1 - i : i;
		size_t at = (size_t)(base + t * k->inner);
		double v = dtype_get(x->dt, x->data, at);
		double next = k->product ? acc * v : acc + v;

		dtype_set(y->dt, y->data, at, k->exclusive ? acc : next);
		acc = next;
	}
}

static void cum_i(const struct cum *k, const struct array *x, struct array *y,
		  int64_t base)
{
	uint64_t acc = k->product ? 1 : 0;

	for (int64_t i = 0; i < k->len; i++) {
		int64_t t = k->reverse ? k->len - 1 - i : i;
		size_t at = (size_t)(base + t * k->inner);
		uint64_t v = (uint64_t)dtype_get_int(x->dt, x->data, at);
		uint64_t next = k->product ? acc * v : acc + v;

		dtype_set_int(y->dt, y->data, at,
			      (int64_t)(k->exclusive ? acc : next));
		acc = next;
	}
}

enum status k_cumulate(struct kcall *c)
{
	const struct array *x = c->in[0];
	struct cum k = {
		.product = c->node->op->id == OP_CumProd,
		.exclusive = node_attr_int(c->node, "exclusive", 0) != 0,
		.reverse = node_attr_int(c->node, "reverse", 0) != 0,
	};
	struct array *y;
	enum lane lane;
	int64_t axis;
	int a;
	enum status st = kcall_int(c, 1, 0, &axis);

	if (!st)
		st = kcall_axis(c, axis, x->rank, &a);
	if (!st && !lane_of(x->dt, &lane))
		st = kcall_error(c, E_type, "elements of type %s",
				 dtype_name(x->dt));
	if (st)
		return st;
	y = kcall_out(c, 0, x->dt, x->rank, x->dim);
	if (!y)
		return LIMIT;
	k.len = x->dim[a];
	k.inner = dims_product(x, a + 1, x->rank);
	for (int64_t o = 0; x->n && o < dims_product(x, 0, a); o++)
		for (int64_t i = 0; i < k.inner; i++) {
			int64_t base = o * k.len * k.inner + i;

			if (lane == LANE_F64)
				cum_f(&k, x, y, base);
			else
				cum_i(&k, x, y, base);
		}
	return OK;
}
