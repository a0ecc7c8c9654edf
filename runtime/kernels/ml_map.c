/* SPDX-License-Identifier: MIT */
/*
 * ml_map.c -- maps: ZipMap, DictVectorizer, CastMap.
 *
 * A map is an array of kind MAP: a vector of keys and a vector of as many
 * values.  The maps of one ZipMap share their keys, and their values are
 * views of its input.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/kernels/cast_p.h"
#include "runtime/kernels/ml_p.h"
#include "runtime/kernels/nn_p.h"

/* Input 0 as keys and values, equally many. */
static enum status map_in(struct kcall *c, const struct array **keys,
			  const struct array **values)
{
	const struct array *a = c->in[0], *k, *v;

	if (a->kind == ARR_OPTIONAL && a->nitem)
		a = a->item[0];
	if (a->kind != ARR_MAP || a->nitem != 2)
		return kcall_error(c, E_type, "input 0 is not a map");
	k = a->item[0];
	v = a->item[1];
	if (k->kind != ARR_TENSOR || v->kind != ARR_TENSOR || k->n != v->n ||
	    (k->dt != DT_STRING && !strchr("iu", dtype_kind(k->dt))))
		return kcall_error(c, E_type,
				   "the map's keys or values are no vectors");
	*keys = k;
	*values = v;
	return OK;
}

static struct ml_keys *key_table(struct kcall *c, const struct array *keys)
{
	struct ml_list l = ml_list_of(keys);
	struct ml_keys *k = ml_keys_make(c, &l);

	if (k && !ml_keys_unique(k)) {
		kcall_error(c, E_value, "the map has a key twice");
		return NULL;
	}
	return k;
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
	const struct array *keys, *values;
	struct ml_list words;
	struct ml_keys *table;
	struct array *y;
	int64_t dim[2] = {1, 0};
	size_t size;
	enum status st = map_in(c, &keys, &values);

	if (!st)
		st = vocabulary(c, keys->dt, &words);
	if (!st && values->dt != DT_STRING && dtype_bits(values->dt) < 8)
		st = kcall_error(c, E_type, "values of type %s",
				 dtype_name(values->dt));
	if (st)
		return st;
	table = key_table(c, keys);
	dim[1] = (int64_t)words.n;
	y = table ? kcall_out(c, 0, values->dt, 2, dim) : NULL;
	if (!y)
		return LIMIT;
	size = y->bytes / words.n;
	memset(y->data, 0, y->bytes);
	for (size_t i = 0; i < words.n; i++) {
		int64_t at = ml_find(table, &words, i);

		if (at >= 0)
			memcpy((char *)y->data + i * size,
			       (const char *)values->data + (size_t)at * size,
			       size);
	}
	return OK;
}

/* ---- CastMap ---- */

enum { NUMBER_TEXT = 64 }; /* of a float with six digits after the point */

static enum status cast_value(struct kcall *c, const struct array *v,
			      int64_t from, struct array *y, int64_t to,
			      char *text)
{
	size_t i = (size_t)from, k = (size_t)to;
	const struct str *s = v->data;
	struct str *out = y->data;
	double f;

	if (v->dt == DT_STRING && y->dt == DT_STRING) {
		out[k] = s[i];
	} else if (v->dt == DT_STRING) {
		if (!cast_parse(s[i], y->dt, y, to))
			return kcall_error(c, E_value,
					   "value %lld is not a number",
					   (long long)from);
	} else if (y->dt == DT_STRING) {
		f = dtype_get(v->dt, v->data, i);
		snprintf(text, NUMBER_TEXT, "%.6f", f);
		out[k] = (struct str){text, strlen(text)};
	} else {
		dtype_set(y->dt, y->data, k, dtype_get(v->dt, v->data, i));
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
static enum status form(struct kcall *c, const struct array *keys, bool *sparse,
			int64_t *n)
{
	struct str s = node_attr_str(c->node, "map_form", "DENSE");

	*sparse = str_is(s, "SPARSE");
	if (!*sparse && !str_is(s, "DENSE"))
		return kcall_error(c, E_attr, "map_form is unknown");
	*n = *sparse ? node_attr_int(c->node, "max_map", 1) : keys->n;
	if (*sparse && *n < 1)
		return kcall_error(c, E_value, "max_map is %lld",
				   (long long)*n);
	for (int64_t i = 0; *sparse && i < keys->n; i++) {
		int64_t k = dtype_get_int(keys->dt, keys->data, (size_t)i);

		if (k < 0 || k >= *n)
			return kcall_error(c, E_value, "key %lld of %lld",
					   (long long)k, (long long)*n);
	}
	return OK;
}

/* What stands where no key is. */
static void pad(struct array *y)
{
	if (y->dt != DT_STRING) {
		memset(y->data, 0, y->bytes);
		return;
	}
	for (int64_t i = 0; i < y->n; i++)
		((struct str *)y->data)[i] = (struct str){"0.f", 3};
}

enum status k_ml_cast_map(struct kcall *c)
{
	const struct array *keys, *values;
	struct ml_keys *table;
	struct array *y;
	enum dtype dt = DT_F32;
	bool sparse;
	int64_t dim[2] = {1, 0};
	char *text;
	enum status st = map_in(c, &keys, &values);

	if (!st && (keys->dt == DT_STRING ||
		    (values->dt != DT_STRING && values->dt != DT_F32)))
		st = kcall_error(c, E_type, "a map from %s to %s",
				 dtype_name(keys->dt), dtype_name(values->dt));
	if (!st)
		st = cast_type(c, &dt);
	if (!st)
		st = form(c, keys, &sparse, &dim[1]);
	if (st)
		return st;
	table = key_table(c, keys);
	text = nn_scratch(c, keys->n, NUMBER_TEXT);
	y = table && text ? kcall_out(c, 0, dt, 2, dim) : NULL;
	if (!y)
		return LIMIT;
	pad(y);
	for (size_t i = 0; !st && i < table->n; i++) {
		size_t at = table->key[i].at;

		st = cast_value(c, values, (int64_t)at, y,
				sparse ? dtype_get_int(keys->dt, keys->data, at)
				       : (int64_t)i,
				text + i * NUMBER_TEXT);
	}
	return st;
}
