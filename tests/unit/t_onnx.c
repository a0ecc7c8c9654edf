/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include "onnx/onnx.h"
#include "tests/unit/pb_build.h"

static struct diag d;

static struct model *read_buf(const struct buf *b)
{
	struct blob *file = blob_alloc(&d, b->n);
	struct model *m;

	memcpy(file->p, b->p, b->n);
	onnx_read_blob(&d, "test.onnx", file, NULL, &m);
	blob_unref(file);
	return m;
}

/* Reads, finishes and writes b; expects the same bytes; releases b. */
static struct model *same_bytes(struct buf *b)
{
	struct model *m = read_buf(b);
	struct buf out = {0};

	cr_assert_not_null(m, "%s", d.last.p);
	model_verify_ir(m);
	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(onnx_encode(m, &out), OK);
	cr_expect_eq(out.n, b->n);
	cr_expect(out.n == b->n && !memcmp(out.p, b->p, b->n));
	cr_expect_eq(onnx_size(m), b->n);
	buf_release(&out);
	buf_release(b);
	return m;
}

/* Expects that reading g as a graph ends in the code; releases g. */
static void refuses(struct buf *g, enum diag_code code)
{
	struct buf m = pb_model(g);
	struct model *got;

	diag_release(&d);
	diag_init(&d, NULL);
	got = read_buf(&m);
	cr_expect_null(got);
	cr_expect_eq(d.first, code, "got %s (%s), expected %s",
		     diag_info(d.first)->name, d.last.p, diag_info(code)->name);
	buf_release(&m);
}

static struct buf tensor_head(enum dtype dt, int64_t n)
{
	struct buf t = {0};

	pb_num(&t, 1, n);
	pb_num(&t, 2, dt);
	return t;
}

/* One initializer "w" whose payload is field with these bytes. */
static struct buf graph_with(enum dtype dt, int64_t n, uint32_t field,
			     const void *p, size_t len)
{
	struct buf g = {0}, t = tensor_head(dt, n);
	const bool before = field < 8;

	if (before)
		pb_raw(&t, field, p, len);
	pb_text(&t, 8, "w");
	if (!before)
		pb_raw(&t, field, p, len);
	pb_sub(&g, 5, &t);
	return g;
}

static void setup(void)
{
	diag_init(&d, NULL);
}

static void teardown(void)
{
	diag_release(&d);
}

TestSuite(onnx, .init = setup, .fini = teardown);

Test(onnx, typed_numbers_of_every_type)
{
	static const struct {
		enum dtype dt;
		uint32_t field;
		int64_t v[2];
	} cases[] = {
		{DT_I8, 5, {-128, 127}},      {DT_U8, 5, {0, 255}},
		{DT_I16, 5, {-32768, 32767}}, {DT_U16, 5, {1, 65535}},
		{DT_I32, 5, {INT32_MIN, 7}},  {DT_BOOL, 5, {1, 0}},
		{DT_I64, 7, {INT64_MIN, -1}}, {DT_U32, 11, {UINT32_MAX, 1}},
		{DT_U64, 11, {INT64_MAX, 0}},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buf n = {0}, g, b;
		struct model *m;
		const struct tensor *t;

		pb_varint(&n, (uint64_t)cases[i].v[0]);
		pb_varint(&n, (uint64_t)cases[i].v[1]);
		g = graph_with(cases[i].dt, 2, cases[i].field, n.p, n.n);
		buf_release(&n);
		b = pb_model(&g);
		m = same_bytes(&b);
		t = m->main->init.p[0]->konst;
		cr_assert_not_null(t);
		cr_expect_eq(t->enc, ENC_TYPED);
		cr_expect_eq(tensor_int(m, t, 0), cases[i].v[0]);
		cr_expect_eq(tensor_int(m, t, 1), cases[i].v[1]);
		model_free(m);
	}
}

Test(onnx, small_and_float_types_in_int32_data)
{
	static const struct {
		enum dtype dt;
		int64_t n;
		unsigned char count;
		uint64_t v[2];
	} cases[] = {
		{DT_F16, 2, 2, {0x3c00, 0xffff}}, {DT_BF16, 1, 1, {0x3f80}},
		{DT_I4, 3, 2, {0x21, 0x0f}},      {DT_U4, 4, 2, {0xff, 0x10}},
		{DT_U2, 5, 2, {0xe4, 1}},         {DT_F8E4M3FN, 1, 1, {0x80}},
		{DT_F4E2M1, 2, 1, {0x7f}},        {DT_F8E8M0, 1, 1, {127}},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct buf n = {0}, g, b;
		struct model *m;

		for (unsigned k = 0; k < cases[i].count; k++)
			pb_varint(&n, cases[i].v[k]);
		g = graph_with(cases[i].dt, cases[i].n, 5, n.p, n.n);
		buf_release(&n);
		b = pb_model(&g);
		m = same_bytes(&b);
		model_free(m);
	}
}

Test(onnx, floats_are_mapped_not_copied)
{
	static const float f[2] = {1.5f, -2};
	static const double x[2] = {1e300, 0};
	struct buf g = graph_with(DT_F32, 2, 4, f, sizeof f), b;
	struct model *m;

	b = pb_model(&g);
	m = same_bytes(&b);
	cr_expect_eq(m->main->init.p[0]->konst->blob, m->file);
	cr_expect_eq(tensor_float(m, m->main->init.p[0]->konst, 1), -2);
	model_free(m);
	g = graph_with(DT_F64, 2, 10, x, sizeof x);
	b = pb_model(&g);
	m = same_bytes(&b);
	cr_expect_eq(m->main->init.p[0]->konst->blob, m->file);
	cr_expect_eq(tensor_float(m, m->main->init.p[0]->konst, 0), 1e300);
	model_free(m);
	g = graph_with(DT_C64, 1, 4, f, sizeof f); /* one complex number */
	b = pb_model(&g);
	model_free(same_bytes(&b));
}

Test(onnx, empty_scalar_and_string_tensors)
{
	struct buf g = {0}, t = {0}, b;
	struct model *m;

	t = tensor_head(DT_F32, 0); /* no data field at all */
	pb_text(&t, 8, "none");
	pb_sub(&g, 5, &t);
	t = tensor_head(DT_F32, 0); /* an empty one */
	pb_text(&t, 8, "empty");
	pb_raw(&t, 9, "", 0);
	pb_sub(&g, 5, &t);
	pb_num(&t, 2, DT_I64); /* rank 0 */
	pb_text(&t, 8, "scalar");
	pb_raw(&t, 9, "\5\0\0\0\0\0\0\0", 8);
	pb_sub(&g, 5, &t);
	t = tensor_head(DT_STRING, 2);
	pb_raw(&t, 6, "a\0b", 3);
	pb_raw(&t, 6, "", 0);
	pb_text(&t, 8, "strings");
	pb_sub(&g, 5, &t);
	b = pb_model(&g);
	m = same_bytes(&b);
	cr_assert_eq(m->main->init.n, 4);
	cr_expect_eq(m->main->init.p[1]->konst->n, 0);
	cr_expect_eq(tensor_int(m, m->main->init.p[2]->konst, 0), 5);
	cr_expect_eq(m->main->init.p[3]->konst->strings[0].n, 3);
	model_free(m);
}

Test(onnx, payload_rules)
{
	static const char zero[16];
	struct buf g;

	g = graph_with(DT_F32, 2, 9, zero, 4);
	refuses(&g, E_payload);
	g = graph_with(DT_F32, 2, 9, zero, 12);
	refuses(&g, E_payload);
	g = graph_with(DT_F32, 2, 7, zero, 2); /* int64_data */
	refuses(&g, E_payload);
	g = graph_with(DT_I8, 1, 5, "\xac\x02", 2); /* 300 */
	refuses(&g, E_payload);
	g = graph_with(DT_BOOL, 1, 5, "\2", 1);
	refuses(&g, E_payload);
	g = graph_with(DT_STRING, 1, 9, "a", 1);
	refuses(&g, E_payload);
	g = graph_with(DT_I64, 2, 7, "\1", 1);
	refuses(&g, E_payload);
	g = graph_with(DT_I64, 1, 7, "\1\x80", 2);
	refuses(&g, E_proto);
	g = graph_with(DT_F32, -1, 9, zero, 0);
	refuses(&g, E_dims);
	g = graph_with(DT_F64, INT64_MAX, 9, zero, 0);
	refuses(&g, E_dims);
	g = graph_with((enum dtype)27, 1, 9, zero, 4);
	refuses(&g, E_dtype);
}

/* x -> Op -> y with one attribute of these fields. */
static struct buf graph_with_attr(struct buf *attr)
{
	struct buf g = {0};

	pb_node(&g, "Op", "x", "y", attr);
	pb_info(&g, 11, "x");
	pb_info(&g, 12, "y");
	return g;
}

Test(onnx, attributes_that_leave_things_out)
{
	/* no type tag; no value; both given; a zero that is written */
	static const int has[][2] = {{0, 1}, {1, 0}, {1, 1}};

	for (size_t i = 0; i < countof(has); i++) {
		struct buf a = {0}, g, b;
		struct model *m;

		pb_text(&a, 1, "k");
		if (has[i][1])
			pb_num(&a, 3, 0);
		if (has[i][0])
			pb_num(&a, 20, ATTR_INT);
		g = graph_with_attr(&a);
		b = pb_model(&g);
		m = same_bytes(&b);
		cr_expect_eq(node_attr_int(m->main->first, "k", 9), 0);
		cr_expect_eq(m->main->first->attr[0].rest.n, 0);
		model_free(m);
	}
}

Test(onnx, attribute_rules)
{
	struct buf a = {0}, g;

	pb_text(&a, 1, "k");
	pb_num(&a, 3, 1);
	pb_text(&a, 4, "s");
	g = graph_with_attr(&a);
	refuses(&g, E_attr);
	pb_text(&a, 1, "k");
	pb_num(&a, 3, 1);
	pb_num(&a, 20, ATTR_FLOAT);
	g = graph_with_attr(&a);
	refuses(&g, E_attr);
	pb_text(&a, 1, "k");
	pb_num(&a, 20, ATTR_TENSOR);
	g = graph_with_attr(&a);
	refuses(&g, E_attr);
	pb_num(&a, 3, 1);
	g = graph_with_attr(&a);
	refuses(&g, E_attr);
}

Test(onnx, what_the_ir_does_not_model_comes_back)
{
	struct buf g = {0}, n = {0}, v = {0}, t = {0}, tt = {0}, s = {0},
		   dim = {0}, b;
	struct model *m;

	pb_text(&n, 1, "x");
	pb_text(&n, 2, "y");
	pb_text(&n, 3, ""); /* present, but empty */
	pb_text(&n, 4, "Relu");
	pb_text(&n, 6, "what it is for");
	pb_text(&n, 200, "a field of the future");
	pb_sub(&g, 1, &n);
	pb_text(&g, 10, "doc");
	pb_num(&dim, 1, -7); /* no IR dimension stands for it */
	pb_sub(&s, 1, &dim);
	pb_text(&dim, 2, "b + a"); /* nor for this spelling */
	pb_sub(&s, 1, &dim);
	pb_num(&tt, 1, 77);
	pb_sub(&tt, 2, &s);
	pb_sub(&t, 1, &tt);
	pb_text(&v, 1, "x");
	pb_sub(&v, 2, &t);
	pb_text(&v, 3, "doc");
	pb_sub(&g, 11, &v);
	pb_info(&g, 12, "y");
	pb_info(&g, 13, "nobody");
	b = pb_model(&g);
	m = same_bytes(&b);
	cr_expect_eq(m->main->in[0]->type->rank, 2);
	cr_expect(dim_unknown(m->main->in[0]->type->dim[0]));
	model_free(m);
}

Test(onnx, a_changed_type_replaces_the_kept_one)
{
	struct buf g = {0}, v = {0}, t = {0}, tt = {0}, b, out = {0};
	const struct dim two = dim_of(2);
	struct model *m;

	pb_num(&tt, 1, 77);
	pb_sub(&t, 1, &tt);
	pb_text(&v, 1, "x");
	pb_sub(&v, 2, &t);
	pb_node(&g, "Relu", "x", "y", NULL);
	pb_sub(&g, 11, &v);
	pb_info(&g, 12, "y");
	b = pb_model(&g);
	m = same_bytes(&b);
	m->main->in_info[0].decl = type_tensor(m, DT_F32, 1, &two);
	cr_assert_eq(onnx_encode(m, &out), OK);
	model_free(m);
	m = read_buf(&out);
	cr_assert_not_null(m);
	cr_expect_eq(m->main->in[0]->type->dt, DT_F32);
	cr_expect_eq(m->main->in[0]->type->dim[0].n, 2);
	model_free(m);
	buf_release(&out);
}

Test(onnx, nodes_in_any_order)
{
	struct buf g = {0}, b;
	struct model *m;

	pb_node(&g, "Abs", "b", "c", NULL);
	pb_node(&g, "Neg", "a", "b", NULL);
	pb_node(&g, "Exp", "x", "a", NULL);
	pb_info(&g, 11, "x");
	pb_info(&g, 12, "c");
	b = pb_model(&g);
	m = read_buf(&b);
	cr_assert_not_null(m);
	cr_expect(node_is(m->main->first, OP_Exp));
	cr_expect(node_is(m->main->last, OP_Abs));
	model_free(m);
	buf_release(&b);
}

Test(onnx, captures_are_uses)
{
	struct buf g = {0}, body = {0}, a = {0}, b;
	struct model *m;
	struct graph *inner;

	pb_node(&body, "Neg", "x", "inner", NULL);
	pb_info(&body, 12, "inner");
	pb_text(&a, 1, "then_branch");
	pb_sub(&a, 6, &body);
	pb_num(&a, 20, ATTR_GRAPH);
	pb_node(&g, "If", "c", "y", &a);
	pb_info(&g, 11, "c");
	pb_info(&g, 11, "x");
	pb_info(&g, 12, "y");
	b = pb_model(&g);
	m = same_bytes(&b);
	inner = node_graph(m->main->first, 0);
	cr_expect_eq(m->main->in[1]->nuse, 1);
	cr_expect_eq(m->main->in[1]->uses->user, inner->first);
	cr_expect_eq(inner->owner, m->main->first);
	model_free(m);
}

Test(onnx, initializers_of_inputs)
{
	static const char zero[4];

	for (int64_t ir = 3; ir <= 4; ir++) {
		struct buf g = graph_with(DT_F32, 1, 9, zero, 4), b = {0};
		struct model *m;
		struct value *v;

		pb_info(&g, 11, "w");
		pb_info(&g, 12, "w");
		pb_num(&b, 1, ir);
		pb_sub(&b, 7, &g);
		m = same_bytes(&b);
		v = m->main->in[0];
		cr_expect_not_null(v->init);
		cr_expect_eq(v->konst != NULL, ir < 4);
		model_free(m);
	}
}

Test(onnx, name_rules)
{
	struct buf g = {0};

	pb_node(&g, "Neg", "nowhere", "y", NULL);
	refuses(&g, E_undefined);
	pb_info(&g, 12, "nowhere");
	refuses(&g, E_undefined);
	pb_info(&g, 11, "");
	refuses(&g, E_name);
	pb_info(&g, 11, "x");
	pb_info(&g, 11, "x");
	refuses(&g, E_name);
	pb_info(&g, 11, "x");
	pb_node(&g, "Neg", "x", "x", NULL);
	refuses(&g, E_name);
	pb_node(&g, "Neg", "a", "b", NULL);
	pb_node(&g, "Neg", "b", "a", NULL);
	refuses(&g, E_cycle);
	pb_info(&g, 11, "x");
	pb_node(&g, "", "x", "y", NULL);
	refuses(&g, E_op);
}

Test(onnx, probe)
{
	struct buf g = {0}, b = pb_model(&g);

	cr_expect(onnx_probe((uint8_t *)b.p, b.n));
	cr_expect_not(onnx_probe((const uint8_t *)"hello", 5));
	cr_expect_not(onnx_probe((const uint8_t *)"<ir_version: 8>", 15));
	cr_expect_not(onnx_probe((const uint8_t *)"", 0));
	cr_expect_not(onnx_probe((const uint8_t *)"\x89PNG", 4));
	buf_release(&b);
}
