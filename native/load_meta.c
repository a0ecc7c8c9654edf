/* SPDX-License-Identifier: MIT */
/*
 * load_meta.c -- strings, types, properties and function signatures of a
 * .pare file.
 */
#include <stdlib.h>
#include <string.h>
#include "native/load_p.h"

/* ---- strings ---- */

/* Lengths, then bytes to the end of the section.  Strings ascend, so none is
 * there twice. */
bool load_strings(struct loader *l)
{
	struct cursor c = cur_section(l, SEC_STRTAB);
	uint64_t n = l->sec[SEC_STRTAB].count;
	struct str *s;

	if (!cur_count(l, &c, n, 1, sizeof *s + sizeof(sym)))
		return false;
	l->nstr = (uint32_t)n;
	l->sym = xcalloc(n + 1, sizeof *l->sym);
	l->str = s = xcalloc(n + 1, sizeof *s);
	for (uint32_t i = 1; i <= n; i++)
		s[i].n = cur_u64(&c);
	for (uint32_t i = 1; i <= n; i++) {
		if (c.bad || s[i].n > (size_t)(c.end - c.p))
			return load_fail(l, "a string is cut off");
		s[i].p = (const char *)c.p;
		c.p += s[i].n;
		if (i > 1 && str_cmp(s[i - 1], s[i]) >= 0)
			return load_fail(l, "the strings are not in order");
	}
	return cur_end(l, &c, "STRTAB");
}

static bool string_id(struct loader *l, struct cursor *c, uint32_t *id)
{
	*id = cur_u32(c);
	if (*id > l->nstr)
		return load_fail(l, "there is no string %u", *id);
	return true;
}

bool load_str(struct loader *l, struct cursor *c, struct str *s)
{
	uint32_t id;

	*s = (struct str){NULL, 0};
	if (!string_id(l, c, &id))
		return false;
	if (id)
		*s = l->str[id];
	return true;
}

bool load_sym(struct loader *l, struct cursor *c, sym *s)
{
	uint32_t id;

	*s = 0;
	if (!string_id(l, c, &id))
		return false;
	if (id && !l->sym[id])
		l->sym[id] = intern_str(l->m->syms, l->str[id]);
	*s = id ? l->sym[id] : 0;
	return true;
}

/* ---- types ---- */

static bool load_dim(struct loader *l, struct cursor *c, struct dim *d)
{
	d->n = cur_i64(c);
	if (!load_sym(l, c, &d->s) || !load_sym(l, c, &d->denotation))
		return false;
	if (d->n < DIM_UNKNOWN || (d->s && d->n != DIM_UNKNOWN))
		return load_fail(l, "a dimension is impossible");
	return true;
}

/* The element's number is below that of type i. */
static bool load_elem(struct loader *l, struct cursor *c, uint32_t i,
		      struct type *t)
{
	uint32_t elem = cur_u32(c);

	if (elem > i + 1)
		return load_fail(l, "a type is an element of itself");
	if (elem == 0)
		return true;
	t->elem = l->type[elem - 1];
	l->type_depth[i + 1] = (uint8_t)(l->type_depth[elem - 1] + 1);
	if (l->type_depth[i + 1] > TYPE_DEPTH)
		return load_fail(l, "types are nested too deeply");
	return true;
}

static bool type_plausible(const struct type *t)
{
	bool shaped = t->kind == TY_TENSOR || t->kind == TY_SPARSE;
	bool container = t->kind == TY_SEQ || t->kind == TY_OPTIONAL ||
			 t->kind == TY_MAP;

	if (t->kind > TY_OPAQUE || (t->dt && !dtype_valid(t->dt)) ||
	    (t->dt && !shaped && t->kind != TY_MAP))
		return false;
	return (shaped || t->rank < 0) && container == (t->elem != NULL) &&
	       (t->kind == TY_OPAQUE || !(t->opaque_domain || t->opaque_name));
}

static bool load_one_type(struct loader *l, struct cursor *c, uint32_t i)
{
	struct type head = {0}, *t;
	uint32_t kind = cur_u32(c), dt = cur_u32(c), rank = cur_u32(c);
	bool ok;

	if (kind > TY_OPAQUE || dt >= DT_COUNT || c->bad ||
	    rank > (size_t)(c->end - c->p) / 3 + 1)
		return load_fail(l, "a type is impossible");
	head.kind = kind;
	head.dt = dt;
	head.rank = (int)rank - 1;
	if (!load_sym(l, c, &head.denotation) || !load_elem(l, c, i, &head) ||
	    !load_sym(l, c, &head.opaque_domain) ||
	    !load_sym(l, c, &head.opaque_name))
		return false;
	if (!type_plausible(&head))
		return load_fail(l, "a type is impossible");
	t = xcalloc(1, sizeof *t + (size_t)rank * sizeof t->dim[0]);
	*t = head;
	ok = true;
	for (int k = 0; ok && k < t->rank; k++)
		ok = load_dim(l, c, &t->dim[k]);
	if (ok)
		l->type[i + 1] = type_intern(l->m, t);
	free(t);
	return ok;
}

/* Number 0 is the type that says nothing. */
bool load_types(struct loader *l)
{
	struct cursor c = cur_section(l, SEC_TYPES);
	uint64_t n = l->sec[SEC_TYPES].count;

	if (!cur_count(l, &c, n, 7, sizeof(struct type) + 64))
		return false;
	l->ntype = (uint32_t)n + 1;
	l->type = xcalloc(l->ntype, sizeof *l->type);
	l->type_depth = xcalloc(l->ntype, 1);
	l->type[0] = type_unknown();
	for (uint32_t i = 0; i < n; i++)
		if (!load_one_type(l, &c, i))
			return false;
	return cur_end(l, &c, "TYPES");
}

bool load_type(struct loader *l, struct cursor *c, const struct type **t)
{
	uint32_t id = cur_u32(c);

	if (id >= l->ntype)
		return load_fail(l, "there is no type %u", id);
	*t = l->type[id];
	return true;
}

/* ---- properties ---- */

static bool load_opsets(struct loader *l, struct cursor *c, struct opset **out,
			uint32_t *nout)
{
	uint32_t n = cur_u32(c);
	struct opset *o;

	if (!cur_count(l, c, n, 4, sizeof *o))
		return false;
	o = arena_array(&l->m->arena, n, sizeof *o);
	for (uint32_t i = 0; i < n; i++) {
		if (!load_sym(l, c, &o[i].domain))
			return false;
		o[i].has_version = cur_u32(c) != 0;
		o[i].version = cur_i64(c);
		if (!load_str(l, c, &o[i].rest))
			return false;
	}
	*out = o;
	*nout = n;
	return true;
}

static bool meta_string(struct loader *l, struct cursor *c, uint32_t key)
{
	struct model *m = l->m;
	struct str rest;
	sym none, *to = key == META_PRODUCER_NAME      ? &m->producer_name
			: key == META_PRODUCER_VERSION ? &m->producer_version
			: key == META_DOMAIN           ? &m->domain
			: key == META_DOC              ? &m->doc
						       : &none;

	if (key != META_REST)
		return load_sym(l, c, to);
	if (!load_str(l, c, &rest))
		return false;
	m->rest = rest;
	return true;
}

static void meta_int(struct loader *l, struct cursor *c, uint32_t key)
{
	int64_t v = cur_i64(c);

	if (key == META_IR_VERSION) {
		l->m->ir_version = v;
		l->m->has_ir_version = true;
	} else if (key == META_MODEL_VERSION) {
		l->m->model_version = v;
		l->m->has_model_version = true;
	}
}

/* Keys that a later version adds are passed over. */
bool load_meta(struct loader *l)
{
	struct cursor c = cur_section(l, SEC_META);
	uint32_t last = 0;

	while (c.p < c.end && !c.bad) {
		uint32_t key = cur_u32(&c), kind = cur_u32(&c);

		if (key <= last)
			return load_fail(l, "the properties are not in order");
		last = key;
		if (kind == META_INT) {
			meta_int(l, &c, key);
		} else if (kind == META_STRING) {
			if (!meta_string(l, &c, key))
				return false;
		} else if (kind == META_LIST && key == META_OPSETS) {
			if (!load_opsets(l, &c, &l->m->opset, &l->m->nopset))
				return false;
		} else {
			return load_fail(l, "a property is of an unknown kind");
		}
	}
	return cur_end(l, &c, "META");
}

/* ---- functions ---- */

static bool load_params(struct loader *l, struct cursor *c, struct func *f)
{
	f->nattr = cur_u32(c);
	if (!cur_count(l, c, f->nattr, 1, sizeof(sym)))
		return false;
	f->attr = arena_array(&l->m->arena, f->nattr, sizeof *f->attr);
	for (uint32_t i = 0; i < f->nattr; i++)
		if (!load_sym(l, c, &f->attr[i]))
			return false;
	f->nattr_default = cur_u32(c);
	if (!cur_count(l, c, f->nattr_default, 6, sizeof(struct attr)))
		return false;
	f->attr_default = arena_array(&l->m->arena, f->nattr_default,
				      sizeof *f->attr_default);
	for (uint32_t i = 0; i < f->nattr_default; i++)
		if (!load_attr(l, c, NULL, &f->attr_default[i], 0))
			return false;
	return true;
}

static bool load_func(struct loader *l, struct cursor *c)
{
	struct func *f = arena_new(&l->m->arena, struct func);

	f->body = graph_create(l->m, NULL);
	f->body->func = f;
	vec_push(&l->m->func, f);
	return load_sym(l, c, &f->domain) && load_sym(l, c, &f->name) &&
	       load_sym(l, c, &f->overload) && load_str(l, c, &f->rest) &&
	       load_opsets(l, c, &f->opset, &f->nopset) && load_params(l, c, f);
}

bool load_funcs(struct loader *l)
{
	struct cursor c = cur_section(l, SEC_FUNCS);
	uint64_t n = l->sec[SEC_FUNCS].count;

	if (!cur_count(l, &c, n, 7,
		       sizeof(struct func) + sizeof(struct graph) + 256))
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (!load_func(l, &c))
			return false;
	return cur_end(l, &c, "FUNCS");
}
