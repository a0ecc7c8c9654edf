/* SPDX-License-Identifier: MIT */
/*
 * encode.c -- strings, types, properties and functions of a model as
 * sections.
 *
 * Strings are sorted and unique; types and tensors are numbered by first use.
 * So equal models have equal bytes, whatever their history.
 */
#include <stdlib.h>
#include <string.h>
#include "native/encode_p.h"

/* ---- strings ---- */

uint32_t enc_str(struct encoder *e, struct str s, bool present)
{
	sym id;

	if (!present)
		return 0;
	id = intern_str(e->strs, s.p ? s : (struct str){"", 0});
	if (id > e->nstr)
		e->nstr = id;
	return e->final ? e->rank[id] : 0;
}

uint32_t enc_sym(struct encoder *e, sym s)
{
	return enc_str(e, sym_str(e->m, s), s != 0);
}

uint32_t enc_rest(struct encoder *e, struct str s)
{
	return enc_str(e, s, s.n > 0);
}

static int cmp_sym(const void *a, const void *b, void *strs)
{
	return str_cmp(intern_get(strs, *(const sym *)a),
		       intern_get(strs, *(const sym *)b));
}

static void sort_strings(struct encoder *e)
{
	e->rank = xcalloc((size_t)e->nstr + 1, sizeof *e->rank);
	e->sorted = xcalloc((size_t)e->nstr + 1, sizeof *e->sorted);
	for (uint32_t i = 0; i < e->nstr; i++)
		e->sorted[i] = i + 1;
	qsort_r(e->sorted, e->nstr, sizeof *e->sorted, cmp_sym, e->strs);
	for (uint32_t i = 0; i < e->nstr; i++)
		e->rank[e->sorted[i]] = i + 1;
}

/* The lengths of all strings, then their bytes. */
static void encode_strings(struct encoder *e)
{
	struct buf *b = &e->sec[SEC_STRTAB];

	for (uint32_t i = 0; i < e->nstr; i++)
		put_u(b, intern_get(e->strs, e->sorted[i]).n);
	for (uint32_t i = 0; i < e->nstr; i++) {
		struct str s = intern_get(e->strs, e->sorted[i]);

		buf_add(b, s.p, s.n);
	}
}

/* ---- types ---- */

static uint32_t number_of(const struct map *m, const void *p)
{
	const uint64_t *n = map_get(m, map_ptr_key(p));

	return n ? (uint32_t)*n : 0;
}

/* Elements are numbered before what they are elements of. */
uint32_t enc_type(struct encoder *e, const struct type *t)
{
	VEC(const struct type *) chain = {0};
	const struct type *u;

	for (u = t; u && u != type_unknown() && !number_of(&e->types, u);
	     u = u->elem)
		vec_push(&chain, u);
	while (chain.n) {
		u = vec_pop(&chain);
		vec_push(&e->type, u);
		map_put(&e->types, map_ptr_key(u), e->type.n);
	}
	vec_release(&chain);
	return t == type_unknown() ? 0 : number_of(&e->types, t);
}

static void encode_types(struct encoder *e)
{
	struct buf *b = &e->sec[SEC_TYPES];

	for (size_t i = 0; i < e->type.n; i++) {
		const struct type *t = e->type.p[i];

		put_u(b, t->kind);
		put_u(b, t->dt);
		put_u(b, (uint64_t)(t->rank + 1));
		put_u(b, enc_sym(e, t->denotation));
		/* an element type that says nothing is not one left out */
		put_u(b, t->elem ? enc_type(e, t->elem) + 1 : 0);
		put_u(b, enc_sym(e, t->opaque_domain));
		put_u(b, enc_sym(e, t->opaque_name));
		for (int k = 0; k < t->rank; k++) {
			put_i(b, t->dim[k].n);
			put_u(b, enc_sym(e, t->dim[k].s));
			put_u(b, enc_sym(e, t->dim[k].denotation));
		}
	}
}

uint32_t enc_tensor(struct encoder *e, const struct tensor *t)
{
	uint32_t n;

	if (!t)
		return 0;
	n = number_of(&e->tensors, t);
	if (n)
		return n;
	enc_tensor(e, t->sparse_indices);
	vec_push(&e->tensor, t);
	map_put(&e->tensors, map_ptr_key(t), e->tensor.n);
	return (uint32_t)e->tensor.n;
}

/* ---- properties and functions ---- */

void enc_opsets(struct encoder *e, struct buf *b, const struct opset *o,
		uint32_t n)
{
	put_u(b, n);
	for (uint32_t i = 0; i < n; i++) {
		put_u(b, enc_sym(e, o[i].domain));
		put_u(b, o[i].has_version);
		put_i(b, o[i].version);
		put_u(b, enc_rest(e, o[i].rest));
	}
}

static void meta_string(struct encoder *e, enum meta_key key, uint32_t str)
{
	struct buf *b = &e->sec[SEC_META];

	if (!str && e->final)
		return;
	put_u(b, key);
	put_u(b, META_STRING);
	put_u(b, str);
}

static void meta_int(struct encoder *e, enum meta_key key, int64_t v, bool has)
{
	struct buf *b = &e->sec[SEC_META];

	if (!has)
		return;
	put_u(b, key);
	put_u(b, META_INT);
	put_i(b, v);
}

static void encode_meta(struct encoder *e)
{
	static const char version[] = PARE_VERSION;
	const struct model *m = e->m;
	struct str v = {version, sizeof version - 1};

	meta_string(e, META_PARE_VERSION, enc_str(e, v, true));
	meta_int(e, META_IR_VERSION, m->ir_version, m->has_ir_version);
	meta_int(e, META_MODEL_VERSION, m->model_version, m->has_model_version);
	meta_string(e, META_PRODUCER_NAME, enc_sym(e, m->producer_name));
	meta_string(e, META_PRODUCER_VERSION, enc_sym(e, m->producer_version));
	meta_string(e, META_DOMAIN, enc_sym(e, m->domain));
	meta_string(e, META_DOC, enc_sym(e, m->doc));
	meta_string(e, META_REST, enc_rest(e, m->rest));
	put_u(&e->sec[SEC_META], META_OPSETS);
	put_u(&e->sec[SEC_META], META_LIST);
	enc_opsets(e, &e->sec[SEC_META], m->opset, m->nopset);
}

/* Signatures; the bodies follow the main graph in GRAPHS. */
static void encode_func(struct encoder *e, const struct func *f)
{
	struct buf *b = &e->sec[SEC_FUNCS];

	put_u(b, enc_sym(e, f->domain));
	put_u(b, enc_sym(e, f->name));
	put_u(b, enc_sym(e, f->overload));
	put_u(b, enc_rest(e, f->rest));
	enc_opsets(e, b, f->opset, f->nopset);
	put_u(b, f->nattr);
	for (uint32_t i = 0; i < f->nattr; i++)
		put_u(b, enc_sym(e, f->attr[i]));
	put_u(b, f->nattr_default);
	for (uint32_t i = 0; i < f->nattr_default; i++)
		encode_attr(e, b, &f->attr_default[i], BODY_DEPTH);
}

/* ---- rounds ---- */

static void clear_round(struct encoder *e)
{
	map_clear(&e->types);
	map_clear(&e->tensors);
	map_clear(&e->values);
	e->type.n = e->tensor.n = 0;
	for (unsigned i = 0; i < SEC_COUNT; i++)
		if (i != SEC_COLD)
			e->sec[i].n = 0;
}

static void run_round(struct encoder *e)
{
	const struct model *m = e->m;

	clear_round(e);
	encode_meta(e);
	for (size_t i = 0; i < m->func.n; i++)
		encode_func(e, m->func.p[i]);
	encode_graph(e, &e->sec[SEC_GRAPHS], m->main, 0);
	for (size_t i = 0; i < m->func.n; i++)
		encode_graph(e, &e->sec[SEC_GRAPHS], m->func.p[i]->body, 0);
}

enum status encode_model(struct encoder *e)
{
	enum status st;

	e->strs = intern_create();
	run_round(e);
	st = place_tensors(e);
	if (st)
		return st;
	encode_tensors(e);
	encode_types(e);
	sort_strings(e);
	e->final = true;
	run_round(e);
	encode_tensors(e);
	encode_types(e);
	encode_strings(e);
	return OK;
}

void encoder_release(struct encoder *e)
{
	if (e->strs)
		intern_free(e->strs);
	free(e->rank);
	free(e->sorted);
	map_release(&e->types);
	map_release(&e->tensors);
	map_release(&e->values);
	vec_release(&e->type);
	vec_release(&e->tensor);
	vec_release(&e->place);
	for (unsigned i = 0; i < SEC_COUNT; i++)
		buf_release(&e->sec[i]);
}
