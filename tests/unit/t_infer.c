/* SPDX-License-Identifier: MIT */
/*
 * t_infer.c -- types of one-node and few-node models in text, and refusals.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ir/infer/infer.h"

struct shape_case {
	int opset;
	const char *in;   /* inputs of the graph */
	const char *body; /* nodes; y is the output */
	const char *type; /* of y; NULL: refused */
};

static const struct shape_case cases[] = {
	/* element-wise */
	{17, "float[N,3] a", "y = Relu(a)", "float[N,3]"},
	{17, "float[N,3] a, float[3] b", "y = Add(a, b)", "float[N,3]"},
	{17, "float[2,1] a, float[5] b", "y = Mul(a, b)", "float[2,5]"},
	{17, "float[N] a, float[M] b", "y = Mul(a, b)", "float[y_dim_0]"},
	{17, "float[N] a, float[4] b", "y = Mul(a, b)", "float[4]"},
	{17, "float[2] a, float[3] b", "y = Mul(a, b)", NULL},
	/* at most 64 of N: equal, or refused */
	{17, "float[N] a, float[64] b",
	 "s = Shape(a) z = Constant<value_ints=[0]>() c = Slice(b, z, s) "
	 "y = Mul(a, c)",
	 "float[N]"},
	/* M + 1 is N if N is 1, too, only for M = 0 */
	{17, "float[N] a, float[M] b",
	 "z = Constant<value_ints=[1,0]>() c = Pad(b, z) y = Mul(a, c)",
	 "float[y_dim_0]"},
	{17, "float[] a, float[3] b", "y = Mul(a, b)", "float[]"},
	{6, "float[2,3] a, float[3] b", "y = Add<broadcast=1>(a, b)",
	 "float[2,3]"},
	{17, "float[2,3] a", "y = Cast<to=7>(a)", "int64[2,3]"},
	{17, "float[2,3] a, float[3] b", "y = Greater(a, b)", "bool[2,3]"},
	{17, "bool[2,1] c, int8[3] a, int8 b", "y = Where(c, a, b)",
	 "int8[2,3]"},
	/* layout */
	{17, "float[N,3,4] a",
	 "s = Constant<value_ints=[0,-1]>() "
	 "y = Reshape(a, s)",
	 "float[N,12]"},
	{17, "float[N,3,4] a",
	 "s = Constant<value_ints=[-1,6]>() "
	 "y = Reshape(a, s)",
	 "float[2*N,6]"},
	{17, "float[N,C,4] a",
	 "s = Constant<value_ints=[0,2,-1]>() "
	 "y = Reshape(a, s)",
	 "float[N,2,2*C]"},
	{17, "float[3,4] a",
	 "s = Constant<value_ints=[5,-1]>() "
	 "y = Reshape(a, s)",
	 NULL},
	{17, "float[3,4] a",
	 "s = Constant<value_ints=[3,5]>() "
	 "y = Reshape(a, s)",
	 NULL},
	{17, "float[3,4] a, int64[3] s", "y = Reshape(a, s)",
	 "float[y_dim_0,y_dim_1,y_dim_2]"},
	{17, "float[2,0,4] a",
	 "s = Constant<value_ints=[0,-1]>() "
	 "y = Reshape<allowzero=1>(a, s)",
	 "float[0,y_dim_1]"},
	{17, "float[N,2,3] a", "y = Transpose<perm=[2,0,1]>(a)",
	 "float[3,N,2]"},
	{17, "float[N,2,3] a", "y = Transpose(a)", "float[3,2,N]"},
	{17, "float[N,2] a", "y = Transpose<perm=[0,0]>(a)", NULL},
	{17, "float[N,2,3] a", "y = Flatten<axis=-1>(a)", "float[2*N,3]"},
	{11, "float[1,N,1] a", "y = Squeeze<axes=[0,-1]>(a)", "float[N]"},
	{11, "float[1,2,1] a", "y = Squeeze(a)", "float[2]"},
	{11, "float[2,N] a", "y = Squeeze<axes=[0]>(a)", NULL},
	{17, "float[2,N] a",
	 "s = Constant<value_ints=[0,-1]>() "
	 "y = Unsqueeze(a, s)",
	 "float[1,2,N,1]"},
	{17, "float[N,8,H,6] a", "y = DepthToSpace<blocksize=2>(a)",
	 "float[N,2,2*H,12]"},
	{17, "float[N,3,H,6] a", "y = SpaceToDepth<blocksize=2>(a)",
	 "float[N,12,floor(H/2),3]"},
	/* parts */
	{17, "float[10,N] a",
	 "s = Constant<value_ints=[1]>() "
	 "e = Constant<value_ints=[-1]>() y = Slice(a, s, e)",
	 "float[8,N]"},
	{17, "float[N] a",
	 "s = Constant<value_ints=[1]>() "
	 "e = Constant<value_ints=[9223372036854775807]>() "
	 "y = Slice(a, s, e)",
	 "float[max(0, N - 1)]"},
	{17, "float[N] a",
	 "s = Constant<value_ints=[-1]>() "
	 "e = Constant<value_ints=[-9223372036854775807]>() "
	 "x = Constant<value_ints=[0]>() t = Constant<value_ints=[-1]>() "
	 "y = Slice(a, s, e, x, t)",
	 "float[N]"},
	{9, "float[10,7] a", "y = Slice<starts=[2],ends=[100],axes=[1]>(a)",
	 "float[10,5]"},
	{17, "float[5,N] a, int64[2,3] i", "y = Gather<axis=1>(a, i)",
	 "float[5,2,3]"},
	{17, "float[5,N] a, int64[2,2] i", "y = GatherND(a, i)", "float[2]"},
	{17, "float[N,7] a", "y, z = Split<axis=0>(a)", "float[floor(N/2),7]"},
	{17, "float[7] a", "y, z = Split(a)", NULL},
	{18, "float[7] a", "z, y = Split<num_outputs=2>(a)", "float[3]"},
	{17, "float[N,9] a",
	 "k = Constant<value_ints=[4]>() "
	 "y, i = TopK(a, k)",
	 "float[N,4]"},
	{17, "float[3,2] a",
	 "k = Constant<value_ints=[4]>() "
	 "y, i = TopK(a, k)",
	 NULL},
	{17, "float[N,9] a", "y = NonZero(a)", "int64[2,y_dim_1]"},
	/* built */
	{17, "float[N,3] a, float[M,3] b", "y = Concat<axis=0>(a, b)",
	 "float[M + N,3]"},
	{17, "float[N,3] a, float[M,4] b", "y = Concat<axis=0>(a, b)", NULL},
	{17, "float[1,3] a",
	 "s = Constant<value_ints=[4,1]>() "
	 "y = Expand(a, s)",
	 "float[4,3]"},
	{17, "float[N,3] a",
	 "s = Constant<value_ints=[2,2]>() "
	 "y = Tile(a, s)",
	 "float[2*N,6]"},
	{17, "float[N,3] a",
	 "s = Constant<value_ints=[0,1,0,2]>() "
	 "y = Pad(a, s)",
	 "float[N,6]"},
	{17, "float[N,3] a", "s = Shape(a) y = ConstantOfShape(s)",
	 "float[N,3]"},
	{17, "float[N,3] a", "y = Shape<start=-1>(a)", "int64[1]"},
	{17, "int64[N] a",
	 "d = Constant<value_int=5>() "
	 "v = Constant<value_floats=[0.0,1.0]>() y = OneHot(a, d, v)",
	 "float[N,5]"},
	/* windows */
	{17, "float[N,3,224,224] a, float[64,3,7,7] w",
	 "y = Conv<strides=[2,2],pads=[3,3,3,3]>(a, w)", "float[N,64,112,112]"},
	{17, "float[N,4,H,W] a, float[8,2,3,3] w",
	 "y = Conv<group=2,strides=[2,1],pads=[1,1,1,1]>(a, w)",
	 "float[N,8,floor((H + 1)/2),W]"},
	{17, "float[N,4,H,9] a, float[8,2,3,3] w",
	 "y = Conv<group=2,auto_pad=\"SAME_UPPER\",strides=[2,2]>(a, w)",
	 "float[N,8,floor((H + 1)/2),5]"},
	{17, "float[N,4,9] a, float[8,3,3] w", "y = Conv(a, w)", NULL},
	{17, "float[1,4,2] a, float[8,4,3] w", "y = Conv(a, w)", NULL},
	{17, "float[1,4,9] a, float[8,4,3] w", "y = Conv<strides=[0]>(a, w)",
	 NULL},
	{17, "float[1,2,7,7] a",
	 "y = MaxPool<kernel_shape=[2,2],strides=[2,2],ceil_mode=1>(a)",
	 "float[1,2,4,4]"},
	{19, "float[1,2,5,5] a",
	 "y = AveragePool<kernel_shape=[1,1],"
	 "strides=[3,3],pads=[0,0,1,1],ceil_mode=1>(a)",
	 "float[1,2,2,2]"},
	{17, "float[1,2,H,4] a, float[2,3,3,3] w",
	 "y = ConvTranspose<strides=[2,2],pads=[1,1,1,1],"
	 "output_padding=[1,1]>(a, w)",
	 "float[1,3,2*H,8]"},
	{17, "float[N,2,H,4] a", "y = GlobalAveragePool(a)", "float[N,2,1,1]"},
	/* products */
	{17, "float[B,1,3,4] a, float[5,4,N] b", "y = MatMul(a, b)",
	 "float[B,5,3,N]"},
	{17, "float[4] a, float[4,N] b", "y = MatMul(a, b)", "float[N]"},
	{17, "float[2,4] a, float[3,2] b", "y = MatMul(a, b)", NULL},
	{17, "float[N,4] a, float[7,4] b", "y = Gemm<transB=1>(a, b)",
	 "float[N,7]"},
	{17, "float[B,I,J] a, float[B,J,3] b",
	 "y = Einsum<equation=\"bij,bjk->bik\">(a, b)", "float[B,I,3]"},
	{17, "float[2,3,4] a", "y = Einsum<equation=\"...ii\">(a)", NULL},
	/* reductions and norms */
	{17, "float[N,3,4] a", "y = ReduceMean<axes=[1,-1],keepdims=0>(a)",
	 "float[N]"},
	{18, "float[N,3] a",
	 "x = Constant<value_ints=[1]>() "
	 "y = ReduceMax(a, x)",
	 "float[N,1]"},
	{17, "float[N,3] a", "y = ReduceMax(a)", "float[1,1]"},
	{17, "float[N,3] a", "y = ArgMax<axis=2>(a)", NULL},
	{17, "float[N,3] a", "y = ArgMax<axis=1,keepdims=0>(a)", "int64[N]"},
	{17, "float[T,B,8] x, float[2,64,8] w, float[2,64,16] r",
	 "y = LSTM<hidden_size=16,direction=\"bidirectional\">(x, w, r)",
	 "float[T,2,B,16]"},
	{17, "float[N,3,4] a, float[4] s",
	 "z, y = "
	 "LayerNormalization(a, s)",
	 "float[N,3,1]"},
	/* quantized */
	{17, "float[N,3] a, float s, int8 z", "y = QuantizeLinear(a, s, z)",
	 "int8[N,3]"},
	{17, "uint8[N,3] a, uint8[3,5] b", "y = MatMulInteger(a, b)",
	 "int32[N,5]"},
	/* images */
	{17, "float[N,3,H,9] a",
	 "s = Constant<value_floats=[1.0,1.0,0.5,2.0]>"
	 "() y = Resize(a, , s)",
	 "float[N,3,floor(H/2),18]"},
	/* integer data through arithmetic */
	{17, "float[N,3,4] a",
	 "s = Shape(a) i = Constant<value_int=0>() "
	 "n = Gather(s, i) u = Constant<value_ints=[0]>() "
	 "n1 = Unsqueeze(n, u) m = Constant<value_ints=[-1]>() "
	 "t = Concat<axis=0>(n1, m) y = Reshape(a, t)",
	 "float[N,12]"},
	{17, "float[N,H] a",
	 "s = Shape<start=1>(a) "
	 "t = Constant<value_ints=[2]>() q = Div(s, t) r = Mul(q, t) "
	 "y = ConstantOfShape(r)",
	 "float[2*floor(H/2)]"},
	{17, "float[1,H] a, float[N,1] b",
	 "s = Shape(a) "
	 "o = Constant<value_ints=[1,1]>() c = Equal(s, o) "
	 "m = Constant<value_ints=[7,7]>() t = Where(c, m, s) "
	 "y = ConstantOfShape(t)",
	 "float[7,y_dim_1]"},
	{17, "float[N,H] a",
	 "i = Constant<value_int=1>() "
	 "z = Constant<value_int=0>() s = Shape<start=1>(a) "
	 "n = Squeeze(s) y = Range(z, n, i)",
	 "int64[H]"},
	/* control flow */
	{17, "bool c, float[2,3] a, float[2,4] b",
	 "y = If(c)<then_branch = t() => (p) { p = Neg(a) },"
	 "else_branch = e() => (q) { q = Neg(b) }>",
	 "float[2,y_dim_1]"},
	{17, "float[2] a",
	 "n = Constant<value_int=3>() t = Constant<value=bool {1}>() "
	 "z, y = Loop(n, t, a)<body = b(int64 i, bool c, float[2] p) => "
	 "(d, q, r) { d = Identity(c) q = Neg(p) r = Neg(p) }>",
	 "float[3,2]"},
	{17, "float[2] a",
	 "n = Constant<value_int=3>() t = Constant<value=bool {1}>() "
	 "y = Loop(n, t, a)<body = b(int64 i, bool c, p) => "
	 "(d, q) { d = Identity(c) q = Concat<axis=0>(p, p) }>",
	 "float[y_dim_0]"},
	{17, "float[4] s, float[T,4] x",
	 "z, y = Scan<num_scan_inputs=1, body = b(p, e) => (q, r) "
	 "{ q = Add(p, e) r = Neg(q) }>(s, x)",
	 "float[T,4]"},
	/* sequences */
	{17, "float[2,3] a, float[4,3] b",
	 "s = SequenceConstruct(a, b) "
	 "y = ConcatFromSequence<axis=0>(s)",
	 "float[y_dim_0,3]"},
	{17, "float[2,3] a", "y = Optional(a)", "optional(float[2,3])"},
};

static struct model *build(struct diag *d, const struct shape_case *c)
{
	struct buf b = {0};
	struct model *m;

	buf_printf(&b,
		   "<ir_version: 8, opset_import: [\"\" : %d]>\n"
		   "g (%s) => (y) { %s }",
		   c->opset, c->in, c->body);
	m = model_parse(d, "t.txt", (struct str){b.p, b.n});
	cr_assert(m, "%s: %s", b.p, d->last.p);
	buf_release(&b);
	return m;
}

Test(infer, types)
{
	for (size_t i = 0; i < countof(cases); i++) {
		struct diag d;
		struct model *m;
		struct buf b = {0};
		enum status st;

		diag_init(&d, NULL);
		m = build(&d, &cases[i]);
		st = model_infer(m);
		type_print(m, &b, m->main->ret->in[0].v->type);
		if (cases[i].type) {
			cr_expect_eq(st, OK, "%s: %s", cases[i].body, d.last.p);
			cr_expect_str_eq(b.p, cases[i].type, "%s: %s, not %s",
					 cases[i].body, b.p, cases[i].type);
		} else {
			cr_expect_eq(st, BAD_MODEL, "%s: %s", cases[i].body,
				     b.p);
		}
		/* a second walk finds the same */
		if (st == OK) {
			const struct type *t = m->main->ret->in[0].v->type;

			cr_expect_eq(model_infer(m), OK);
			cr_expect_eq(m->main->ret->in[0].v->type, t);
		}
		buf_release(&b);
		model_free(m);
		diag_release(&d);
	}
}

static struct model *parse(struct diag *d, const char *text)
{
	struct model *m;

	diag_init(d, NULL);
	m = model_parse(d, "t.txt", (struct str){text, strlen(text)});
	cr_assert(m, "%s", d->last.p);
	return m;
}

static void expect_type(struct model *m, const struct value *v,
			const char *text)
{
	struct buf b = {0};

	type_print(m, &b, v->type);
	cr_expect_str_eq(b.p, text, "%s, not %s", b.p, text);
	buf_release(&b);
}

Test(infer, declared_types_are_merged_or_contradicted)
{
	struct diag d;
	struct model *m =
		parse(&d, "<ir_version: 8, opset_import: [\"\" : 17]>\n"
			  "g (float[N] a, float[M] b) => (float[K] y)"
			  "{ y = Add(a, b) }");

	cr_assert_eq(model_infer(m), OK);
	expect_type(m, m->main->ret->in[0].v, "float[K]");
	model_free(m);
	diag_release(&d);

	m = parse(&d, "<ir_version: 8, opset_import: [\"\" : 17]>\n"
		      "g (float[2,3] a) => (float[2,4] y) { y = Neg(a) }");
	cr_assert_eq(model_infer(m), BAD_MODEL);
	cr_assert_eq(d.first, E_shape);
	cr_assert(strstr(d.last.p, "float[2,3]"));
	cr_assert(strstr(d.last.p, "float[2,4]"));
	model_free(m);
	diag_release(&d);

	m = parse(&d, "<ir_version: 8, opset_import: [\"\" : 17]>\n"
		      "g (float[2,3] a) => (int64[2,3] y) { y = Neg(a) }");
	cr_assert_eq(model_infer(m), BAD_MODEL);
	cr_assert_eq(d.first, E_type);
	model_free(m);
	diag_release(&d);
}

/* A function's body is typed with what its callers have in common. */
Test(infer, functions)
{
	struct diag d;
	struct model *m = parse(
		&d, "<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1]>\n"
		    "g (float[2,3] a, float[4,3] b, int8[5] c) => (y, z, w) {"
		    " y = f.twice(a) z = f.twice(b) w = f.once(c) }\n"
		    "<domain: \"f\", opset_import: [\"\" : 17]>\n"
		    "twice (x) => (r) { r = Add(x, x) }\n"
		    "<domain: \"f\", opset_import: [\"\" : 17]>\n"
		    "once (x) => (r) { r = Abs(x) }\n");

	cr_assert_eq(model_infer(m), OK, "%s", d.last.p);
	expect_type(m, m->main->ret->in[0].v, "float[2,3]");
	expect_type(m, m->main->ret->in[1].v, "float[4,3]");
	expect_type(m, m->main->ret->in[2].v, "int8[5]");
	expect_type(m, m->func.p[0]->body->ret->in[0].v, "float[x_dim_0,3]");
	expect_type(m, m->func.p[1]->body->ret->in[0].v, "int8[5]");
	model_free(m);
	diag_release(&d);
}

Test(infer, constants_are_noted)
{
	struct diag d;
	struct model *m =
		parse(&d, "<ir_version: 8, opset_import: [\"\" : 17]>\n"
			  "g () => (a, b, c) { a = Constant<value_ints=[1,2]>()"
			  " b = Constant<value_float=2.5>()"
			  " c = Constant<value_string=\"x\">() }");
	const struct tensor *t;

	value_note_consts(m);
	t = m->main->ret->in[0].v->konst;
	cr_assert(t && t->dt == DT_I64 && t->n == 2 &&
		  tensor_int(m, t, 1) == 2);
	t = m->main->ret->in[1].v->konst;
	cr_assert(t && t->dt == DT_F32 && t->rank == 0 &&
		  tensor_float(m, t, 0) == 2.5);
	t = m->main->ret->in[2].v->konst;
	cr_assert(t && t->dt == DT_STRING && str_is(t->strings[0], "x"));
	model_free(m);
	diag_release(&d);
}

/* Elements of value.data: numbers, symbols, negative numbers. */
Test(infer, data)
{
	struct diag d;
	struct model *m =
		parse(&d, "<ir_version: 8, opset_import: [\"\" : 17]>\n"
			  "g (float[N,3] a) => (y) { s = Shape(a)"
			  " m = Constant<value_ints=[-1]>()"
			  " y = Concat<axis=0>(m, s) }");
	const struct value *v;
	int64_t k;

	cr_assert_eq(model_infer(m), OK);
	v = m->main->ret->in[0].v;
	cr_assert_eq(v->ndata, 3u);
	cr_assert(dim_number(m, v->data[0], &k) && k == -1);
	cr_assert(str_is(sym_str(m, v->data[1].s), "N"));
	cr_assert(dim_known(v->data[2]) && v->data[2].n == 3);
	model_free(m);
	diag_release(&d);
}

/* Thirty functions that call the next twice: 2^30 calls, cut off. */
Test(infer, call_budget)
{
	struct diag d;
	struct buf b = {0};
	struct model *m;

	buf_puts(&b, "<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1]>\n"
		     "g (float[2] a) => (y) { y = f.f0(a) }\n");
	for (int i = 0; i < 20; i++)
		buf_printf(&b,
			   "<domain: \"f\", opset_import: [\"\" : 17, \"f\" : "
			   "1]>\nf%d (x) => (r) { p = f.f%d(x) r = f.f%d(p) "
			   "}\n",
			   i, i + 1, i + 1);
	buf_puts(&b, "<domain: \"f\", opset_import: [\"\" : 17]>\n"
		     "f20 (x) => (r) { r = Neg(x) }\n");
	m = parse(&d, b.p);
	cr_assert_eq(model_infer(m), OK);
	model_free(m);
	diag_release(&d);
	buf_release(&b);
}
