/* SPDX-License-Identifier: MIT */
/*
 * schema.c -- the operator table and its look-ups.
 *
 * schema.def is expanded into one array of rows, sorted by operator id and
 * version, and one array of operators, sorted by domain and name.  A look-up is
 * a binary search over about 380 names.
 */
#include <string.h>

#include "ir/ir.h"

#define VERSION(op, ver, fl, imin, imax, omin, omax, ins, outs, at, co) \
	{.id = OP_##op,                                                 \
	 .since = ver,                                                  \
	 .flags = fl,                                                   \
	 .in_min = imin,                                                \
	 .in_max = imax,                                                \
	 .out_min = omin,                                               \
	 .out_max = omax,                                               \
	 .in = ins,                                                     \
	 .out = outs,                                                   \
	 .attrs = at,                                                   \
	 .constraints = co},
static struct op rows[] = {
#include "ir/schema.def"
};

/* One operator: where its rows are. */
struct entry {
	enum op_id id;
	enum op_domain domain;
	const char *name;
	uint32_t first, n;
};

#define OPERATOR(op, dom, text) {.id = OP_##op, .domain = dom, .name = text},
static struct entry entries[] = {
#include "ir/schema.def"
};

#define FIRST_ID (OP_CALL + 1)

_Static_assert(countof(entries) == OP_COUNT - FIRST_ID, "one entry per id");

static bool ready;

static const char *const domain_names[] = {
	[DOM_ONNX] = "",
	[DOM_ML] = "ai.onnx.ml",
	[DOM_TRAIN] = "ai.onnx.preview.training",
	[DOM_PREVIEW] = "ai.onnx.preview",
	[DOM_MS] = "com.microsoft",
	[DOM_ORT] = "",
};

/* Rows name their operator by id alone: fill in what follows from it. */
static void prepare(void)
{
	if (ready)
		return;
	for (size_t i = 0; i < countof(rows); i++) {
		struct entry *e = &entries[rows[i].id - FIRST_ID];

		if (e->n == 0)
			e->first = (uint32_t)i;
		else if (e->first + e->n != i ||
			 rows[i - 1].since >= rows[i].since)
			BUG("schema.def: rows of '%s' are not in order",
			    e->name);
		e->n++;
		rows[i].domain = e->domain;
		rows[i].name = e->name;
	}
	ready = true;
}

static enum op_domain domain_find(struct str name)
{
	if (str_is(name, "ai.onnx"))
		return DOM_ONNX;
	for (size_t i = 0; i < countof(domain_names); i++)
		if (str_is(name, domain_names[i]))
			return (enum op_domain)i;
	return DOM_NONE;
}

static const struct op *entry_row(const struct entry *e, int64_t version)
{
	const struct op *found = NULL;

	for (uint32_t i = 0; i < e->n; i++)
		if (rows[e->first + i].since <= version)
			found = &rows[e->first + i];
	return found;
}

static const struct op *find_in(enum op_domain d, struct str name,
				int64_t version)
{
	size_t lo = 0, hi = countof(entries);

	prepare();
	while (d != DOM_NONE && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct entry *e = &entries[mid];
		int c;

		if (d != e->domain)
			c = d < e->domain ? -1 : 1;
		else
			c = str_cmp(name,
				    (struct str){e->name, strlen(e->name)});
		if (c == 0)
			return entry_row(e, version);
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* What ONNX Runtime adds to ai.onnx counts where ONNX has nothing. */
const struct op *op_find(struct str domain, struct str name, int64_t version)
{
	enum op_domain d = domain_find(domain);
	const struct op *op = find_in(d, name, version);

	return op || d != DOM_ONNX ? op : find_in(DOM_ORT, name, version);
}

const struct op *op_latest(enum op_id id, int64_t version)
{
	prepare();
	if ((int)id < FIRST_ID || id >= OP_COUNT)
		return NULL;
	return entry_row(&entries[id - FIRST_ID], version);
}

const char *op_domain_name(enum op_domain d)
{
	return (size_t)d < countof(domain_names) ? domain_names[d] : "";
}

/* Operators that no schema lists: any inputs, any outputs, no attributes. */
static const struct op pseudo[] = {
#define PSEUDO(op_id, text, outputs)    \
	[op_id] = {.id = op_id,         \
		   .domain = DOM_NONE,  \
		   .name = text,        \
		   .in_max = ARITY_ANY, \
		   .out_max = outputs,  \
		   .in = "",            \
		   .out = "",           \
		   .attrs = "",         \
		   .constraints = ""}
	PSEUDO(OP_UNKNOWN, "unknown", ARITY_ANY),
	PSEUDO(OP_RETURN, "return", 0),
	PSEUDO(OP_CALL, "call", ARITY_ANY),
#undef PSEUDO
};

const struct op *op_unknown(void)
{
	return &pseudo[OP_UNKNOWN];
}

const struct op *op_return(void)
{
	return &pseudo[OP_RETURN];
}

const struct op *op_call(void)
{
	return &pseudo[OP_CALL];
}

int64_t op_newest(enum op_domain d)
{
	size_t n;
	const struct op *op = op_table(&n);
	int newest = 0;

	for (size_t i = 0; i < n; i++)
		if (op[i].domain == d && op[i].since > newest)
			newest = op[i].since;
	return newest;
}

const struct op *op_table(size_t *n)
{
	prepare();
	*n = countof(rows);
	return rows;
}
