/* SPDX-License-Identifier: MIT */
/*
 * control.c -- If, Loop, Scan, SequenceMap: types flow into bodies and back.
 *
 * The type of a value that a loop carries must hold before and after every
 * iteration: it starts as the initial one and is widened by what the body
 * returns until nothing changes, which takes at most ROUNDS rounds.  Scan
 * requires one shape of all iterations, so what both say holds there.
 */
#include "ir/infer/infer.h"

enum { ROUNDS = 4 };

/* What a body returns, in terms of what surrounds it. */
static const struct type *returned(const struct graph *g, uint32_t i)
{
	const struct value *v = i < g->ret->nin ? g->ret->in[i].v : NULL;

	return v ? type_leave(v->type, g) : type_unknown();
}

/* Gives a body's input a type on top of its declaration. */
static enum status body_input(struct node *n, struct graph *body, uint32_t i,
			      const struct type *t)
{
	struct model *m = body->model;
	struct buf a = {0}, b = {0};
	const struct type *merged;
	enum status st;

	if (i >= body->nin)
		return OK;
	merged = infer_meet(m, t, body->in_info[i].decl);
	if (merged) {
		body->in[i]->type = merged;
		infer_name_dims(body->in[i]);
		return OK;
	}
	type_print(m, &a, t);
	type_print(m, &b, body->in_info[i].decl);
	st = infer_error(n, E_type,
			 "input %u of the body is declared as '%s', but gets "
			 "'%s'",
			 (unsigned)i, b.p, a.p);
	buf_release(&a);
	buf_release(&b);
	return st;
}

/* Elements that both branches return. */
static void join_data(struct node *n, uint32_t i, const struct graph *a,
		      const struct graph *b)
{
	const struct value *x = i < a->ret->nin ? a->ret->in[i].v : NULL;
	const struct value *y = i < b->ret->nin ? b->ret->in[i].v : NULL;
	struct dim *d;

	if (!x || !y || !x->data || !y->data || x->ndata != y->ndata)
		return;
	d = dims_new(n, x->ndata);
	for (uint32_t k = 0; k < x->ndata; k++) {
		d[k] = dim_equal(x->data[k], y->data[k]) ? x->data[k]
							 : dim_none();
		d[k] = dim_leave(dim_leave(d[k], a), b);
	}
	out_data(n, i, d, x->ndata);
}

static bool branch_fits(struct graph *g)
{
	struct diag *d = g->model->diag, quiet = {0};
	bool ok;

	g->model->diag = &quiet;
	ok = infer_graph(g) == OK;
	g->model->diag = d;
	diag_release(&quiet);
	return ok;
}

/* A branch that contradicts itself is never taken in a run that succeeds: the
 * outputs are the other one's. */
enum status infer_if(struct node *n)
{
	struct model *m = node_model(n);
	struct graph *a = node_attr_graph(n, "then_branch");
	struct graph *b = node_attr_graph(n, "else_branch");
	const struct dim *cond;
	enum status st = OK;
	uint32_t count;
	bool fits_a, fits_b;

	if (!a || !b)
		return OK;
	fits_a = branch_fits(a);
	fits_b = branch_fits(b);
	if (!fits_a && !fits_b)
		return infer_graph(a);
	/* a known condition leaves one branch */
	if (in_data(n, 0, &cond, &count) && count == 1 && dim_known(cond[0])) {
		fits_a = cond[0].n != 0;
		fits_b = !fits_a;
	}
	a = fits_a ? a : b;
	b = fits_b ? b : a;
	for (uint32_t i = 0; i < n->nout && !st; i++) {
		st = out_type(n, i,
			      type_join(m, returned(a, i), returned(b, i)));
		join_data(n, i, a, b);
	}
	return st;
}

/* Body inputs [in0, in0+n) carry what outputs [out0, out0+n) return. */
struct carried {
	struct graph *body;
	uint32_t in0, out0, n;
	bool fixed; /* of one shape in all iterations */
	const struct type **t;
};

static const struct type *without_shape(struct model *m, const struct type *t)
{
	return t->kind == TY_TENSOR ? type_tensor(m, t->dt, -1, NULL)
				    : type_unknown();
}

/* Widens the carried types by what the body returned; true if none changed. */
static bool widen(struct model *m, struct carried *c, bool last)
{
	bool same = true;

	for (uint32_t i = 0; i < c->n; i++) {
		const struct type *t = returned(c->body, c->out0 + i);
		const struct type *j =
			c->fixed ? type_merge(m, c->t[i], t) : NULL;
		bool merged = j != NULL;

		if (!merged)
			j = type_join(m, c->t[i], t);
		if (j == c->t[i])
			continue;
		same = false;
		c->t[i] = last && !merged ? without_shape(m, j) : j;
	}
	return same;
}

/* What the body declares of a carried value holds of the first one, too. */
static void take_declared(struct model *m, struct carried *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		const struct info *in = &c->body->in_info[c->in0 + i];
		const struct type *t = infer_meet(m, c->t[i], in->decl);

		if (c->fixed && t)
			c->t[i] = t;
	}
}

static enum status infer_carried(struct node *n, struct carried *c,
				 const struct type *const *other)
{
	struct model *m = node_model(n);
	enum status st = OK;

	take_declared(m, c);
	for (int round = 0; round < ROUNDS && !st; round++) {
		infer_reset(c->body);
		for (uint32_t i = 0; i < c->body->nin && !st; i++) {
			bool own = i >= c->in0 && i - c->in0 < c->n;

			st = body_input(n, c->body, i,
					own ? c->t[i - c->in0] : other[i]);
		}
		if (!st)
			st = infer_graph(c->body);
		if (!st && widen(m, c, round >= ROUNDS - 2))
			return OK;
	}
	for (uint32_t i = 0; i < c->n; i++)
		c->t[i] = type_unknown();
	return st;
}

/* t with a dim put before axis `at`. */
static const struct type *with_dim(struct node *n, const struct type *t,
				   int64_t at, struct dim d)
{
	struct dim *r;
	int k = 0;

	if (t->kind != TY_TENSOR || t->rank < 0)
		return t;
	at += at < 0 ? t->rank + 1 : 0;
	if (at < 0 || at > t->rank)
		return type_tensor(node_model(n), t->dt, -1, NULL);
	r = dims_new(n, (size_t)t->rank + 1);
	for (int i = 0; i <= t->rank; i++)
		r[i] = i == at ? d : t->dim[k++];
	return type_tensor(node_model(n), t->dt, t->rank + 1, r);
}

/* t without axis `at`, whose size goes to *d. */
static const struct type *drop_dim(struct node *n, const struct type *t,
				   int64_t at, struct dim *d)
{
	struct dim *r;
	int k = 0;

	*d = dim_none();
	if (t->kind != TY_TENSOR || t->rank < 0)
		return t;
	at += at < 0 ? t->rank : 0;
	if (at < 0 || at >= t->rank)
		return type_tensor(node_model(n), t->dt, -1, NULL);
	*d = t->dim[at];
	r = dims_new(n, (size_t)t->rank);
	for (int i = 0; i < t->rank; i++)
		if (i != at)
			r[k++] = t->dim[i];
	return type_tensor(node_model(n), t->dt, t->rank - 1, r);
}

/* ---- Loop ---- */

static bool is_true(const struct value *v)
{
	return v && v->konst && v->konst->dt == DT_BOOL && v->konst->n == 1 &&
	       tensor_int(v->graph->model, v->konst, 0) != 0;
}

/* The number of iterations if only the trip count ends the loop. */
static struct dim trips(struct node *n, const struct graph *body)
{
	const struct value *end = body->ret->nin ? body->ret->in[0].v : NULL;
	const struct dim *d;
	uint32_t count;
	int64_t v;

	/* a condition passed through Identity nodes */
	while (end && end->def && node_is(end->def, OP_Identity))
		end = node_in(end->def, 0);
	if (in_given(n, 1) && !is_true(node_in(n, 1)))
		return dim_none();
	if (!is_true(end) && !(body->nin > 1 && end == body->in[1]))
		return dim_none();
	if (!in_data(n, 0, &d, &count) || count != 1)
		return dim_none();
	return dim_number(node_model(n), d[0], &v) && v < 0 ? dim_of(0) : d[0];
}

enum status infer_loop(struct node *n)
{
	struct model *m = node_model(n);
	struct graph *body = node_attr_graph(n, "body");
	struct carried c = {.body = body, .in0 = 2, .out0 = 1};
	const struct type *other[2] = {type_tensor(m, DT_I64, 0, NULL),
				       type_tensor(m, DT_BOOL, 0, NULL)};
	struct dim count;
	enum status st;

	if (!body || n->nin < 2)
		return OK;
	c.n = n->nin - 2;
	if (body->nin != n->nin || body->ret->nin != n->nout + 1)
		return infer_error(n, E_type,
				   "the body takes %u values and returns %u, "
				   "expected %u and %u",
				   (unsigned)body->nin,
				   (unsigned)body->ret->nin, (unsigned)n->nin,
				   (unsigned)n->nout + 1);
	c.t = scratch(n, c.n + 1u, sizeof(*c.t));
	for (uint32_t i = 0; i < c.n; i++)
		c.t[i] = in_type(n, i + 2);
	st = infer_carried(n, &c, other);
	count = trips(n, body);
	for (uint32_t i = 0; i < n->nout && !st; i++)
		st = out_type(
			n, i,
			i < c.n ? c.t[i]
				: with_dim(n, returned(body, i + 1), 0, count));
	return st;
}

/* ---- Scan ---- */

static int64_t axis_at(const int64_t *axes, size_t count, size_t i)
{
	return axes && i < count ? axes[i] : 0;
}

enum status infer_scan(struct node *n)
{
	struct graph *body = node_attr_graph(n, "body");
	int64_t k = node_attr_int(n, "num_scan_inputs", 0);
	size_t nin, nout;
	const int64_t *in_axes = node_attr_ints(n, "scan_input_axes", &nin);
	const int64_t *out_axes = node_attr_ints(n, "scan_output_axes", &nout);
	struct carried c = {.body = body, .fixed = true};
	const struct type **t;
	struct dim len = dim_none(), d;
	enum status st;

	if (!body)
		return OK;
	if (k < 1 || k > n->nin)
		return infer_error(n, E_value,
				   "num_scan_inputs is %lld for %u inputs",
				   (long long)k, (unsigned)n->nin);
	c.n = n->nin - (uint32_t)k;
	if (body->nin != n->nin || body->ret->nin != n->nout || c.n > n->nout)
		return infer_error(n, E_type,
				   "the body takes %u values and returns %u, "
				   "expected %u and %u",
				   (unsigned)body->nin,
				   (unsigned)body->ret->nin, (unsigned)n->nin,
				   (unsigned)n->nout);
	t = scratch(n, n->nin + 1u, sizeof(*t));
	for (uint32_t i = 0; i < n->nin; i++) {
		t[i] = in_type(n, i);
		if (i < c.n)
			continue;
		t[i] = drop_dim(n, t[i], axis_at(in_axes, nin, i - c.n), &d);
		if (!dim_join(len, d, &len))
			return infer_error(n, E_shape,
					   "scan inputs have %lld and %lld "
					   "elements",
					   (long long)len.n, (long long)d.n);
	}
	c.t = t;
	st = infer_carried(n, &c, t);
	for (uint32_t i = 0; i < n->nout && !st; i++)
		st = out_type(
			n, i,
			i < c.n ? c.t[i]
				: with_dim(n, returned(body, i),
					   axis_at(out_axes, nout, i - c.n),
					   len));
	return st;
}

/* Version 8 puts a batch axis before all, and sequence lengths first. */
enum status infer_scan_old(struct node *n)
{
	struct graph *body = node_attr_graph(n, "body");
	int64_t k = node_attr_int(n, "num_scan_inputs", 0);
	struct carried c = {.body = body, .fixed = true};
	const struct type **t;
	struct dim len = dim_none(), batch = dim_none(), d;
	enum status st;

	if (!body || k < 1 || k + 1 > n->nin || body->nin + 1 != n->nin ||
	    body->ret->nin != n->nout)
		return OK;
	c.n = body->nin - (uint32_t)k;
	t = scratch(n, n->nin + 1u, sizeof(*t));
	for (uint32_t i = 0; i < body->nin; i++) {
		t[i] = drop_dim(n, in_type(n, i + 1), 0, &d);
		if (!dim_unknown(d))
			batch = d;
		if (i < c.n)
			continue;
		t[i] = drop_dim(n, t[i], 0, &d);
		if (!dim_unknown(d))
			len = d;
	}
	c.t = t;
	st = infer_carried(n, &c, t);
	for (uint32_t i = 0; i < n->nout && !st; i++) {
		const struct type *r = i < c.n ? c.t[i] : returned(body, i);

		if (i >= c.n)
			r = with_dim(n, r, 0, len);
		st = out_type(n, i, with_dim(n, r, 0, batch));
	}
	return st;
}

/* ---- SequenceMap ---- */

enum status infer_sequence_map(struct node *n)
{
	struct model *m = node_model(n);
	struct graph *body = node_attr_graph(n, "body");
	enum status st = OK;

	if (!body || body->nin != n->nin || body->ret->nin != n->nout)
		return OK;
	for (uint32_t i = 0; i < n->nin && !st; i++) {
		const struct type *t = in_type(n, i);

		st = body_input(n, body, i,
				t->kind == TY_SEQ && t->elem ? t->elem : t);
	}
	if (!st)
		st = infer_graph(body);
	for (uint32_t i = 0; i < n->nout && !st; i++)
		st = out_type(
			n, i,
			type_of_elem(m, TY_SEQ, DT_NONE, returned(body, i)));
	return st;
}

/* ---- FlexAttention ---- */

static enum status score_body(struct node *n, const char *name,
			      const struct type *scores)
{
	struct graph *body = node_attr_graph(n, name);
	enum status st;

	if (!body || body->nin != 1)
		return OK;
	st = body_input(n, body, 0, scores);
	return st ? st : infer_graph(body);
}

/* Its bodies see scores [batch, heads, query, key] of softmax_precision. */
enum status infer_flex_attention(struct node *n)
{
	int64_t dt = node_attr_int(n, "softmax_precision",
				   in_dtype(n, 0) == DT_F64 ? DT_F64 : DT_F32);
	int rq, rk;
	const struct dim *q = in_dims(n, 0, &rq), *k = in_dims(n, 1, &rk);
	struct dim d[4];
	const struct type *t;
	enum status st = infer_attention(n);

	if (st || !q || !k || rq != 4 || rk != 4 || !dtype_valid(dt) ||
	    !in_dtype(n, 0))
		return st;
	d[0] = q[0];
	d[1] = q[1];
	d[2] = q[2];
	d[3] = k[2];
	t = type_tensor(node_model(n), (enum dtype)dt, 4, d);
	st = score_body(n, "score_mod", t);
	return st ? st : score_body(n, "prob_mod", t);
}
