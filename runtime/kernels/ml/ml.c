/* SPDX-License-Identifier: MIT */
/*
 * ml.c -- what the operators of ai.onnx.ml share: list attributes, rows,
 * post transforms, labels.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/ml/ml_p.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

/* ---- list attributes ---- */

static enum status of_tensor(struct kcall *c, const char *name,
			     const struct tensor *t, struct ml_list *l)
{
	size_t bytes;

	if (t->sparse_indices || dtype_kind(t->dt) == 'c')
		return kcall_error(c, E_unsupported,
				   "attribute %s is sparse or complex", name);
	*l = (struct ml_list){.dt = t->dt, .n = (size_t)t->n};
	if (t->dt == DT_STRING) {
		l->s = t->strings;
		return t->n == 0 || t->strings
			       ? OK
			       : kcall_error(c, E_payload,
					     "attribute %s has no data", name);
	}
	l->p = tensor_data(c->m, t);
	if (!l->p)
		return LIMIT;
	if (!dtype_bytes(t->dt, t->n, &bytes) || (t->n && t->len < bytes))
		return kcall_error(c, E_payload, "attribute %s is too short",
				   name);
	return OK;
}

enum status ml_list(struct kcall *c, const char *name, struct ml_list *l)
{
	const struct attr *a = node_attr(c->node, name);

	*l = (struct ml_list){.dt = DT_NONE};
	if (!a)
		return OK;
	l->n = a->n;
	switch (a->kind) {
	case ATTR_INTS:
		l->dt = DT_I64;
		l->p = a->u.i;
		return OK;
	case ATTR_FLOATS:
		l->dt = DT_F32;
		l->p = a->u.f;
		return OK;
	case ATTR_STRINGS:
		l->dt = DT_STRING;
		l->s = a->u.s;
		return OK;
	case ATTR_TENSOR:
		return of_tensor(c, name, a->u.t[0], l);
	default:
		return kcall_error(c, E_attr, "attribute %s is no list", name);
	}
}

enum status ml_strings(struct kcall *c, const char *name, struct ml_list *l)
{
	enum status st = ml_list(c, name, l);

	if (!st && l->n && l->dt != DT_STRING)
		st = kcall_error(c, E_attr, "attribute %s holds no strings",
				 name);
	return st;
}

enum status ml_numbers(struct kcall *c, const char *name, struct ml_list *l)
{
	enum status st = ml_list(c, name, l);

	if (!st && l->n && l->dt == DT_STRING)
		st = kcall_error(c, E_attr, "attribute %s holds no numbers",
				 name);
	return st;
}

enum status ml_numbers_or_tensor(struct kcall *c, const char *name,
				 struct ml_list *l)
{
	char tensor[64];

	snprintf(tensor, sizeof tensor, "%s_as_tensor", name);
	return ml_numbers(c, node_has_attr(c->node, tensor) ? tensor : name, l);
}

struct ml_list ml_list_of(const struct array *a)
{
	struct ml_list l = {.dt = a->dt, .n = (size_t)a->n};

	if (a->dt == DT_STRING)
		l.s = a->data;
	else
		l.p = a->data;
	return l;
}

double ml_f64(const struct ml_list *l, size_t i)
{
	return dtype_get(l->dt, l->p, i);
}

int64_t ml_i64(const struct ml_list *l, size_t i)
{
	return dtype_get_int(l->dt, l->p, i);
}

double *ml_doubles(struct kcall *c, const struct ml_list *l)
{
	double *v = nn_temp(c, (int64_t)l->n);

	for (size_t i = 0; v && i < l->n; i++)
		v[i] = ml_f64(l, i);
	return v;
}

/* ---- rows ---- */

enum status ml_rows(struct kcall *c, struct ml_rows *r)
{
	const struct array *x = c->in[0];
	enum status st = nn_rank(c, 0, 1, 2);

	if (!st && (x->dt == DT_STRING || dtype_kind(x->dt) == 'c'))
		st = kcall_error(c, E_type, "input 0 is of type %s",
				 dtype_name(x->dt));
	if (st)
		return st;
	*r = (struct ml_rows){.x = x,
			      .n = x->rank == 1 ? 1 : x->dim[0],
			      .f = x->dim[x->rank - 1]};
	return OK;
}

void ml_row(const struct ml_rows *r, int64_t i, double *x)
{
	nn_load_range(r->x, i * r->f, r->f, x);
}

struct blocks {
	ml_rows_fn *fn;
	void *arg;
	double *tmp;
	int64_t n, rows, each;
	int64_t tasks;
};

/* Every tasks-th block. */
static void block_task(void *arg, size_t i)
{
	const struct blocks *b = arg;
	double *tmp = b->tmp + (int64_t)i * b->rows * b->each;

	for (int64_t at = (int64_t)i * b->rows; at < b->n;
	     at += b->tasks * b->rows)
		b->fn(b->arg, at, min64(at + b->rows, b->n), tmp);
}

enum status ml_blocks(struct kcall *c, int64_t n, double cost, int64_t each,
		      ml_rows_fn *fn, void *arg)
{
	enum { TMP = 1 << 17, TASKS = 32, WORTH_NS = 200000 };
	struct blocks b = {.fn = fn, .arg = arg, .n = n, .each = each};
	int64_t size;

	b.rows = each < TMP / ML_BLOCK ? ML_BLOCK : TMP / (each + 1) + 1;
	b.tasks = (double)n * cost < WORTH_NS
			  ? 1
			  : min64(ceil_div(n, b.rows), TASKS);
	b.rows = max64(min64(b.rows, n), 1);
	if (!mul_i64(b.tasks * b.rows, each, &size))
		return kcall_error(c, E_memory, "rows of %lld numbers",
				   (long long)each);
	b.tmp = nn_temp(c, size);
	if (!b.tmp)
		return LIMIT;
	if (b.tasks > 1)
		pool_for((size_t)b.tasks, block_task, &b);
	else
		block_task(&b, 0);
	return OK;
}

/* ---- scores ---- */

enum status ml_post_attr(struct kcall *c, enum ml_post *p)
{
	static const char *const names[] = {
		[ML_NONE] = "NONE",         [ML_SOFTMAX] = "SOFTMAX",
		[ML_LOGISTIC] = "LOGISTIC", [ML_SOFTMAX_ZERO] = "SOFTMAX_ZERO",
		[ML_PROBIT] = "PROBIT",
	};
	struct str s = node_attr_str(c->node, "post_transform", "NONE");

	for (size_t i = 0; i < countof(names); i++)
		if (str_is(s, names[i])) {
			*p = (enum ml_post)i;
			return OK;
		}
	return kcall_error(c, E_attr, "post_transform is unknown");
}

/* Winitzki's approximation of the inverse error function (2008), with
 * a = 0.147: what ONNX Runtime and the reference evaluator compute. */
static double probit(double p)
{
	double x = 2 * p - 1, log = md_log((1 - x) * (1 + x));
	double v = 2 / (3.14159265358979323846 * 0.147) + 0.5 * log;
	double root = sqrt(sqrt(v * v - log / 0.147) - v);

	return 1.41421356237309504880 * (x < 0 ? -root : root);
}

/* skip: scores of 0 count as no score at all. */
static void softmax(double *v, int64_t n, bool skip)
{
	double max = -INFINITY, sum = 0;

	for (int64_t i = 0; i < n; i++)
		max = v[i] > max ? v[i] : max;
	for (int64_t i = 0; i < n; i++) {
		if (skip && fabs(v[i]) <= 1e-7)
			v[i] *= md_exp(-max);
		else
			v[i] = md_exp(v[i] - max);
		sum += v[i];
	}
	for (int64_t i = 0; i < n; i++)
		v[i] = sum == 0 ? 0.5 : v[i] / sum;
}

void ml_post(enum ml_post p, double *v, int64_t n)
{
	if (p == ML_NONE || (n == 1 && p != ML_PROBIT))
		return;
	if (p == ML_SOFTMAX || p == ML_SOFTMAX_ZERO) {
		softmax(v, n, p == ML_SOFTMAX_ZERO);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		v[i] = p == ML_PROBIT ? probit(v[i]) : md_sigmoid(v[i]);
}

void ml_post_pair(enum ml_post p, double s, bool mixed, double v[2])
{
	v[0] = mixed && p != ML_PROBIT ? -s : 1 - s;
	v[1] = s;
	if (p == ML_LOGISTIC)
		v[0] = -s;
	if (p == ML_LOGISTIC || p == ML_PROBIT)
		ml_post(p, v, 2);
}

/* ---- labels ---- */

enum status ml_labels(struct kcall *c, const char *ints, struct ml_list *l)
{
	enum status st = ml_strings(c, "classlabels_strings", l);

	if (!st && l->n == 0)
		st = ml_numbers(c, ints, l);
	if (!st && l->n == 0)
		st = kcall_error(c, E_attr, "there are no class labels");
	if (!st && l->dt != DT_STRING && l->dt != DT_I64)
		st = kcall_error(c, E_attr, "attribute %s holds no integers",
				 ints);
	return st;
}

struct array *ml_label_out(struct kcall *c, const struct ml_list *l, int64_t n)
{
	return kcall_out(c, 0, l->dt, 1, &n);
}

void ml_put_label(struct array *y, const struct ml_list *l, int64_t i,
		  int64_t class_number)
{
	if (l->dt == DT_STRING)
		((struct str *)y->data)[i] = l->s[class_number];
	else
		((int64_t *)y->data)[i] = ml_i64(l, (size_t)class_number);
}
