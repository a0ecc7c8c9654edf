/* SPDX-License-Identifier: MIT */
/*
 * clone.c -- deep copies: whole models, and bodies within one model.
 *
 * Graphs wait in a list, outer before inner, so that a captured value was
 * copied before its uses.  A value that was not copied (a capture, when only
 * a body is) stands for itself.  Payloads are shared, and symbols keep their
 * numbers.
 */
#include <stdlib.h>
#include <string.h>
#include "ir/core_p.h"

struct job {
	const struct graph *src;
	struct graph *dst;
};

struct clone {
	const struct model *from;
	struct model *to;
	struct map done; /* values, functions, types, tensors */
	VEC(struct job) jobs;
};

static bool same_model(const struct clone *c)
{
	return c->from == c->to;
}

static struct str copy_str(const struct clone *c, struct str s)
{
	return same_model(c) ? s : arena_str(&c->to->arena, s);
}

/* ---- types and tensors ---- */

static const struct type *
copy_level(const struct clone *c, const struct type *t, const struct type *elem)
{
	size_t n = t->rank > 0 ? (size_t)t->rank : 0;
	size_t bytes = sizeof *t + n * sizeof t->dim[0];
	struct type *p = xmalloc(bytes);
	const struct type *r;

	memcpy(p, t, bytes);
	p->elem = elem;
	r = type_intern(c->to, p);
	free(p);
	return r;
}

static const struct type *copy_type(struct clone *c, const struct type *t)
{
	VEC(const struct type *) outer = {0};
	const struct type *r = NULL;

	if (same_model(c) || t == type_unknown())
		return t;
	for (; t && !r; t = t->elem) {
		r = map_get_ptr(&c->done, map_ptr_key(t));
		if (!r)
			vec_push(&outer, t);
	}
	while (outer.n) {
		t = vec_pop(&outer);
		r = copy_level(c, t, r);
		map_put_ptr(&c->done, map_ptr_key(t), r);
	}
	vec_release(&outer);
	return r;
}

static struct tensor *copy_flat(struct clone *c, const struct tensor *t)
{
	struct arena *a = &c->to->arena;
	struct tensor *r =
		arena_dup(a, t, sizeof *t + (size_t)t->rank * sizeof t->dim[0]);

	if (t->blob)
		model_keep_blob(c->to, blob_ref(t->blob));
	if (t->strings) {
		r->strings = arena_array(a, (size_t)t->n, sizeof *r->strings);
		for (int64_t i = 0; i < t->n; i++)
			r->strings[i] = copy_str(c, t->strings[i]);
	}
	if (t->dense_dim)
		r->dense_dim =
			arena_dup(a, t->dense_dim,
				  (size_t)t->dense_rank * sizeof *t->dense_dim);
	r->rest = copy_str(c, t->rest);
	r->sparse_rest = copy_str(c, t->sparse_rest);
	return r;
}

static const struct tensor *copy_tensor(struct clone *c, const struct tensor *t)
{
	struct tensor *r;

	if (!t || same_model(c))
		return t;
	r = map_get_ptr(&c->done, map_ptr_key(t));
	if (r)
		return r;
	r = copy_flat(c, t);
	if (t->sparse_indices)
		r->sparse_indices = copy_flat(c, t->sparse_indices);
	map_put_ptr(&c->done, map_ptr_key(t), r);
	return r;
}

/* ---- attributes ---- */

static void copy_graphs(struct clone *c, struct attr *to,
			const struct attr *from, struct node *owner)
{
	to->u.g = arena_array(&c->to->arena, from->n, sizeof(struct graph *));
	for (uint32_t i = 0; i < from->n; i++) {
		struct job j = {from->u.g[i], NULL};

		j.dst = to->u.g[i] = graph_create(c->to, owner);
		vec_push(&c->jobs, j);
	}
}

static void copy_attr(struct clone *c, struct attr *to, const struct attr *from,
		      struct node *owner)
{
	struct arena *a = &c->to->arena;
	uint32_t n = from->n;

	*to = *from;
	to->rest = copy_str(c, from->rest);
	if (from->kind == ATTR_GRAPH || from->kind == ATTR_GRAPHS) {
		copy_graphs(c, to, from, owner);
		return;
	}
	if (same_model(c) || !n)
		return;
	switch (from->kind) {
	case ATTR_INT:
	case ATTR_INTS:
		to->u.i = arena_dup(a, from->u.i, n * sizeof *to->u.i);
		break;
	case ATTR_FLOAT:
	case ATTR_FLOATS:
		to->u.f = arena_dup(a, from->u.f, n * sizeof *to->u.f);
		break;
	case ATTR_STRING:
	case ATTR_STRINGS:
		to->u.s = arena_array(a, n, sizeof *to->u.s);
		for (uint32_t i = 0; i < n; i++)
			to->u.s[i] = copy_str(c, from->u.s[i]);
		break;
	case ATTR_TENSOR:
	case ATTR_TENSORS:
	case ATTR_SPARSE:
	case ATTR_SPARSES:
		to->u.t = arena_array(a, n, sizeof(struct tensor *));
		for (uint32_t i = 0; i < n; i++)
			to->u.t[i] = copy_tensor(c, from->u.t[i]);
		break;
	case ATTR_TYPE:
	case ATTR_TYPES:
		to->u.type = arena_array(a, n, sizeof(struct type *));
		for (uint32_t i = 0; i < n; i++)
			to->u.type[i] = copy_type(c, from->u.type[i]);
		break;
	default:
		break;
	}
}

static struct attr *copy_attrs(struct clone *c, const struct attr *from,
			       uint32_t n, struct node *owner)
{
	struct attr *to = arena_array(&c->to->arena, n, sizeof *to);

	for (uint32_t i = 0; i < n; i++)
		copy_attr(c, &to[i], &from[i], owner);
	return to;
}

/* ---- graphs ---- */

static struct value *value_in(const struct clone *c, struct value *v)
{
	struct value *r = v ? map_get_ptr(&c->done, map_ptr_key(v)) : NULL;

	if (v && !r && !same_model(c))
		BUG("a value is used outside of its scope");
	return r ? r : v;
}

static void copy_value(struct clone *c, struct value *to,
		       const struct value *from)
{
	map_put_ptr(&c->done, map_ptr_key(from), to);
	to->name = from->name;
	to->type = copy_type(c, from->type);
	to->konst = copy_tensor(c, from->konst);
	to->init = copy_tensor(c, from->init);
	if (from->info)
		to->info = map_get_ptr(&c->done, map_ptr_key(from->info));
	if (!from->data)
		return;
	to->data = arena_dup(&c->to->arena, from->data,
			     from->ndata * sizeof *from->data);
	to->ndata = from->ndata;
}

static struct info copy_info(struct clone *c, const struct info *from)
{
	struct info to = *from;

	to.decl = copy_type(c, from->decl);
	to.rest = copy_str(c, from->rest);
	return to;
}

static void copy_interface(struct clone *c, const struct graph *src,
			   struct graph *dst)
{
	dst->name = src->name;
	dst->rest = copy_str(c, src->rest);
	for (size_t i = 0; i < src->infos.n; i++) {
		struct info *e = arena_new(&c->to->arena, struct info);

		*e = copy_info(c, src->infos.p[i]);
		vec_push(&dst->infos, e);
		map_put_ptr(&c->done, map_ptr_key(src->infos.p[i]), e);
	}
	graph_set_inputs(dst, src->nin);
	graph_set_outputs(dst, src->ret->nin);
	for (uint32_t i = 0; i < src->nin; i++) {
		dst->in_info[i] = copy_info(c, &src->in_info[i]);
		copy_value(c, dst->in[i], src->in[i]);
	}
	for (uint32_t i = 0; i < src->ret->nin; i++)
		dst->out_info[i] = copy_info(c, &src->out_info[i]);
	for (size_t i = 0; i < src->init.n; i++) {
		struct value *v = src->init.p[i], *to;

		if (v->graph != src)
			continue;
		to = map_get_ptr(&c->done, map_ptr_key(v));
		if (!to) {
			to = value_create(dst, 0);
			copy_value(c, to, v);
		}
		vec_push(&dst->init, to);
	}
}

static void copy_node(struct clone *c, const struct node *src,
		      struct graph *dst)
{
	struct node *n = node_create(dst, src->op, src->nin, src->nout, NULL);

	if (src->func)
		n->func = same_model(c) ? src->func
					: map_get_ptr(&c->done,
						      map_ptr_key(src->func));
	n->type = src->type;
	n->domain = src->domain;
	n->overload = src->overload;
	n->name = src->name;
	n->rest = copy_str(c, src->rest);
	for (uint32_t i = 0; i < src->nout; i++) {
		if (src->out[i])
			copy_value(c, n->out[i], src->out[i]);
		else
			n->out[i] = NULL;
	}
}

static void copy_graph(struct clone *c, const struct graph *src,
		       struct graph *dst)
{
	const struct node *s;
	struct node *d;

	copy_interface(c, src, dst);
	graph_foreach (s, src)
		copy_node(c, s, dst);
	for (s = src->first, d = dst->first; s; s = s->next, d = d->next) {
		for (uint32_t i = 0; i < s->nin; i++)
			use_set(&d->in[i], value_in(c, s->in[i].v));
		d->attr = copy_attrs(c, s->attr, s->nattr, d);
		d->nattr = s->nattr;
	}
	for (uint32_t i = 0; i < src->ret->nin; i++)
		use_set(&dst->ret->in[i], value_in(c, src->ret->in[i].v));
}

static void run_jobs(struct clone *c)
{
	/* first in, first out: outer graphs are complete before bodies */
	for (size_t i = 0; i < c->jobs.n; i++) {
		struct job j = c->jobs.p[i];

		copy_graph(c, j.src, j.dst);
	}
	vec_release(&c->jobs);
}

void node_copy_attrs(struct node *to, const struct node *from)
{
	struct model *m = from->graph->model;
	struct clone c = {.from = m, .to = m};
	struct attr *attr;

	if (to == from)
		return;
	attr = copy_attrs(&c, from->attr, from->nattr, to);
	node_clear_attrs(to);
	to->attr = attr;
	to->nattr = from->nattr;
	run_jobs(&c);
	map_release(&c.done);
}

/* ---- models ---- */

static struct opset *copy_opsets(struct clone *c, const struct opset *o,
				 uint32_t n)
{
	struct opset *to = arena_array(&c->to->arena, n, sizeof *to);

	for (uint32_t i = 0; i < n; i++) {
		to[i] = o[i];
		to[i].rest = copy_str(c, o[i].rest);
	}
	return to;
}

static void copy_func(struct clone *c, const struct func *f)
{
	struct func *to = arena_new(&c->to->arena, struct func);
	struct job j = {f->body, graph_create(c->to, NULL)};

	to->domain = f->domain;
	to->name = f->name;
	to->overload = f->overload;
	to->rest = copy_str(c, f->rest);
	to->body = j.dst;
	j.dst->func = to;
	to->nattr = f->nattr;
	to->attr = arena_array(&c->to->arena, f->nattr, sizeof *to->attr);
	for (uint32_t i = 0; i < f->nattr; i++)
		to->attr[i] = f->attr[i];
	to->nattr_default = f->nattr_default;
	to->attr_default =
		copy_attrs(c, f->attr_default, f->nattr_default, NULL);
	to->nopset = f->nopset;
	to->opset = copy_opsets(c, f->opset, f->nopset);
	map_put_ptr(&c->done, map_ptr_key(f), to);
	vec_push(&c->to->func, to);
	vec_push(&c->jobs, j);
}

static void copy_header(struct clone *c, const struct model *from)
{
	struct model *to = c->to;

	to->opset = copy_opsets(c, from->opset, from->nopset);
	to->nopset = from->nopset;
	to->ir_version = from->ir_version;
	to->has_ir_version = from->has_ir_version;
	to->model_version = from->model_version;
	to->has_model_version = from->has_model_version;
	to->producer_name = from->producer_name;
	to->producer_version = from->producer_version;
	to->domain = from->domain;
	to->doc = from->doc;
	to->rest = copy_str(c, from->rest);
	if (from->file) {
		to->file = blob_ref(from->file);
		model_keep_blob(to, to->file);
	}
	if (from->path)
		to->path = arena_printf(&to->arena, "%s", from->path);
	to->file_bytes = from->file_bytes;
	to->fresh = from->fresh;
	for (size_t i = 0; i < from->gone.n; i++)
		map_put(&to->gone, (sym)from->gone.e[i].key, 1);
}

static void copy_syms(struct model *to, const struct model *from)
{
	for (sym s = 1; s <= intern_count(from->syms); s++)
		if (intern_str(to->syms, intern_get(from->syms, s)) != s)
			BUG("a new model has symbols");
}

struct model *model_clone(const struct model *m)
{
	struct clone c = {.from = m, .to = model_create(m->diag)};
	struct job j = {m->main, c.to->main};

	copy_syms(c.to, m);
	copy_header(&c, m);
	vec_push(&c.jobs, j);
	for (size_t i = 0; i < m->func.n; i++)
		copy_func(&c, m->func.p[i]);
	run_jobs(&c);
	for (size_t i = 0; i < m->moved.n; i++) {
		const void *v = map_get_ptr(&c.done, m->moved.e[i].key);

		if (v)
			map_put(&c.to->moved, map_ptr_key(v), 1);
	}
	infer_copy_names(c.to, m, &c.done);
	map_release(&c.done);
	return c.to;
}
