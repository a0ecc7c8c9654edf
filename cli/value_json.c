/* SPDX-License-Identifier: MIT */
/*
 * value_json.c -- run-time values for machines.
 */
#include <math.h>
#include <string.h>
#include "cli/json.h"
#include "cli/value.h"

enum { NESTING = 32 };

/* JSON has no NaN and no infinities: they become strings. */
static json_t *float_json(double v)
{
	if (isnan(v))
		return json_string("nan");
	if (isinf(v))
		return json_string(v > 0 ? "inf" : "-inf");
	return json_real(v);
}

static json_t *element_json(const struct array *a, int64_t i)
{
	enum dtype part = a->dt == DT_C64 ? DT_F32 : DT_F64;
	size_t k = (size_t)i;

	switch (dtype_kind(a->dt)) {
	case 's':
		return json_str(((const struct str *)a->data)[i]);
	case 'f':
		return float_json(dtype_get(a->dt, a->data, k));
	case 'c':
		return json_pack(
			"[o,o]", float_json(dtype_get(part, a->data, 2 * k)),
			float_json(dtype_get(part, a->data, 2 * k + 1)));
	case 'b':
		return json_boolean(dtype_get_int(a->dt, a->data, k));
	case 'u':
		return json_u64((uint64_t)dtype_get_int(a->dt, a->data, k));
	default:
		return json_integer(dtype_get_int(a->dt, a->data, k));
	}
}

static void add_tensor(json_t *o, const struct array *a, int64_t limit)
{
	struct value_stats s = value_stats(a);
	json_t *dims = json_array(), *values;
	int64_t n = limit > 0 && limit < a->n ? limit : a->n;

	json_object_set_new(o, "type", json_string(dtype_name(a->dt)));
	for (int k = 0; k < a->rank; k++)
		json_array_append_new(dims, json_integer(a->dim[k]));
	json_object_set_new(o, "dims", dims);
	if (s.numeric) {
		json_object_set_new(o, "min", json_number(s.min));
		json_object_set_new(o, "max", json_number(s.max));
		json_object_set_new(o, "mean", json_number(s.mean));
		json_object_set_new(o, "nan", json_integer(s.nan));
		json_object_set_new(o, "inf", json_integer(s.inf));
	}
	if (limit < 0)
		return;
	values = json_array();
	for (int64_t i = 0; i < n; i++)
		json_array_append_new(values, element_json(a, i));
	json_object_set_new(o, "values", values);
	if (n < a->n)
		json_object_set_new(o, "truncated", json_true());
}

/* NOLINTNEXTLINE(misc-no-recursion): depth is checked */
static json_t *json_at(const struct array *a, int64_t limit, int depth)
{
	static const char *const kind[] = {
		[ARR_SEQ] = "sequence",
		[ARR_OPTIONAL] = "optional",
		[ARR_MAP] = "map",
	};
	json_t *o = json_object(), *items = json_array();

	if (a->kind == ARR_TENSOR) {
		json_decref(items);
		add_tensor(o, a, limit);
		return o;
	}
	json_object_set_new(o, "type", json_string(kind[a->kind]));
	for (uint32_t i = 0; i < a->nitem && depth < NESTING; i++)
		json_array_append_new(items,
				      json_at(a->item[i], limit, depth + 1));
	json_object_set_new(o, "items", items);
	return o;
}

json_t *value_json(const struct array *a, int64_t limit)
{
	return json_at(a, limit, 0);
}
