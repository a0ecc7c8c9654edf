/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include "onnx/onnx.h"
#include "tests/unit/pb_build.h"

static struct diag d;

static void add_import(struct buf *b, uint32_t field, const char *domain,
		       int64_t version)
{
	struct buf o = {0};

	pb_text(&o, 1, domain);
	pb_num(&o, 2, version);
	pb_sub(b, field, &o);
}

/* A node of domain "f" that calls name. */
static void add_call(struct buf *b, uint32_t field, const char *name,
		     const char *in, const char *out)
{
	struct buf n = {0};

	pb_text(&n, 1, in);
	pb_text(&n, 2, out);
	pb_text(&n, 4, name);
	pb_text(&n, 7, "f");
	pb_sub(b, field, &n);
}

/* fI(a) = fJ(fJ(a)), with J = next; or Relu(a) if next is NULL. */
static void add_func(struct buf *m, const char *name, const char *next)
{
	struct buf f = {0}, n = {0};

	pb_text(&f, 1, name);
	pb_text(&f, 4, "a");
	pb_text(&f, 5, "b");
	if (next) {
		add_call(&f, 7, next, "a", "t");
		add_call(&f, 7, next, "t", "b");
	} else {
		pb_text(&n, 1, "a");
		pb_text(&n, 2, "b");
		pb_text(&n, 4, "Relu");
		pb_sub(&f, 7, &n);
	}
	add_import(&f, 9, "", 17);
	add_import(&f, 9, "f", 1);
	pb_text(&f, 10, "f");
	pb_sub(m, 25, &f);
}

/* A chain of n functions, the last one calling `last` (NULL: none). */
static struct model *chain(unsigned n, const char *last)
{
	struct buf m = {0}, g = {0};
	struct blob *file;
	struct model *out;

	pb_num(&m, 1, 10);
	add_call(&g, 1, "f0", "x", "y");
	pb_info(&g, 11, "x");
	pb_info(&g, 12, "y");
	pb_sub(&m, 7, &g);
	add_import(&m, 8, "", 17);
	add_import(&m, 8, "f", 1);
	for (unsigned i = 0; i < n; i++) {
		char name[16], next[16];

		snprintf(name, sizeof name, "f%u", i);
		snprintf(next, sizeof next, "f%u", i + 1);
		add_func(&m, name, i + 1 < n ? next : last);
	}
	file = blob_alloc(&d, m.n);
	memcpy(file->p, m.p, m.n);
	buf_release(&m);
	diag_init(&d, NULL);
	onnx_read_blob(&d, "f.onnx", file, NULL, &out);
	blob_unref(file);
	return out;
}

Test(func, calls_are_resolved)
{
	struct model *m = chain(3, NULL);
	const struct node *n;

	cr_assert_not_null(m);
	n = m->main->first;
	cr_expect_eq(n->op, op_call());
	cr_expect_eq(n->func, m->func.p[0]);
	cr_expect_eq(n->func->body->first->func, m->func.p[1]);
	cr_expect(node_is(m->func.p[2]->body->first, OP_Relu));
	model_free(m);
	diag_release(&d);
}

Test(func, recursion_and_expansion)
{
	static const struct {
		unsigned n;
		const char *last;
		bool ok;
	} cases[] = {
		{1, "f0", false},   /* calls itself */
		{5, "f2", false},   /* in a circle */
		{20, NULL, true},   /* 2^19 Relu nodes */
		{31, NULL, false},  /* 2^30 */
		{5000, NULL, false} /* saturates, and nests too deeply */
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct model *m = chain(cases[i].n, cases[i].last);

		cr_expect_eq(m != NULL, cases[i].ok);
		if (!m)
			cr_expect_eq(d.first, E_func);
		model_free(m);
		diag_release(&d);
	}
}
