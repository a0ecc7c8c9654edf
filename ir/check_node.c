/* SPDX-License-Identifier: MIT */
/*
 * check_node.c -- a node against the schema of its operator, and payloads.
 */
#include <string.h>

#include "ir/check_p.h"
#include "ir/formal.h"

/* ---- the operator ---- */

static bool known_domain(struct str d)
{
	for (int i = DOM_ONNX; i < DOM_MS; i++)
		if (str_is(d, op_domain_name((enum op_domain)i)))
			return true;
	return str_is(d, "ai.onnx");
}

static void check_op(struct check *c, const struct node *n)
{
	struct at at = node_at(n);
	struct str d = sym_str(c->m, n->domain);

	if (n->op->flags & OPF_DEPRECATED)
		check_strict(c, &at, E_op,
			     "the operator is deprecated since version %d",
			     n->op->since);
	if (n->op->id == OP_UNKNOWN && known_domain(d))
		check_error(c, &at, E_op,
			    "domain '%.*s' has no such operator at the "
			    "imported version",
			    (int)d.n, d.p ? d.p : "");
}

/* A call's shape: the function's own parameters. */
static void check_call(struct check *c, const struct node *n)
{
	const struct func *f = n->func;
	struct at at = node_at(n);

	if (!f || !f->body)
		return;
	if (n->nin > f->body->nin)
		check_error(c, &at, E_arity,
			    "%u inputs, but the function takes %u",
			    (unsigned)n->nin, (unsigned)f->body->nin);
	if (n->nout > f->body->ret->nin)
		check_error(c, &at, E_arity,
			    "%u outputs, but the function returns %u",
			    (unsigned)n->nout, (unsigned)f->body->ret->nin);
	for (uint32_t i = 0; i < f->nattr; i++) {
		struct str a = sym_str(c->m, f->attr[i]);
		bool given = false;

		for (uint32_t k = 0; k < n->nattr; k++)
			given |= n->attr[k].name == f->attr[i];
		if (!given)
			check_error(c, &at, E_attr_schema,
				    "attribute '%.*s' of the function is "
				    "missing",
				    (int)a.n, a.p);
	}
}

/* ---- arity ---- */

static void check_count(struct check *c, const struct node *n, const char *what,
			uint32_t have, int min, int max)
{
	struct at at = node_at(n);

	if (have < (uint32_t)min)
		check_error(c, &at, E_arity, "%u %s, at least %d expected",
			    (unsigned)have, what, min);
	else if (max != ARITY_ANY && have > (uint32_t)max)
		check_error(c, &at, E_arity, "%u %s, at most %d expected",
			    (unsigned)have, what, max);
}

static void check_slots(struct check *c, const struct node *n)
{
	struct at at = node_at(n);
	struct formal f;

	for (uint32_t i = 0; i < n->nin; i++)
		if (!n->in[i].v && formal_at(n->op->in, i, &f) && !f.optional &&
		    !f.variadic)
			check_error(c, &at, E_arity,
				    "input %u '%.*s' is left out", (unsigned)i,
				    (int)f.name.n, f.name.p);
	for (uint32_t i = 0; i < n->nout; i++)
		if (!n->out[i] && formal_at(n->op->out, i, &f) && !f.optional &&
		    !f.variadic)
			check_error(c, &at, E_arity,
				    "output %u '%.*s' is left out", (unsigned)i,
				    (int)f.name.n, f.name.p);
}

/* ---- attributes ---- */

static const char *kind_name(enum attr_kind k)
{
	static const char *const names[] = {
		"nothing", "float",  "int",     "string",  "tensor",
		"graph",   "floats", "ints",    "strings", "tensors",
		"graphs",  "sparse", "sparses", "type",    "types",
	};

	return (size_t)k < countof(names) ? names[k] : "nothing";
}

static void check_attr(struct check *c, const struct node *n,
		       const struct attr *a)
{
	struct at at = node_at(n);
	struct str name = sym_str(c->m, a->name);
	struct attr_spec spec;

	at.slot = name;
	if (a->ref && !n->graph->func) {
		const struct graph *g = n->graph;

		while (g->owner)
			g = g->owner->graph;
		if (!g->func)
			check_error(c, &at, E_attr,
				    "the attribute refers to a function's "
				    "parameter outside of a function");
	}
	if (n->op->domain == DOM_NONE)
		return;
	if (!attr_spec_find(n->op, name, &spec)) {
		if (n->op->domain != DOM_MS)
			check_error(c, &at, E_attr_schema,
				    "the operator has no attribute '%.*s'",
				    (int)name.n, name.p);
	} else if (spec.kind != a->kind) {
		check_error(c, &at, E_attr_schema,
			    "attribute '%.*s' is of kind %s, expected %s",
			    (int)name.n, name.p, kind_name(a->kind),
			    kind_name(spec.kind));
	}
}

static void check_payloads(struct check *c, const struct node *n,
			   const struct attr *a)
{
	struct at at = node_at(n);

	at.slot = sym_str(c->m, a->name);
	if (a->kind != ATTR_TENSOR && a->kind != ATTR_TENSORS &&
	    a->kind != ATTR_SPARSE && a->kind != ATTR_SPARSES)
		return;
	for (uint32_t i = 0; i < a->n && !a->ref; i++)
		check_tensor(c, &at, a->u.t[i]);
}

static void check_required(struct check *c, const struct node *n,
			   const struct map *given)
{
	struct at at = node_at(n);
	const char *p = n->op->attrs;
	struct attr_spec spec;

	while (attr_spec_next(&p, &spec)) {
		sym name =
			spec.required ? intern_find(c->m->syms, spec.name) : 0;

		if (spec.required && (!name || !map_get(given, name)))
			check_error(c, &at, E_attr_schema,
				    "the required attribute '%.*s' is missing",
				    (int)spec.name.n, spec.name.p);
	}
}

static void check_attrs(struct check *c, const struct node *n)
{
	struct at at = node_at(n);
	struct map given = {0};

	for (uint32_t i = 0; i < n->nattr; i++) {
		struct str name = sym_str(c->m, n->attr[i].name);

		if (!map_put(&given, n->attr[i].name, i))
			check_error(c, &at, E_attr,
				    "attribute '%.*s' is repeated", (int)name.n,
				    name.p);
		check_attr(c, n, &n->attr[i]);
		check_payloads(c, n, &n->attr[i]);
	}
	check_required(c, n, &given);
	map_release(&given);
}

void check_node(struct check *c, const struct node *n)
{
	struct at at = node_at(n);

	check_op(c, n);
	if (n->nin == 0 && n->nout == 0)
		check_error(c, &at, E_arity,
			    "the node has neither inputs nor outputs");
	check_attrs(c, n);
	if (n->op->id == OP_CALL)
		check_call(c, n);
	if (n->op->domain == DOM_NONE)
		return;
	check_count(c, n, "inputs", n->nin, n->op->in_min, n->op->in_max);
	check_count(c, n, "outputs", n->nout, n->op->out_min, n->op->out_max);
	check_slots(c, n);
}

/* ---- types ---- */

static void type_error(struct check *c, const struct node *n, uint32_t i,
		       bool output, const struct formal *f, struct str types)
{
	const struct value *v = output ? n->out[i] : n->in[i].v;
	struct at at = node_at(n);
	struct buf b = {0};

	formal_print(&b, v->type);
	if (types.n > 80)
		check_error(c, &at, E_type,
			    "%s %u '%.*s' has the type '%s', which is not "
			    "allowed",
			    output ? "output" : "input", (unsigned)i,
			    (int)f->name.n, f->name.p, b.p);
	else
		check_error(c, &at, E_type,
			    "%s %u '%.*s' has the type '%s', expected '%.*s'",
			    output ? "output" : "input", (unsigned)i,
			    (int)f->name.n, f->name.p, b.p, (int)types.n,
			    types.p);
	buf_release(&b);
}

/* Without shapes: do both certainly differ? */
static bool differ(const struct type *a, const struct type *b)
{
	for (; a && b && a != b; a = a->elem, b = b->elem) {
		if (a->kind == TY_UNKNOWN || b->kind == TY_UNKNOWN)
			return false;
		if (a->kind != b->kind)
			return true;
		if (a->dt && b->dt && a->dt != b->dt)
			return true;
	}
	return false;
}

static const struct value *slot(const struct node *n, uint32_t i, uint32_t *at,
				bool *output)
{
	*output = i >= n->nin;
	*at = *output ? i - n->nin : i;
	return *output ? n->out[*at] : n->in[*at].v;
}

/* Slot i shares its type variable with an earlier one: the types agree. */
static void check_bound(struct check *c, const struct node *n, uint32_t i,
			const struct formal *f)
{
	struct at at = node_at(n);
	struct buf a = {0}, b = {0};
	struct formal e;
	uint32_t ki, kk;
	bool out, kout;
	const struct value *v = slot(n, i, &ki, &out), *u;

	for (uint32_t k = 0; k < i; k++) {
		u = slot(n, k, &kk, &kout);
		if (!u || !formal_at(kout ? n->op->out : n->op->in, kk, &e) ||
		    e.mixed || !str_eq(e.type, f->type))
			continue;
		if (differ(u->type, v->type)) {
			formal_print(&a, v->type);
			formal_print(&b, u->type);
			check_error(c, &at, E_type,
				    "%s %u '%.*s' has the type '%s', but %s "
				    "%u '%.*s' has '%s'",
				    out ? "output" : "input", (unsigned)ki,
				    (int)f->name.n, f->name.p, a.p,
				    kout ? "output" : "input", (unsigned)kk,
				    (int)e.name.n, e.name.p, b.p);
			buf_release(&a);
			buf_release(&b);
		}
		return;
	}
}

void check_node_types(struct check *c, const struct node *n)
{
	if (n->op->domain == DOM_NONE)
		return;
	for (uint32_t i = 0; i < n->nin + n->nout; i++) {
		struct formal f;
		struct str types;
		uint32_t at;
		bool out;
		const struct value *v = slot(n, i, &at, &out);

		if (!v || !formal_at(out ? n->op->out : n->op->in, at, &f))
			continue;
		types = formal_types(n->op, f.type);
		if (!formal_allows(types, v->type))
			type_error(c, n, at, out, &f, types);
		else if (!f.mixed)
			check_bound(c, n, i, &f);
	}
}

/* ---- payloads ---- */

static void check_sparse(struct check *c, const struct at *at,
			 const struct tensor *t)
{
	const struct tensor *ix = t->sparse_indices;
	int64_t last = -1, size = 1, k, cols;

	for (int i = 0; i < t->dense_rank; i++)
		if (t->dense_dim[i] < 1 ||
		    !mul_i64(size, t->dense_dim[i], &size)) {
			check_error(c, at, E_dims,
				    "a sparse tensor has bad dims");
			return;
		}
	cols = ix->rank == 2 ? ix->dim[1] : 1;
	if (t->rank != 1 || ix->dt != DT_I64 || ix->rank < 1 || ix->rank > 2 ||
	    ix->dim[0] != t->n || (ix->rank == 2 && cols != t->dense_rank) ||
	    (ix->n && !tensor_data(c->m, ix))) {
		check_error(c, at, E_payload,
			    "indices and values of a sparse tensor do not "
			    "fit");
		return;
	}
	for (int64_t i = 0; i < t->n; i++, last = k) {
		bool ok = true;

		k = 0;
		for (int64_t j = 0; j < cols && ok; j++) {
			int64_t d = ix->rank == 2 ? t->dense_dim[j] : size;
			int64_t v = tensor_int(c->m, ix, i * cols + j);

			ok = v >= 0 && v < d;
			k = ok ? k * (ix->rank == 2 ? d : 1) + v : 0;
		}
		if (ok && k > last)
			continue;
		check_error(c, at, E_payload,
			    "index %lld of a sparse tensor is out of range or "
			    "order",
			    (long long)i);
		return;
	}
}

void check_tensor(struct check *c, const struct at *at, const struct tensor *t)
{
	int64_t n = 1;
	size_t bytes;

	if (!dtype_valid(t->dt)) {
		check_error(c, at, E_dtype, "the tensor has no element type");
		return;
	}
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i] < 0 || !mul_i64(n, t->dim[i], &n)) {
			check_error(c, at, E_dims,
				    "the tensor has impossible dims");
			return;
		}
	if (n != t->n)
		check_error(c, at, E_dims, "%lld elements, but dims for %lld",
			    (long long)t->n, (long long)n);
	else if (t->dt != DT_STRING &&
		 (!dtype_bytes(t->dt, n, &bytes) || bytes != t->len))
		check_error(c, at, E_payload, "the data has %zu bytes", t->len);
	if (t->sparse_indices)
		check_sparse(c, at, t);
}
