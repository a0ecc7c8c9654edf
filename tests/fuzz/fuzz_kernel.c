/* SPDX-License-Identifier: MIT */
/*
 * fuzz_kernel.c -- one node of any operator on any inputs.
 *
 * The bytes choose an operator version, its attributes, and its inputs:
 * types, shapes and values, most of them legal, so that kernels are reached,
 * some not.  The node is inferred and run by both kernel sets under limits of
 * memory and time.  A result that contradicts what was inferred is a bug, and
 * so is a refusal without a message.  With FUZZ_PRINT in the environment the
 * model of each input is printed.
 */
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "ir/formal.h"
#include "runtime/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_IN = 8, MAX_RANK = 5, MAX_LIST = 6, MAX_ELEMENTS = 1 << 12 };
#define MEMORY  ((size_t)256 << 20)
#define SECONDS 5

/* ---- decoding; zeros once the bytes are used up ---- */

struct bytes {
	const uint8_t *p;
	size_t n;
};

static unsigned take(struct bytes *b, unsigned below)
{
	unsigned v = b->n ? *b->p : 0;

	if (b->n) {
		b->p++;
		b->n--;
	}
	return v % below;
}

/* One time in n. */
static bool rarely(struct bytes *b, unsigned n)
{
	return take(b, n) == n - 1;
}

static int64_t number(struct bytes *b)
{
	static const int64_t odd[] = {INT64_MIN, INT64_MAX,  INT32_MIN,
				      INT32_MAX, UINT32_MAX, 1LL << 40,
				      65536,     100,        -100};

	if (rarely(b, 24))
		return odd[take(b, countof(odd))];
	return (int64_t)take(b, 10) - 3;
}

static float real(struct bytes *b)
{
	static const float odd[] = {0.0f,   -0.0f, 1e-30f, 1e30f, -1e30f,
				    1e-45f, 0.5f,  1e-5f,  3e9f};
	union {
		uint32_t u;
		float f;
	} inf = {0x7f800000}, nan = {0x7fc00000};

	switch (take(b, 16)) {
	case 0:
		return inf.f;
	case 1:
		return nan.f;
	case 2:
	case 3:
	case 4:
		return odd[take(b, countof(odd))];
	default:
		return (float)((int)take(b, 64) - 24) / 8;
	}
}

/* Words that string attributes know, and some that none does. */
static const char *const words[] = {
	"",
	"constant",
	"reflect",
	"edge",
	"wrap",
	"NOTSET",
	"VALID",
	"SAME_UPPER",
	"SAME_LOWER",
	"nearest",
	"linear",
	"cubic",
	"bilinear",
	"bicubic",
	"half_pixel",
	"align_corners",
	"asymmetric",
	"tf_crop_and_resize",
	"pytorch_half_pixel",
	"half_pixel_symmetric",
	"tf_half_pixel_for_nn",
	"floor",
	"ceil",
	"round_prefer_floor",
	"round_prefer_ceil",
	"stretch",
	"not_larger",
	"not_smaller",
	"add",
	"mul",
	"max",
	"min",
	"none",
	"sum",
	"mean",
	"avg",
	"forward",
	"reverse",
	"bidirectional",
	"Tanh",
	"Sigmoid",
	"Relu",
	"Softsign",
	"HardSigmoid",
	"DCR",
	"CRD",
	"border",
	"zeros",
	"reflection",
	"LEFT",
	"RIGHT",
	"tanh",
	"silu",
	"ij,jk->ik",
	"...i,ij->...j",
	"ii->i",
	"TF",
	"IDF",
	"TFIDF",
	"LOWER",
	"UPPER",
	"NONE",
	"SOFTMAX",
	"LOGISTIC",
	"PROBIT",
	"BRANCH_LEQ",
	"BRANCH_LT",
	"LEAF",
	"RBF",
	"POLY",
	"LINEAR",
	"MAX",
	"L1",
	"L2",
	"TO_FLOAT",
	"TO_STRING",
	"DENSE",
	"SPARSE",
	"[a-z]+",
	"(",
	" ",
	"\xff",
};

static const char *word(struct bytes *b)
{
	return words[take(b, countof(words))];
}

/* ---- tensors ---- */

static int64_t dim(struct bytes *b)
{
	static const uint8_t usual[] = {1, 2, 3, 4, 5,  7,  8, 2,
					3, 4, 1, 0, 16, 17, 33};

	return rarely(b, 200) ? number(b) : usual[take(b, countof(usual))];
}

static struct str text_of(const char *s)
{
	return (struct str){s, strlen(s)};
}

static void fill(struct tensor *t, struct bytes *b)
{
	unsigned how = take(b, 6);
	struct rng r = rng_make(take(b, 256), how);
	uint8_t *p;

	if (t->dt == DT_STRING) {
		for (int64_t i = 0; i < t->n; i++)
			t->strings[i] = text_of(word(b));
		return;
	}
	p = tensor_data_mut(t);
	if (how == 0 && t->dt != DT_BOOL) {
		for (size_t i = 0; i < t->len; i++)
			p[i] = (uint8_t)rng_next(&r);
		return;
	}
	for (int64_t i = 0; i < t->n; i++) {
		if (strchr("cs", dtype_kind(t->dt)))
			continue;
		if (how == 1 && dtype_is_float(t->dt))
			dtype_set(t->dt, p, (size_t)i, real(b));
		else if (how == 1 && t->dt != DT_BOOL)
			dtype_set_int(t->dt, p, (size_t)i, number(b));
		else if (how == 2 || t->dt == DT_BOOL)
			dtype_set_int(t->dt, p, (size_t)i,
				      (int64_t)rng_below(&r, 2));
		else if (dtype_is_float(t->dt))
			dtype_set(t->dt, p, (size_t)i, rng_normal(&r));
		else
			dtype_set_int(t->dt, p, (size_t)i,
				      (int64_t)rng_below(&r, 4));
	}
}

/* One of the types that the parameter takes, rarely any type. */
static enum dtype pick_type(struct bytes *b, struct str types)
{
	enum dtype ok[DT_COUNT];
	unsigned n = 0, any = 1 + take(b, DT_COUNT - 1);

	for (int i = 1; i < DT_COUNT; i++) {
		struct type t = {
			.kind = TY_TENSOR, .dt = (enum dtype)i, .rank = -1};

		if (formal_allows(types, &t))
			ok[n++] = (enum dtype)i;
	}
	if (n == 0 || rarely(b, 40))
		return (enum dtype)any;
	return ok[any % n];
}

static struct tensor *tensor(struct model *m, struct bytes *b, enum dtype dt)
{
	int64_t d[MAX_RANK], n = 1;
	int rank = (int)take(b, MAX_RANK + 1);

	for (int i = 0; i < rank; i++) {
		d[i] = dim(b);
		if (mul_i64(n, d[i], &n) && n > MAX_ELEMENTS)
			d[i] = 1, n = 1;
	}
	struct tensor *t = tensor_create(m, dt, rank, d);

	if (t)
		fill(t, b);
	return t;
}

/* ---- the node ---- */

static void set_attr(struct node *n, const struct attr_spec *a, struct bytes *b)
{
	struct model *m = n->graph->model;
	const char *name =
		arena_printf(&m->arena, "%.*s", (int)a->name.n, a->name.p);
	size_t count = take(b, MAX_LIST + 1);
	int64_t ints[MAX_LIST];
	struct tensor *t;
	struct attr x = {.name = model_sym(m, name), .kind = a->kind}, *more;

	switch (a->kind) {
	case ATTR_INT:
		node_set_int(n, name,
			     a->name.n == 2 && rarely(b, 2)
				     ? 1 + take(b, DT_COUNT)
				     : number(b));
		return;
	case ATTR_FLOAT:
		node_set_float(n, name, real(b));
		return;
	case ATTR_STRING:
		node_set_str(n, name, word(b));
		return;
	case ATTR_INTS:
		for (size_t i = 0; i < count; i++)
			ints[i] = number(b);
		node_set_ints(n, name, ints, count);
		return;
	case ATTR_TENSOR:
		t = tensor(m, b, (enum dtype)(1 + take(b, DT_COUNT - 1)));
		if (t)
			node_set_tensor(n, name, t);
		return;
	case ATTR_FLOATS:
		x.u.f = arena_array(&m->arena, count, sizeof *x.u.f);
		for (size_t i = 0; i < count; i++)
			x.u.f[i] = real(b);
		break;
	case ATTR_STRINGS:
		x.u.s = arena_array(&m->arena, count, sizeof *x.u.s);
		for (size_t i = 0; i < count; i++)
			x.u.s[i] = text_of(word(b));
		break;
	default: /* graphs, sparse tensors, types */
		return;
	}
	x.n = (uint32_t)count;
	more = arena_array(&m->arena, n->nattr + 1u, sizeof *more);
	for (uint32_t i = 0; i < n->nattr; i++)
		more[i] = n->attr[i];
	n->attr = more;
	n->attr[n->nattr++] = x;
}

static void set_attrs(struct node *n, struct bytes *b)
{
	const char *at = n->op->attrs;
	struct attr_spec a;

	while (attr_spec_next(&at, &a))
		if (a.required ? !rarely(b, 40) : rarely(b, 3))
			set_attr(n, &a, b);
}

/* Inputs that share a type variable share their type, mostly; constants or
 * graph inputs as the bytes say. */
static void set_inputs(struct node *n, struct bytes *b)
{
	struct model *m = n->graph->model;
	enum dtype last = DT_NONE;
	struct str var = {NULL, 0};
	bool same_shape = rarely(b, 3);
	const struct tensor *first = NULL;

	for (uint32_t i = 0; i < n->nin; i++) {
		struct formal f = {0};
		struct tensor *t;

		if (!formal_at(n->op->in, i, &f) ||
		    (f.optional && rarely(b, 2)))
			continue;
		if (!last || !str_eq(var, f.type) || rarely(b, 40))
			last = pick_type(b, formal_types(n->op, f.type));
		var = f.type;
		t = same_shape && first
			    ? tensor_create(m, last, first->rank, first->dim)
			    : tensor(m, b, last);
		if (!t)
			continue;
		if (same_shape && first)
			fill(t, b);
		first = t;
		node_set_input(n, i, graph_add_init(n->graph, 0, t));
	}
}

static uint32_t arity(struct bytes *b, int min, int max)
{
	int room = max > MAX_IN ? MAX_IN - min : max - min;

	return (uint32_t)(room > 0 ? min + (int)take(b, (unsigned)room + 1)
				   : min);
}

static struct model *decode(struct diag *d, struct bytes *b)
{
	size_t rows, row;
	const struct op *table = op_table(&rows);
	struct model *m = model_create(d);
	struct node *n;

	row = take(b, 256) * 256u;
	row = (row + take(b, 256)) % rows;
	const struct op *op = &table[row];

	model_import(m->main, op->domain, op->since);
	n = node_create(m->main, op, arity(b, op->in_min, op->in_max),
			arity(b, op->out_min, op->out_max), NULL);
	graph_set_outputs(m->main, n->nout);
	for (uint32_t i = 0; i < n->nout; i++)
		use_set(&m->main->ret->in[i], n->out[i]);
	set_attrs(n, b);
	set_inputs(n, b);
	return m;
}

/* ---- running ---- */

static void print_model(const struct model *m, struct buf *b)
{
	static const struct print_opts few = {.max_elements = 16,
					      .types = true};

	model_print(m, b, &few);
}

static void check_outputs(const struct model *m, struct array **out)
{
	const struct node *ret = m->main->ret;
	struct buf why = {0}, text = {0};

	for (uint32_t i = 0; i < ret->nin; i++) {
		if (out[i] && !array_fits(out[i], ret->in[i].v->type, &why)) {
			print_model(m, &text);
			BUG("output %u contradicts what was inferred: %s\n%s",
			    i, why.p, text.p);
		}
	}
}

/* legal: the schema allows the inputs, so that inference can be right. */
static void run(struct model *m, enum exec_set set, bool legal)
{
	struct exec_opts o = {.set = set, .seed = 1};
	struct array *in[1] = {NULL};
	struct array **out = xcalloc(m->main->ret->nin + 1u, sizeof *out);
	unsigned before = m->diag->nerror;
	struct exec *e = exec_create(m, &o);

	if (e && exec_run(e, in, out) == OK) {
		if (legal)
			check_outputs(m, out);
		for (uint32_t i = 0; i < m->main->ret->nin; i++)
			array_unref(out[i]);
	} else if (m->diag->nerror == before) {
		BUG("a refusal without a message");
	}
	exec_free(e);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {data, size};
	struct diag d;
	struct model *m;

	diag_init(&d, NULL);
	limit_set(MEMORY, SECONDS);
	m = decode(&d, &b);
	model_finish(m);
	if (getenv("FUZZ_PRINT")) {
		struct buf text = {0};

		print_model(m, &text);
		fputs(text.p, stderr);
		buf_release(&text);
	}
	if (model_infer(m) == OK && !exec_unsupported(m)) {
		bool legal = model_check(m, false) == OK;

		run(m, EXEC_REFERENCE, legal);
		run(m, EXEC_FAST, legal);
	}
	model_free(m);
	diag_release(&d);
	return 0;
}
