/* SPDX-License-Identifier: MIT */
/*
 * ml_map.c -- maps: ZipMap, DictVectorizer, CastMap.
 *
 * A map is an array of kind MAP: a vector of keys and a vector of as many
 * values.  The maps of one ZipMap share their keys, and their values are
 * views of its input.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/kernels/elementwise/cast_p.h"
#include "runtime/kernels/ml/ml_p.h"
#include "runtime/kernels/shared/move_p.h"
#include "runtime/kernels/shared/nn_p.h"

/* A sequence of single values of one type, as a list. */
static enum status of_sequence(struct kcall *c, const struct array *seq,
			       struct ml_list *l)
{
	const struct type *t = c->node->in[0].v->type->elem;
	enum dtype dt = seq->nitem                  ? seq->item[0]->dt
			: t && t->kind == TY_TENSOR ? t->dt
						    : DT_F32;
	size_t size = elem_size(dt);
	char *p = nn_scratch(c, seq->nitem, size);

	if (!p)
		return LIMIT;
	for (uint32_t i = 0; i < seq->nitem; i++) {
		const struct array *e = seq->item[i];

		if (e->kind != ARR_TENSOR || e->dt != dt || e->n != 1)
			return kcall_error(c, E_type,
					   "the map's values are not scalars "
					   "of one type");
		memcpy(p + i * size, e->data, size);
	}
	*l = (struct ml_list){.dt = dt, .n = seq->nitem, .p = p};
	if (dt == DT_STRING)
		l->s = (const struct str *)(const void *)p;
	return OK;
}

/* Input 0 as a table of keys and the values in its order. */
static enum status map_in(struct kcall *c, struct ml_list *keys,
			  struct ml_keys **table, struct ml_list *values)
{
	const struct array *a = c->in[0];
	enum status st = OK;

	if (a->kind == ARR_OPTIONAL && a->nitem)
		a = a->item[0];
	if (a->kind != ARR_MAP || a->nitem != 2 ||
	    a->item[0]->kind != ARR_TENSOR)
		return kcall_error(c, E_type, "input 0 is not a map");
	*keys = ml_list_of(a->item[0]);
	*values = ml_list_of(a->item[1]);
	if (a->item[1]->kind == ARR_SEQ)
		st = of_sequence(c, a->item[1], values);
	else if (a->item[1]->kind != ARR_TENSOR)
		st = kcall_error(c, E_type, "the map's values are no tensors");
	if (!st &&
	    (keys->n != values->n ||
	     (keys->dt != DT_STRING && !strchr("iu", dtype_kind(keys->dt))) ||
	     (values->dt != DT_STRING && dtype_bits(values->dt) < 8)))
		st = kcall_error(c, E_type, "%zu keys of %s, %zu values of %s",
				 keys->n, dtype_name(keys->dt), values->n,
				 dtype_name(values->dt));
	if (st)
		return st;
	*table = ml_keys_make(c, keys);
	if (!*table)
		return LIMIT;
	return ml_keys_unique(*table)
		       ? OK
		       : kcall_error(c, E_value, "the map has a key twice");
}

/* ---- ZipMap ---- */

/* The labels as a vector; NULL: an error was reported. */
static struct array *label_keys(struct kcall *c, int64_t n)
{
	struct ml_keys *table;
	struct array *k = NULL;
	struct ml_list l;

	if (ml_labels(c, "classlabels_int64s", &l))
		return NULL;
	table = ml_keys_make(c, &l);
	if (!table)
		return NULL;
	if ((int64_t)l.n != n)
		kcall_error(c, E_shape, "%zu labels for %lld columns", l.n,
			    (long long)n);
	else if (!ml_keys_unique(table))
		kcall_error(c, E_value, "a label occurs twice");
	else
		k = array_create(c->d, l.dt, 1, &n);
	for (int64_t i = 0; k && i < n; i++)
		ml_put_label(k, &l, i, i);
	if (k && array_own_strings(c->d, k)) {
		array_unref(k);
		return NULL;
	}
	return k;
}

/* Elements [at, at + n) of x. */
static struct array *slice(struct array *x, int64_t at, int64_t n)
{
	struct array *v = array_view(x, 1, &n);
	size_t size = dtype_bits(x->dt) / 8;

	v->n = n;
	v->bytes = (size_t)n * size;
	if (n)
		v->data = (char *)x->data + (size_t)at * size;
	return v;
}

static struct array *map_of(struct array *keys, struct array *values)
{
	struct array *m = array_seq(2);

	m->kind = ARR_MAP;
	m->item[0] = array_ref(keys);
	m->item[1] = values;
	return m;
}

enum status k_ml_zip_map(struct kcall *c)
{
	struct array *x, *keys, *s;
	struct ml_rows r;
	enum status st = ml_rows(c, &r);

	if (!st && r.x->dt != DT_F32)
		st = kcall_error(c, E_type, "input 0 is not of type float");
	if (!st && r.n > UINT32_MAX)
		st = kcall_error(c, E_value, "%lld maps", (long long)r.n);
	if (st)
		return st;
	keys = label_keys(c, r.f);
	if (!keys)
		return BAD_MODEL;
	/* Planned memory does not leave the executor. */
	x = c->in[0]->region ? array_copy(c->d, c->in[0]) : array_ref(c->in[0]);
	if (!x) {
		array_unref(keys);
		return LIMIT;
	}
	s = array_seq((size_t)r.n);
	for (int64_t i = 0; i < r.n; i++)
		s->item[i] = map_of(keys, slice(x, i * r.f, r.f));
	array_unref(keys);
	array_unref(x);
	kcall_pass(c, 0, s);
	array_unref(s);
	return OK;
}

/* ---- DictVectorizer ---- */

static enum status vocabulary(struct kcall *c, enum dtype keys,
			      struct ml_list *l)
{
	enum status st = keys == DT_STRING
				 ? ml_strings(c, "string_vocabulary", l)
				 : ml_numbers(c, "int64_vocabulary", l);

	if (!st && l->n == 0)
		st = kcall_error(c, E_attr,
				 "there is no vocabulary for keys of type %s",
				 dtype_name(keys));
	return st;
}

/* A column per word: the map's value, or 0. */
enum status k_ml_dict_vectorizer(struct kcall *c)
{
	struct ml_list words, keys, values;
	struct ml_keys *table;
	const char *from;
	struct array *y;
	int64_t dim[2] = {1, 0};
	size_t size;
	enum status st = map_in(c, &keys, &table, &values);

	if (!st)
		st = vocabulary(c, keys.dt, &words);
	if (st)
		return st;
	dim[1] = (int64_t)words.n;
	y = kcall_out(c, 0, values.dt, 2, dim);
	if (!y)
		return LIMIT;
	size = elem_size(values.dt);
	from = values.dt == DT_STRING ? (const char *)values.s : values.p;
	memset(y->data, 0, y->bytes);
	for (size_t i = 0; i < words.n; i++) {
		int64_t at = ml_find(table, &words, i);

		if (at >= 0)
			memcpy((char *)y->data + i * size,
			       from + (size_t)at * size, size);
	}
	return OK;
}

/* ---- CastMap ---- */

enum { NUMBER_TEXT = 64 }; /* of a float with six digits after the point */

/* Value i becomes element `to` of y; text: space for it. */
static enum status cast_value(struct kcall *c, const struct ml_list *v,
			      size_t i, struct array *y, int64_t to, char *text)
{
	struct str *out = y->data;

	if (v->dt == DT_STRING && y->dt == DT_STRING) {
		out[to] = v->s[i];
	} else if (v->dt == DT_STRING) {
		if (!cast_parse(v->s[i], y->dt, y, to))
			return kcall_error(c, E_value,
					   "value %zu is not a number", i);
	} else if (y->dt == DT_STRING) {
		snprintf(text, NUMBER_TEXT, "%.6f", ml_f64(v, i));
		out[to] = (struct str){text, strlen(text)};
	} else {
		double f = ml_f64(v, i);

		dtype_set(y->dt, y->data, (size_t)to,
			  y->dt == DT_I64 ? trunc(f) : f);
	}
	return OK;
}

static enum status cast_type(struct kcall *c, enum dtype *dt)
{
	static const struct {
		const char *name;
		enum dtype dt;
	} forms[] = {{"TO_FLOAT", DT_F32},
		     {"TO_STRING", DT_STRING},
		     {"TO_INT64", DT_I64}};
	struct str s = node_attr_str(c->node, "cast_to", "TO_FLOAT");

	for (size_t i = 0; i < countof(forms); i++)
		if (str_is(s, forms[i].name)) {
			*dt = forms[i].dt;
			return OK;
		}
	return kcall_error(c, E_attr, "cast_to is unknown");
}

/* Length of the result; *sparse: keys are places in it. */
static enum status form(struct kcall *c, const struct ml_list *keys,
			bool *sparse, int64_t *n)
{
	struct str s = node_attr_str(c->node, "map_form", "DENSE");

	*sparse = str_is(s, "SPARSE");
	if (!*sparse && !str_is(s, "DENSE"))
		return kcall_error(c, E_attr, "map_form is unknown");
	*n = *sparse ? node_attr_int(c->node, "max_map", 1) : (int64_t)keys->n;
	if (*sparse && *n < 1)
		return kcall_error(c, E_value, "max_map is %lld",
				   (long long)*n);
	for (size_t i = 0; *sparse && i < keys->n; i++) {
		int64_t k = ml_i64(keys, i);

		if (k < 0 || k >= *n)
			return kcall_error(c, E_value, "key %lld of %lld",
					   (long long)k, (long long)*n);
	}
	return OK;
}

/* What stands where no key is. */
static void pad(struct array *y)
{
	if (y->dt != DT_STRING && y->bytes)
		memset(y->data, 0, y->bytes);
	for (int64_t i = 0; y->dt == DT_STRING && i < y->n; i++)
		((struct str *)y->data)[i] = (struct str){"0.f", 3};
}

/* The values in order of their keys. */
enum status k_ml_cast_map(struct kcall *c)
{
	struct ml_list keys, values;
	struct ml_keys *table;
	struct array *y;
	enum dtype dt = DT_F32;
	bool sparse;
	int64_t dim[2] = {1, 0};
	char *text;
	enum status st = map_in(c, &keys, &table, &values);

	if (!st && (keys.dt == DT_STRING ||
		    (values.dt != DT_STRING && values.dt != DT_F32)))
		st = kcall_error(c, E_type, "a map from %s to %s",
				 dtype_name(keys.dt), dtype_name(values.dt));
	if (!st)
		st = cast_type(c, &dt);
	if (!st)
		st = form(c, &keys, &sparse, &dim[1]);
	if (st)
		return st;
	text = nn_scratch(c, (int64_t)keys.n, NUMBER_TEXT);
	y = text ? kcall_out(c, 0, dt, 2, dim) : NULL;
	if (!y)
		return LIMIT;
	pad(y);
	for (size_t i = 0; !st && i < table->n; i++) {
		size_t at = table->key[i].at;

		st = cast_value(c, &values, at, y,
				sparse ? ml_i64(&keys, at) : (int64_t)i,
				text + i * NUMBER_TEXT);
	}
	return st;
}
