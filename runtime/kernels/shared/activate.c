/* SPDX-License-Identifier: MIT */
/*
 * activate.c -- the end of FusedConv, FusedGemm and FusedMatMulActivation.
 *
 * The activation is a row of the elementwise table; its parameters come in
 * the order of the operator's attributes.  One more pass over the result.
 */
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/activate_p.h"
#include "runtime/kernels/elementwise/ew_p.h"

enum { PARAMS = 3, CHUNK = 1 << 14 };

struct activation {
	ew_fn *f, *q; /* double, float; both NULL: nothing to do */
	struct ew_par par;
};

bool activates(const struct kcall *c)
{
	enum op_id id = c->node->op->id;

	return id == OP_ms_FusedConv || id == OP_ms_FusedGemm ||
	       id == OP_ms_FusedMatMulActivation;
}

/* Parameter k, which the activation itself calls `attr`, if it is given. */
static bool given(const struct kcall *c, size_t k, const char *attr, double *v)
{
	static const char *const name[PARAMS] = {
		"activation_alpha", "activation_beta", "activation_gamma"};
	const float *list;
	size_t n;

	if (c->node->op->id == OP_ms_FusedConv) {
		list = node_attr_floats(c->node, "activation_params", &n);
		if (!list || k >= n)
			return false;
		*v = (double)list[k];
		return true;
	}
	for (size_t i = 0; i < PARAMS; i++)
		if (strcmp(name[i] + strlen("activation_"), attr) == 0)
			k = i;
	if (!node_has_attr(c->node, name[k]))
		return false;
	*v = node_attr_float(c->node, name[k], 0);
	return true;
}

static const struct ew_row *find_row(struct str name)
{
	const struct op *op = op_find((struct str){"", 0}, name, INT64_MAX);
	const struct ew_row *r = op ? ew_find(op->id) : NULL;

	return r && op->in_max == 1 && r->f && !(r->flags & EW_BOOL) ? r : NULL;
}

static enum status activation_init(struct kcall *c, struct activation *a)
{
	struct str name = node_attr_str(c->node, "activation", "");
	const struct ew_row *r;

	*a = (struct activation){0};
	if (name.n == 0)
		return OK;
	if (str_is(name, "Clip")) {
		a->f = ew_clip_f64;
		a->q = ew_fast(q_clip);
		a->par.a[0] = -INFINITY;
		a->par.a[1] = INFINITY;
		given(c, 0, "alpha", &a->par.a[0]);
		given(c, 1, "beta", &a->par.a[1]);
		return OK;
	}
	r = find_row(name);
	if (!r)
		return kcall_error(c, E_attr,
				   "activation '%.*s' is no elementwise "
				   "operator",
				   (int)(name.n < 64 ? name.n : 64), name.p);
	a->f = r->f;
	a->q = r->q ? ew_fast(r->q) : NULL;
	for (size_t k = 0; k < PARAMS && r->attr[k]; k++) {
		a->par.a[k] = (double)r->dflt[k];
		given(c, k, r->attr[k], &a->par.a[k]);
	}
	return OK;
}

/* Z of FusedConv, or NULL. */
static enum status addend(struct kcall *c, int rank, const int64_t *dim,
			  const struct array **z)
{
	bool conv = c->node->op->id == OP_ms_FusedConv;
	const struct array *a = conv && kcall_has(c, 3) ? c->in[3] : NULL;
	bool fits = !a || (a->kind == ARR_TENSOR && a->rank == rank);

	for (int i = 0; a && fits && i < rank; i++)
		fits = a->dim[i] == dim[i];
	*z = a;
	return fits ? OK
		    : kcall_error(c, E_shape, "Z has not the result's shape");
}

enum status activate_f64(struct kcall *c, int rank, const int64_t *dim,
			 double *y)
{
	struct activation a;
	const struct array *z;
	const double *v;
	int64_t n = nn_product(dim, 0, rank);
	const void *x[EW_MAX_IN] = {y};
	enum status s;

	if (!activates(c))
		return OK;
	s = addend(c, rank, dim, &z);
	if (s == OK)
		s = activation_init(c, &a);
	if (s != OK)
		return s;
	if (z) {
		v = nn_load(c, 3);
		if (!v)
			return LIMIT;
		for (int64_t i = 0; i < n; i++)
			y[i] += v[i];
	}
	if (a.f)
		a.f(&a.par, (size_t)n, y, x);
	return OK;
}

struct activate_job {
	const struct activation *a;
	const float *z;
	float *y;
	int64_t n;
};

/* A float loop where there is one, else through doubles. */
static void apply(const struct activation *a, float *y, int64_t n)
{
	double tmp[256];
	const void *x[EW_MAX_IN] = {y};

	if (a->q) {
		a->q(&a->par, (size_t)n, y, x);
		return;
	}
	x[0] = tmp;
	for (int64_t i = 0; a->f && i < n; i += (int64_t)countof(tmp)) {
		int64_t m = min64(n - i, (int64_t)countof(tmp));

		for (int64_t k = 0; k < m; k++)
			tmp[k] = (double)y[i + k];
		a->f(&a->par, (size_t)m, tmp, x);
		for (int64_t k = 0; k < m; k++)
			y[i + k] = (float)tmp[k];
	}
}

static void activate_task(void *arg, size_t i)
{
	const struct activate_job *j = arg;
	int64_t at = (int64_t)i * CHUNK, n = min64(j->n - at, CHUNK);
	float *y = j->y + at;

	for (int64_t k = 0; j->z && k < n; k++)
		y[k] += j->z[at + k];
	apply(j->a, y, n);
}

enum status activate_f32(struct kcall *c)
{
	struct activation a;
	const struct array *z;
	struct array *y = c->out[0];
	struct activate_job j = {.a = &a};
	enum status s;

	if (!activates(c))
		return OK;
	s = addend(c, y->rank, y->dim, &z);
	if (s == OK)
		s = activation_init(c, &a);
	if (s != OK)
		return s;
	j.z = z ? z->data : NULL;
	j.y = y->data;
	j.n = y->n;
	if (z || a.f)
		pool_for((size_t)ceil_div(y->n, CHUNK), activate_task, &j);
	return OK;
}
