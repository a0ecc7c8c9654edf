/* SPDX-License-Identifier: MIT */
/*
 * quant_table.c -- contributed elementwise operators on 8-bit tensors:
 * QLinearAdd, QLinearMul, QLinearConcat, QLinearLeakyRelu, QLinearSigmoid,
 * QLinearSoftmax and QLinearWhere.
 *
 * An 8-bit operand has 256 values: what happens to each is computed once.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/quant/qsimd_p.h"
#include "runtime/kernels/quant/quant_p.h"
#include "runtime/mathd.h"

/* ---- parameters ---- */

/* An operand: its bytes and the real number that each byte stands for. */
struct qvalues {
	const struct array *a;
	float real[256];
};

static enum status read_values(struct kcall *c, uint32_t j, uint32_t js,
			       uint32_t jz, struct qvalues *v)
{
	int32_t zero = 0;
	float scale = 1;
	enum status s = q8_tensor(c, j);

	if (s == OK)
		s = q8_scale(c, js, &scale);
	if (s == OK)
		s = q8_zero(c, jz, c->in[j]->dt, &zero);
	if (s != OK)
		return s;
	v->a = c->in[j];
	for (int i = 0; i < 256; i++) {
		int32_t x = v->a->dt == DT_I8 ? (int8_t)i : i;

		v->real[i] = (float)(x - zero) * scale;
	}
	return OK;
}

struct qresult {
	float scale;
	struct q8_range range;
};

static enum status read_result(struct kcall *c, uint32_t js, uint32_t jz,
			       enum dtype dt, struct qresult *r)
{
	int32_t zero = 0;
	enum status s = q8_scale(c, js, &r->scale);

	if (s == OK)
		s = q8_zero(c, jz, dt, &zero);
	r->range = q8_range(dt == DT_I8, zero);
	return s;
}

/* ---- two operands ---- */

enum { BINARY_RUN = 512 };

struct binary {
	struct qvalues a, b;
	struct qresult r;
	bool multiply;
	int rank;
	int64_t dim[KERNEL_MAX_RANK];
	int64_t as[KERNEL_MAX_RANK], bs[KERNEL_MAX_RANK]; /* strides */
	int64_t n;                                        /* of the last axis */
	uint8_t *y;
};

static void strides_of(const struct array *a, int rank, int64_t *stride)
{
	int64_t step = 1;

	for (int i = rank - 1; i >= 0; i--) {
		int k = i - (rank - a->rank);
		int64_t d = k < 0 ? 1 : a->dim[k];

		stride[i] = d == 1 ? 0 : step;
		step *= d;
	}
}

/* One row of the last axis. */
static void binary_task(void *arg, size_t row)
{
	const struct binary *q = arg;
	int64_t rest = (int64_t)row, ia = 0, ib = 0, last = q->rank - 1;
	const uint8_t *a, *b;
	float tmp[BINARY_RUN];

	for (int64_t i = last - 1; i >= 0; i--) {
		ia += rest % q->dim[i] * q->as[i];
		ib += rest % q->dim[i] * q->bs[i];
		rest /= q->dim[i];
	}
	a = (const uint8_t *)q->a.a->data + ia;
	b = (const uint8_t *)q->b.a->data + ib;
	for (int64_t i = 0; i < q->n; i += BINARY_RUN) {
		int64_t n = min64(q->n - i, BINARY_RUN);

		for (int64_t k = 0; k < n; k++) {
			float u = q->a.real[a[(i + k) * q->as[last]]];
			float v = q->b.real[b[(i + k) * q->bs[last]]];

			tmp[k] = q->multiply ? u * v : u + v;
		}
		qsimd()->quant(q->y + (int64_t)row * q->n + i, tmp, n,
			       q->r.scale, q->r.range);
	}
}

/* Equal shapes are one long row, cut so that threads share it. */
static void flatten(struct binary *q, int64_t total)
{
	int64_t n = 4096;

	if (!array_same_dims(q->a.a, q->b.a))
		return;
	while (n > 1 && total % n != 0)
		n /= 2;
	if (n < 64)
		n = total;
	q->rank = 2;
	q->dim[0] = total / n;
	q->dim[1] = n;
	q->as[0] = q->bs[0] = n;
	q->as[1] = q->bs[1] = 1;
}

static enum status binary_init(struct kcall *c, struct binary *q)
{
	enum status s = read_values(c, 0, 1, 2, &q->a);

	if (s == OK)
		s = read_values(c, 3, 4, 5, &q->b);
	if (s == OK && c->in[0]->dt != c->in[3]->dt)
		s = kcall_error(c, E_type, "the operands differ in type");
	if (s == OK)
		s = read_result(c, 6, 7, c->in[0]->dt, &q->r);
	if (s != OK)
		return s;
	if (c->in[0]->rank > KERNEL_MAX_RANK ||
	    c->in[3]->rank > KERNEL_MAX_RANK)
		return kcall_error(c, E_unsupported, "rank is above %d",
				   KERNEL_MAX_RANK);
	if (!broadcast_dims(c->in[0], c->in[3], &q->rank, q->dim))
		return kcall_error(c, E_shape, "shapes do not broadcast");
	return OK;
}

static enum status binary_run(struct kcall *c, bool multiply)
{
	struct binary *q = kcall_scratch(c, sizeof *q);
	struct array *y;
	enum status s = q ? binary_init(c, q) : LIMIT;

	if (s != OK)
		return s;
	q->multiply = multiply;
	y = kcall_out(c, 0, c->in[0]->dt, q->rank, q->dim);
	if (!y)
		return LIMIT;
	if (y->n == 0)
		return OK;
	strides_of(c->in[0], q->rank, q->as);
	strides_of(c->in[3], q->rank, q->bs);
	flatten(q, y->n);
	if (q->rank == 0) {
		q->rank = 1;
		q->dim[0] = 1;
		q->as[0] = q->bs[0] = 0;
	}
	q->n = q->dim[q->rank - 1];
	q->y = y->data;
	pool_for((size_t)(y->n / q->n), binary_task, q);
	return OK;
}

enum status k_qlinear_add(struct kcall *c)
{
	return binary_run(c, false);
}

enum status k_qlinear_mul(struct kcall *c)
{
	return binary_run(c, true);
}

/* ---- one operand: bytes to bytes ---- */

static void make_table(const struct qvalues *v, const struct qresult *r,
		       uint8_t *table)
{
	qsimd()->quant(table, v->real, 256, r->scale, r->range);
}

static enum status apply_table(struct kcall *c, const struct qvalues *v,
			       const struct qresult *r)
{
	struct array *y = kcall_out(c, 0, v->a->dt, v->a->rank, v->a->dim);
	const uint8_t *x = v->a->data;
	uint8_t table[256];

	if (!y)
		return LIMIT;
	make_table(v, r, table);
	for (int64_t i = 0; i < y->n; i++)
		((uint8_t *)y->data)[i] = table[x[i]];
	return OK;
}

static enum status unary_init(struct kcall *c, struct qvalues *v,
			      struct qresult *r)
{
	enum status s = read_values(c, 0, 1, 2, v);

	return s == OK ? read_result(c, 3, 4, c->in[0]->dt, r) : s;
}

enum status k_qlinear_leaky_relu(struct kcall *c)
{
	float alpha = (float)node_attr_float(c->node, "alpha", 0.01);
	struct qvalues v;
	struct qresult r;
	enum status s = unary_init(c, &v, &r);

	if (s != OK)
		return s;
	for (int i = 0; i < 256; i++)
		v.real[i] = v.real[i] >= 0 ? v.real[i] : alpha * v.real[i];
	return apply_table(c, &v, &r);
}

enum status k_qlinear_sigmoid(struct kcall *c)
{
	struct qvalues v;
	struct qresult r;
	enum status s = unary_init(c, &v, &r);

	if (s != OK)
		return s;
	for (int i = 0; i < 256; i++)
		v.real[i] = (float)md_sigmoid((double)v.real[i]);
	return apply_table(c, &v, &r);
}

/* ---- QLinearConcat: inputs are the result's scale and zero point, then
 * triples of tensor, scale, zero point ---- */

static enum status concat_dims(struct kcall *c, int axis, int64_t *dim)
{
	const struct array *first = c->in[2];

	for (int i = 0; i < first->rank; i++)
		dim[i] = i == axis ? 0 : first->dim[i];
	for (uint32_t j = 2; j < c->nin; j += 3) {
		const struct array *a = c->in[j];

		for (int i = 0; i < first->rank; i++)
			if (a->rank != first->rank ||
			    (i != axis && a->dim[i] != dim[i]))
				return kcall_error(c, E_shape,
						   "input %u does not fit", j);
		if (!add_i64(dim[axis], a->dim[axis], &dim[axis]))
			return kcall_error(c, E_dims, "dimensions overflow");
	}
	return OK;
}

/* Input j into its share of every row of the result. */
static void concat_one(const struct qvalues *v, const uint8_t *table, int axis,
		       int64_t row, uint8_t *y)
{
	const struct array *a = v->a;
	int64_t outer = nn_product(a->dim, 0, axis);
	int64_t n = nn_product(a->dim, axis, a->rank);
	const uint8_t *x = a->data;

	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < n; i++)
			y[o * row + i] = table[x[o * n + i]];
}

static enum status concat_check(struct kcall *c, int *axis, int64_t *dim)
{
	enum status s = OK;

	if (c->nin < 5 || (c->nin - 2) % 3 != 0)
		return kcall_error(c, E_arity, "%u inputs", c->nin);
	for (uint32_t j = 2; s == OK && j < c->nin; j += 3)
		s = q8_tensor(c, j);
	if (s == OK)
		s = nn_rank(c, 2, 1, KERNEL_MAX_RANK);
	if (s == OK)
		s = kcall_axis(c, node_attr_int(c->node, "axis", 0),
			       c->in[2]->rank, axis);
	return s == OK ? concat_dims(c, *axis, dim) : s;
}

enum status k_qlinear_concat(struct kcall *c)
{
	int64_t dim[KERNEL_MAX_RANK], row, at = 0;
	enum dtype dt = c->nin > 1 && c->in[1] ? c->in[1]->dt : DT_U8;
	struct qvalues v;
	struct qresult r;
	struct array *y;
	uint8_t table[256];
	int axis = 0;
	enum status s = concat_check(c, &axis, dim);

	if (s == OK && dt != DT_U8 && dt != DT_I8)
		s = kcall_error(c, E_type, "zero point of type %s",
				dtype_name(dt));
	if (s == OK)
		s = read_result(c, 0, 1, dt, &r);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, dt, c->in[2]->rank, dim);
	if (!y)
		return LIMIT;
	row = nn_product(dim, axis, y->rank);
	for (uint32_t j = 2; j < c->nin; j += 3) {
		s = read_values(c, j, j + 1, j + 2, &v);
		if (s != OK)
			return s;
		make_table(&v, &r, table);
		concat_one(&v, table, axis, row, (uint8_t *)y->data + at);
		at += nn_product(v.a->dim, axis, v.a->rank);
	}
	return OK;
}

/* ---- QLinearSoftmax ---- */

static void softmax_row(const struct qvalues *v, const double *e,
			const uint8_t *x, int64_t n, int64_t step,
			const struct qresult *r, uint8_t *y)
{
	bool is_signed = v->a->dt == DT_I8;
	int top = is_signed ? -128 : 0;
	double sum = 0;

	for (int64_t i = 0; i < n; i++) {
		int k = is_signed ? (int8_t)x[i * step] : x[i * step];

		top = k > top ? k : top;
	}
	/* e[d]: exp of minus d steps */
	for (int64_t i = 0; i < n; i++)
		sum += e[top - (is_signed ? (int8_t)x[i * step] : x[i * step])];
	for (int64_t i = 0; i < n; i++) {
		int k = is_signed ? (int8_t)x[i * step] : x[i * step];
		float p = (float)(e[top - k] / sum);

		qsimd_portable.quant(y + i * step, &p, 1, r->scale, r->range);
	}
}

enum status k_qlinear_softmax(struct kcall *c)
{
	bool flat = node_attr_int(c->node, "opset", 13) < 13;
	int64_t outer, n, inner = 1;
	struct qvalues v;
	struct qresult r;
	struct array *y;
	double e[256];
	float scale = 1;
	int axis = 0;
	enum status s = unary_init(c, &v, &r);

	if (s == OK)
		s = q8_scale(c, 1, &scale);
	if (s == OK)
		s = kcall_axis(c, node_attr_int(c->node, "axis", -1), v.a->rank,
			       &axis);
	if (s != OK)
		return s;
	y = kcall_out(c, 0, v.a->dt, v.a->rank, v.a->dim);
	if (!y)
		return LIMIT;
	for (int d = 0; d < 256; d++)
		e[d] = md_exp(-(double)scale * d);
	outer = nn_product(v.a->dim, 0, axis);
	n = flat ? nn_product(v.a->dim, axis, v.a->rank) : v.a->dim[axis];
	if (!flat)
		inner = nn_product(v.a->dim, axis + 1, v.a->rank);
	for (int64_t o = 0; o < outer * inner; o++) {
		int64_t at = o / inner * n * inner + o % inner;

		softmax_row(&v, e, (const uint8_t *)v.a->data + at, n, inner,
			    &r, (uint8_t *)y->data + at);
	}
	return OK;
}

/* ---- QLinearWhere ---- */

struct qwhere {
	struct qvalues x, y;
	uint8_t tx[256], ty[256];
	int rank;
	int64_t dim[KERNEL_MAX_RANK];
};

static enum status where_init(struct kcall *c, struct qwhere *w)
{
	struct qresult r;
	enum status s = read_values(c, 1, 2, 3, &w->x);

	if (s == OK)
		s = read_values(c, 4, 5, 6, &w->y);
	if (s == OK && c->in[1]->dt != c->in[4]->dt)
		s = kcall_error(c, E_type, "the operands differ in type");
	if (s == OK)
		s = read_result(c, 7, 8, c->in[1]->dt, &r);
	for (uint32_t j = 0; s == OK && j < 5; j++)
		if (j < 2 || j == 4)
			s = nn_rank(c, j, 0, KERNEL_MAX_RANK);
	if (s != OK)
		return s;
	if (c->in[0]->dt != DT_BOOL)
		return kcall_error(c, E_type, "the condition is not bool");
	make_table(&w->x, &r, w->tx);
	make_table(&w->y, &r, w->ty);
	return OK;
}

/* The shape that all three broadcast to. */
static enum status where_shape(struct kcall *c, struct qwhere *w)
{
	const uint32_t in[] = {0, 1, 4};

	for (size_t k = 0; k < countof(in); k++)
		w->rank = c->in[in[k]]->rank > w->rank ? c->in[in[k]]->rank
						       : w->rank;
	for (int i = 0; i < w->rank; i++)
		w->dim[i] = 1;
	for (size_t k = 0; k < countof(in); k++) {
		const struct array *a = c->in[in[k]];

		for (int i = 0; i < a->rank; i++) {
			int64_t *d = &w->dim[w->rank - a->rank + i];

			if (*d != a->dim[i] && *d != 1 && a->dim[i] != 1)
				return kcall_error(c, E_shape,
						   "shapes do not broadcast");
			*d = *d == 1 ? a->dim[i] : *d;
		}
	}
	return OK;
}

enum status k_qlinear_where(struct kcall *c)
{
	int64_t o[KERNEL_MAX_RANK] = {0}, at = 0;
	int64_t cs[KERNEL_MAX_RANK], xs[KERNEL_MAX_RANK], ys[KERNEL_MAX_RANK];
	struct qwhere *w = kcall_scratch(c, sizeof *w);
	struct array *z;
	enum status s = w ? where_init(c, w) : LIMIT;

	if (s == OK)
		s = where_shape(c, w);
	if (s != OK)
		return s;
	z = kcall_out(c, 0, c->in[1]->dt, w->rank, w->dim);
	if (!z)
		return LIMIT;
	if (z->n == 0)
		return OK;
	strides_of(c->in[0], w->rank, cs);
	strides_of(c->in[1], w->rank, xs);
	strides_of(c->in[4], w->rank, ys);
	do {
		int64_t ic = 0, ix = 0, iy = 0;

		for (int i = 0; i < w->rank; i++) {
			ic += o[i] * cs[i];
			ix += o[i] * xs[i];
			iy += o[i] * ys[i];
		}
		((uint8_t *)z->data)[at++] =
			((const uint8_t *)c->in[0]->data)[ic]
				? w->tx[((const uint8_t *)w->x.a->data)[ix]]
				: w->ty[((const uint8_t *)w->y.a->data)[iy]];
	} while (odometer_next(w->rank, w->dim, o));
	return OK;
}
