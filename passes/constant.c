/* SPDX-License-Identifier: MIT */
/*
 * constant.c -- what is constant, and its value, without touching the graph.
 *
 * ConstantOfShape of a known shape is a constant without bytes (a splat), and
 * elementwise arithmetic on such constants gives one again, so networks whose
 * weights are fills are rewritten like any other and never materialized.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "passes/constant_p.h"
#include "runtime/runtime.h"

bool const_is_splat(const struct tensor *t)
{
	return t->blob && t->blob->kind == BLOB_SPLAT;
}

/* t->n copies of the element at p. */
static const struct tensor *splat_of(struct model *m, enum dtype dt, int rank,
				     const int64_t *dim, const void *p)
{
	unsigned bits = dtype_bits(dt);
	const struct tensor *t;
	struct blob *b;
	int64_t n = 1;
	size_t bytes;

	for (int i = 0; i < rank; i++)
		if (!mul_i64(n, dim[i], &n))
			return NULL;
	if (bits < 8 || !dtype_bytes(dt, n, &bytes))
		return NULL;
	b = blob_splat(p, bits / 8, bytes);
	t = tensor_of_blob(m, dt, rank, dim, b, 0);
	blob_unref(b);
	return t;
}

const struct tensor *const_splat(struct model *m, enum dtype dt, int rank,
				 const int64_t *dim, double x)
{
	uint8_t elem[16] = {0};

	if (dtype_bits(dt) < 8)
		return NULL;
	dtype_set(dt, elem, 0, x);
	return splat_of(m, dt, rank, dim, elem);
}

/* One element of t, as a scalar. */
static const struct tensor *first_element(struct model *m,
					  const struct tensor *t)
{
	return const_is_splat(t)
		       ? splat_of(m, t->dt, 0, NULL, t->blob->p)
		       : tensor_of_blob(m, t->dt, 0, NULL, t->blob, t->off);
}

/* ---- casts ---- */

/* Payloads in a mapped file lie at any address: src may not be aligned. */
#define CAST_LOOP(from, to)                                                \
	for (size_t i = 0; i < n; i++) {                                   \
		from x;                                                    \
                                                                           \
		memcpy(&x, (const uint8_t *)src + i * sizeof x, sizeof x); \
		((to *)dst)[i] = (to)x;                                    \
	}

static void cast_elements(enum dtype from, const void *src, enum dtype to,
			  void *dst, size_t n)
{
	if (from == DT_F32 && to == DT_F64)
		CAST_LOOP(float, double)
	else if (from == DT_F64 && to == DT_F32)
		CAST_LOOP(double, float)
	else
		for (size_t i = 0; i < n; i++)
			dtype_set(to, dst, i, dtype_get(from, src, i));
}

const struct tensor *const_cast_to(struct model *m, const struct tensor *t,
				   enum dtype dt)
{
	const struct tensor *r;
	struct blob *b;
	const void *src;
	size_t bytes;

	if (t->dt == dt)
		return t;
	if (!strchr("fiub", dtype_kind(t->dt)))
		return NULL;
	if (const_is_splat(t) && dtype_bits(dt) >= 8)
		return const_splat(m, dt, t->rank, t->dim,
				   dtype_get(t->dt, t->blob->p, 0));
	if (t->n == 0)
		return tensor_create(m, dt, t->rank, t->dim);
	src = tensor_data(m, t);
	if (!src || !dtype_bytes(dt, t->n, &bytes))
		return NULL;
	b = dtype_bits(dt) < 8 ? blob_alloc(m->diag, bytes)
			       : blob_alloc_dirty(m->diag, bytes);
	if (!b)
		return NULL;
	cast_elements(t->dt, src, dt, b->p, (size_t)t->n);
	r = tensor_of_blob(m, dt, t->rank, t->dim, b, 0);
	blob_unref(b);
	return r;
}

/* NaN and infinity have every bit of the exponent set. */
static bool finite_f32(const uint8_t *p, size_t n)
{
	uint32_t odd = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, p + 4 * i, sizeof bits);
		odd |= (bits & 0x7f800000) == 0x7f800000;
	}
	return !odd;
}

bool const_finite(const struct model *m, const struct tensor *t)
{
	const void *p;

	if (!dtype_is_float(t->dt) || !t->n)
		return true;
	if (const_is_splat(t))
		return isfinite(dtype_get(t->dt, t->blob->p, 0));
	p = tensor_data(m, t);
	if (!p)
		return false;
	if (t->dt == DT_F32)
		return finite_f32(p, (size_t)t->n);
	for (size_t i = 0; i < (size_t)t->n; i++)
		if (!isfinite(dtype_get(t->dt, p, i)))
			return false;
	return true;
}

/* ---- evaluation ---- */

/* dim = the broadcast of dim and t's; false if they do not fit. */
static bool broadcast_into(int *rank, int64_t *dim, int max,
			   const struct tensor *t)
{
	int grow = t->rank - *rank;

	if (t->rank > max)
		return false;
	if (grow > 0) {
		memmove(dim + grow, dim, (size_t)*rank * sizeof *dim);
		for (int i = 0; i < grow; i++)
			dim[i] = 1;
		*rank = t->rank;
	}
	for (int i = 0; i < t->rank; i++) {
		int64_t *d = &dim[*rank - t->rank + i];

		if (*d != t->dim[i] && *d != 1 && t->dim[i] != 1)
			return false;
		if (*d == 1)
			*d = t->dim[i];
	}
	return true;
}

enum { MAX_IN = 24, MAX_RANK = 16 };

/* Elementwise arithmetic on uniform operands: one element, repeated. */
static bool eval_uniform(struct node *n, const struct tensor *const *in,
			 uint32_t nin, const struct tensor **out)
{
	struct model *m = n->graph->model;
	const struct tensor *one[MAX_IN] = {NULL};
	int64_t dim[MAX_RANK];
	bool splat = false;
	int rank = 0;

	if (!(n->op->flags & OPF_ELEMENTWISE) || nin > MAX_IN || n->nout != 1 ||
	    node_has_attr(n, "axis"))
		return false;
	for (uint32_t i = 0; i < nin; i++) {
		if (!in[i])
			continue;
		splat |= const_is_splat(in[i]);
		if (dtype_bits(in[i]->dt) < 8 ||
		    !(in[i]->n == 1 || const_is_splat(in[i])) ||
		    !broadcast_into(&rank, dim, MAX_RANK, in[i]))
			return false;
		one[i] = first_element(m, in[i]);
	}
	if (!splat || eval_node(m, n, one, out) != OK || !out[0] ||
	    out[0]->n != 1 || dtype_bits(out[0]->dt) < 8)
		return false;
	out[0] = splat_of(m, out[0]->dt, rank, dim, tensor_data(m, out[0]));
	return out[0] != NULL;
}

/* Moving the elements of a uniform tensor around. */
static bool eval_moved(struct node *n, const struct tensor *const *in,
		       uint32_t nin, const struct tensor **out)
{
	struct model *m = n->graph->model;
	const struct type *t = n->nout == 1 ? n->out[0]->type : NULL;
	int64_t dim[MAX_RANK];

	if (!t || !type_static(t) || t->rank > MAX_RANK || !nin || !in[0] ||
	    !const_is_splat(in[0]) || t->dt != in[0]->dt)
		return false;
	switch (n->op->id) {
	case OP_Expand:
	case OP_Flatten:
	case OP_Identity:
	case OP_Reshape:
	case OP_Slice:
	case OP_Squeeze:
	case OP_Tile:
	case OP_Transpose:
	case OP_Unsqueeze:
		break;
	default:
		return false;
	}
	for (int i = 0; i < t->rank; i++)
		dim[i] = t->dim[i].n;
	out[0] = splat_of(m, t->dt, t->rank, dim, in[0]->blob->p);
	return out[0] != NULL;
}

bool const_eval(struct node *n, const struct tensor *const *in, uint32_t nin,
		const struct tensor **out)
{
	struct model *m = n->graph->model;
	struct diag *d = m->diag, quiet = {0};
	bool ok;

	if (!(n->op->flags & OPF_PURE) || n->op->flags & OPF_RANDOM ||
	    node_graph_count(n) || node_has_attr_ref(n))
		return false;
	m->diag = &quiet;
	ok = eval_moved(n, in, nin, out) || eval_uniform(n, in, nin, out) ||
	     eval_node(m, n, in, out) == OK;
	m->diag = d;
	diag_release(&quiet);
	return ok;
}

const struct tensor *const_of_data(struct value *v)
{
	struct model *m = v->graph->model;
	const struct type *t = v->type;
	int64_t n, dim[MAX_RANK];
	struct tensor *r;
	int64_t x;

	if (!v->data || t->kind != TY_TENSOR || !type_count(t, &n) ||
	    n != v->ndata || t->rank > MAX_RANK ||
	    !strchr("iub", dtype_kind(t->dt)))
		return NULL;
	for (uint32_t i = 0; i < v->ndata; i++)
		if (!dim_number(m, v->data[i], &x))
			return NULL;
	for (int i = 0; i < t->rank; i++)
		dim[i] = t->dim[i].n;
	r = tensor_create(m, t->dt, t->rank, dim);
	for (uint32_t i = 0; r && i < v->ndata; i++) {
		(void)dim_number(m, v->data[i], &x);
		dtype_set_int(t->dt, tensor_data_mut(r), i, x);
	}
	return r;
}

/* ---- Constant and ConstantOfShape ---- */

static const struct tensor *of_attr(struct model *m, const struct attr *a)
{
	int64_t n = a->n;
	bool list = a->kind == ATTR_FLOATS || a->kind == ATTR_INTS;
	struct tensor *t;

	if (a->kind == ATTR_TENSOR)
		return a->u.t[0];
	if (a->kind == ATTR_INT || a->kind == ATTR_INTS)
		return tensor_i64(m, list, &n, a->u.i);
	if (a->kind != ATTR_FLOAT && a->kind != ATTR_FLOATS)
		return NULL;
	t = tensor_create(m, DT_F32, list, &n);
	for (int64_t i = 0; t && i < n; i++)
		dtype_set(DT_F32, tensor_data_mut(t), (size_t)i,
			  (double)a->u.f[i]);
	return t;
}

static const struct tensor *of_shape(struct node *n)
{
	const struct tensor *v = node_attr_tensor(n, "value"), *s;
	struct value *shape = node_in(n, 0);
	struct model *m = n->graph->model;
	static const float zero;
	int64_t dim[MAX_RANK];
	const void *p = &zero;

	s = shape ? shape->konst : NULL;
	if (!s || s->dt != DT_I64 || s->n > MAX_RANK || s->rank != 1)
		return NULL;
	for (int64_t i = 0; i < s->n; i++) {
		dim[i] = tensor_int(m, s, i);
		if (dim[i] <= 0)
			return NULL;
	}
	if (v && (v->n != 1 || dtype_bits(v->dt) < 8))
		return NULL;
	if (v)
		p = tensor_data(m, v);
	return p ? splat_of(m, v ? v->dt : DT_F32, (int)s->n, dim, p) : NULL;
}

void node_find_const(struct node *n)
{
	struct value *v = node_out(n, 0);

	if (!v || v->konst || node_has_attr_ref(n))
		return;
	if (node_is(n, OP_Constant) && n->nattr == 1)
		v->konst = of_attr(n->graph->model, &n->attr[0]);
	else if (node_is(n, OP_ConstantOfShape))
		v->konst = of_shape(n);
}

void model_find_consts(struct model *m)
{
	graph_vec g = {0};
	struct node *n;

	model_graphs(m, &g);
	for (size_t i = 0; i < g.n; i++)
		graph_foreach (n, g.p[i])
			node_find_const(n);
	vec_release(&g);
}

/* ---- placing ---- */

bool const_fillable(const struct graph *g, const struct tensor *t)
{
	return const_is_splat(t) && t->n > 1 && dtype_bits(t->dt) >= 8 &&
	       op_latest(OP_ConstantOfShape, model_opset(g, DOM_ONNX));
}

bool const_storable(const struct graph *g)
{
	const struct model *m = g->model;

	return !g->func && (!m->has_ir_version || m->ir_version >= 4);
}

bool const_same_dims(const struct tensor *a, const struct tensor *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return false;
	return true;
}

struct value *const_shape_of(const struct value *v, const struct tensor *t)
{
	return v && v->konst && value_op(v) == OP_ConstantOfShape &&
			       const_same_dims(v->konst, t)
		       ? node_in(v->def, 0)
		       : NULL;
}

struct value *const_place(struct graph *g, const struct tensor *t, bool fill,
			  struct value *shape, struct node *before)
{
	int64_t rank = t->rank, one = 1;
	struct model *m = g->model;
	struct node *n;

	if (!fill)
		return value_const(g, t, before);
	if (!shape)
		shape = value_const(g, tensor_i64(m, 1, &rank, t->dim), before);
	n = node_make(g, OP_ConstantOfShape, 1, 1, before);
	if (!n)
		BUG("const_place: the graph has no ConstantOfShape");
	node_set_input(n, 0, shape);
	node_set_tensor(n, "value", splat_of(m, t->dt, 1, &one, t->blob->p));
	n->out[0]->type = tensor_type(m, t);
	n->out[0]->konst = t;
	return n->out[0];
}

/* ---- temporary tensors ---- */

size_t scratch_begin(const struct model *m)
{
	return m->blobs.n;
}

void scratch_end(struct model *m, size_t mark, const struct map *keep)
{
	size_t kept = mark;

	for (size_t i = mark; i < m->blobs.n; i++) {
		struct blob *b = m->blobs.p[i];

		if (map_get(keep, map_ptr_key(b)))
			m->blobs.p[kept++] = b;
		else
			blob_unref(b);
	}
	m->blobs.n = kept;
}
