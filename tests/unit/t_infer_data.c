/* SPDX-License-Identifier: MIT */
/*
 * t_infer_data.c -- elements that shape inference follows, operator by
 * operator, and the names it gives to open dims.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ir/infer/infer.h"

#define HEAD                                                             \
	"g (float[N,C,4] a, float[H,W] b, bool f, int64[2] u) => (y)\n"  \
	"<int64 k0 = {0}, int64 k1 = {1}, int64 k2 = {2}, int64 k3 = "   \
	"{3}, int64[1] v0 = {0}, int64[1] v1 = {1}, int64[1] v2 = {2}, " \
	"int64[1] vm1 = {-1}, int64[2] v12 = {1, 2}, int64[2] v21 = "    \
	"{2, 1}, int64[4] v4 = {4, 3, 2, 1}, int64[2,2] m22 = {1, 2, "   \
	"3, 4}, int64[2,1] i20 = {2, 0}, float half = {0.5}, float "     \
	"three = {3.0}, float thin = {0.3}, float[1] hv = {1.5}>\n"

struct data_case {
	int opset;
	const char *body;
	const char *elements; /* of y */
};

static const struct data_case cases[] = {
	{17, "y = Shape(a)", "N C 4"},
	{17, "y = Shape<start=1>(a)", "C 4"},
	{17, "y = Shape<start=-2,end=-1>(a)", "C"},
	{17, "y = Size(a)", "4*C*N"},
	{17, "s = Shape(a) y = Gather(s, k1)", "C"},
	{17, "s = Shape(a) y = Gather(s, vm1)", "4"},
	{17, "y = Gather<axis=1>(m22, v1)", "2 4"},
	{17, "s = Shape(a) y = GatherElements(s, v12)", "C 4"},
	{17, "s = Shape(a) y = GatherND(s, i20)", "4 N"},
	{17, "y = GatherND<batch_dims=1>(m22, i20)", NULL},
	{17, "i = Sub(i20, v1) y = GatherND<batch_dims=1>(m22, i)", "2 4"},
	{17, "s = Shape(a) y = Slice(s, v1, v2)", "C"},
	{17, "s = Shape(a) y = Slice(s, vm1, v0, v0, vm1)", "4 C"},
	{17, "s = Shape(a) t = Shape(b) y = Concat<axis=0>(s, t)", "N C 4 H W"},
	{17, "y = Concat<axis=1>(m22, i20)", "1 2 2 3 4 0"},
	{17, "s = Shape(a) p, y = Split<axis=0>(s, v21)", "4"},
	{17, "s = Shape(a) y = Cast<to=6>(s)", "N C 4"},
	{17, "s = Shape(a) y = Identity(s)", "N C 4"},
	{17, "s = Shape(a) t = Unsqueeze(s, v0) y = Transpose(t)", "N C 4"},
	{17, "s = Shape(b) t = Gather(s, v0) y = Squeeze(t, v0)", "H"},
	{17, "s = Shape(b) y = Reshape(s, v12)", "H W"},
	{17, "y = Transpose(m22)", "1 3 2 4"},
	{17, "y = Tile(v12, v2)", "1 2 1 2"},
	{17, "y = Tile(i20, v12)", "2 2 0 0"},
	{17, "y = Expand(v1, v2)", "1 1"},
	{17, "y = ConstantOfShape<value=int64[1] {7}>(v2)", "7 7"},
	{17, "y = Range(k0, k3, k1)", "0 1 2"},
	{17, "s = Shape(a) y = ScatterElements(s, v1, v2)", "N 2 4"},
	{17, "s = Shape(a) y = ScatterND(s, i20, v12)", "2 C 1"},
	{17, "s = Shape(a) y = CumSum(v12, k0)", "1 3"},
	{17, "y = CumSum<exclusive=1,reverse=1>(v4, k0)", "6 3 1 0"},
	{17, "y = NonZero(v4)", "0 1 2 3"},
	{17, "y = NonZero(i20)", "0 0"},
	/* arithmetic */
	{17, "s = Shape(b) y = Add(s, v1)", "H + 1 W + 1"},
	{17, "s = Shape(b) y = Sub(s, v12)", "H - 1 W - 2"},
	{17, "s = Shape(b) t = Mul(s, v2) y = Div(t, v2)", "H W"},
	{17, "s = Shape(b) t = Add(s, v1) y = Div(t, v2)",
	 "floor((H + 1)/2) floor((W + 1)/2)"},
	{17, "s = Shape(b) t = Mul(s, v2) y = Mod(t, v2)", "0 0"},
	{17, "s = Shape(b) t = Neg(s) y = Abs(t)", "H W"},
	{17, "s = Shape(b) y = Min(s, v2)", "min(2, H) min(2, W)"},
	{17, "s = Shape(b) y = Max(s, v2)", "max(2, H) max(2, W)"},
	{17, "s = Shape(b) y = Clip(s, k1, k2)",
	 "min(2, max(1, H)) min(2, max(1, W))"},
	{17, "s = Shape(b) y = Pow(s, k2)", "H*H W*W"},
	{17, "s = Shape(b) t = Add(s, v1) y = Sign(t)", "1 1"},
	{17, "s = Shape(b) y = Sum(s, s, v1)", "2*H + 1 2*W + 1"},
	{17, "s = Shape(b) y = ReduceProd<axes=[0]>(s)", "H*W"},
	{17, "s = Shape(b) y = ReduceSum(s, v0)", "H + W"},
	{17, "s = Shape(b) y = ReduceMax<axes=[0],keepdims=0>(s)", "max(H, W)"},
	{17, "s = Shape(b) y = ReduceMin<keepdims=0>(s)", "min(H, W)"},
	{17, "y = ReduceSum<keepdims=0>(m22, v1)", "3 7"},
	/* logic */
	{17, "s = Shape(b) y = Equal(s, vm1)", "0 0"},
	{17, "s = Shape(b) y = Equal(s, s)", "1 1"},
	{17, "s = Shape(b) y = Less(vm1, s)", "1 1"},
	{17, "s = Shape(b) t = Greater(s, vm1) y = Not(t)", "0 0"},
	{17, "s = Shape(b) p = Greater(s, vm1) q = Equal(s, vm1) y = Or(p, q)",
	 "1 1"},
	{17, "s = Shape(b) p = Greater(s, vm1) q = Equal(s, vm1) y = And(p, q)",
	 "0 0"},
	{17, "s = Shape(b) p = Greater(s, vm1) q = Equal(s, vm1) y = Xor(p, q)",
	 "1 1"},
	{17, "s = Shape(b) c = Equal(s, vm1) y = Where(c, v1, s)", "H W"},
	/* floats on the way to a rounding */
	{17,
	 "s = Shape(b) r = Cast<to=1>(s) t = Mul(r, half) p = Floor(t) "
	 "y = Cast<to=7>(p)",
	 "floor(H/2) floor(W/2)"},
	{17,
	 "s = Shape(b) r = Cast<to=1>(s) t = Mul(r, hv) p = Ceil(t) "
	 "y = Cast<to=7>(p)",
	 "H + floor((H + 1)/2) W + floor((W + 1)/2)"},
	{17,
	 "s = Shape(b) r = Cast<to=1>(s) t = Div(r, three) y = Cast<to=7>(t)",
	 "floor(H/3) floor(W/3)"},
	{17,
	 "r = Cast<to=1>(v4) t = Div(r, three) p = Ceil(t) y = Cast<to=7>(p)",
	 "2 1 1 1"},
	{17,
	 "r = Cast<to=1>(v4) q = Neg(r) t = Div(q, three) y = Cast<to=7>(t)",
	 "(-1) (-1) 0 0"},
	{17,
	 "s = Shape(b) r = Cast<to=1>(s) t = Mul(r, thin) p = Floor(t) "
	 "y = Cast<to=7>(p)",
	 NULL},
	{17,
	 "s = Shape(b) r = Cast<to=1>(s) t = Div(r, three) p = Mul(t, three) "
	 "y = Cast<to=7>(p)",
	 NULL},
	/* branches */
	{17,
	 "y = If(f)<then_branch = t() => (p) { p = Shape(b) }, "
	 "else_branch = e() => (q) { r = Shape(b) q = Add(r, k0) }>",
	 "H W"},
	{17,
	 "y = If(f)<then_branch = t() => (p) { p = Shape(b) }, "
	 "else_branch = e() => (q) { q = Identity(v12) }>",
	 NULL},
	/* data of an input is not known */
	{17, "y = Add(u, v1)", NULL},
};

static struct model *parse(struct diag *d, int opset, const char *text)
{
	struct buf b = {0};
	struct model *m;

	diag_init(d, NULL);
	buf_printf(&b, "<ir_version: 8, opset_import: [\"\" : %d]>\n%s", opset,
		   text);
	m = model_parse(d, "t.txt", (struct str){b.p, b.n});
	cr_assert(m, "%s: %s", b.p, d->last.p);
	buf_release(&b);
	return m;
}

Test(infer_data, elements)
{
	for (size_t i = 0; i < countof(cases); i++) {
		const struct data_case *c = &cases[i];
		struct buf b = {0}, e = {0};
		const struct value *v;
		struct model *m;
		struct diag d;

		buf_printf(&b, HEAD "{ %s }", c->body);
		m = parse(&d, c->opset, b.p);
		(void)model_infer(m);
		v = m->main->ret->in[0].v;
		for (uint32_t k = 0; v->data && k < v->ndata; k++) {
			buf_puts(&e, k ? " " : "");
			dim_print(m, &e, v->data[k]);
		}
		if (c->elements)
			cr_expect(e.p && !strcmp(e.p, c->elements),
				  "%s: %s, not %s", c->body,
				  e.p ? e.p : "nothing", c->elements);
		else
			cr_expect(!v->data, "%s: %s", c->body, e.p);
		model_free(m);
		diag_release(&d);
		buf_release(&b);
		buf_release(&e);
	}
}

static void expect(struct model *m, uint32_t i, const char *want)
{
	struct buf b = {0};

	type_print(m, &b, m->main->ret->in[i].v->type);
	cr_expect_str_eq(b.p, want, "%s, not %s", b.p, want);
	buf_release(&b);
}

/* A name is the value's own, never one that the model uses. */
Test(infer_data, open_dims_get_names)
{
	struct diag d;
	struct model *m = parse(&d, 17,
				"g (float[N,3] a, float[M,3] b, float[x_dim_0] "
				"c) => (x, y, z, w) { x = Add(a, b) "
				"y = Concat<axis=0>(x, x) z = Neg(y) "
				"w = Add(x, z) }");
	struct model *copy;

	cr_assert_eq(model_infer(m), OK, "%s", d.last.p);
	expect(m, 0, "float[x_dim_0_2,3]");
	expect(m, 1, "float[2*x_dim_0_2,3]");
	expect(m, 2, "float[2*x_dim_0_2,3]");
	expect(m, 3, "float[w_dim_0,3]");
	copy = model_clone(m);
	cr_assert_eq(model_infer(copy), OK);
	expect(copy, 1, "float[2*x_dim_0_2,3]");
	model_free(copy);
	model_free(m);
	diag_release(&d);
}

/* The same name in a body means another size each time it runs. */
Test(infer_data, names_stay_in_their_body)
{
	struct diag d;
	struct model *m;
	static const char text[] =
		"<ir_version: 8, opset_import: [\"\" : 17, \"h\" : 1]>\n"
		"g (float[N,3] a, float[M,3] b, int64 n, bool t) => (p, q, r) {"
		" p = h.f(a, b) q = h.f(b, a)"
		" r = Loop(n, t)<body = l(int64 i, bool c) => (d, s) {"
		" d = Identity(c) s = Add(a, b) }> }\n"
		"<domain: \"h\", opset_import: [\"\" : 17]>\n"
		"f (x, y) => (z) { z = Add(x, y) }\n";

	diag_init(&d, NULL);
	m = model_parse(&d, "t.txt", (struct str){text, sizeof(text) - 1});
	cr_assert(m, "%s", d.last.p);
	cr_assert_eq(model_infer(m), OK, "%s", d.last.p);
	expect(m, 0, "float[p_dim_0,3]");
	expect(m, 1, "float[q_dim_0,3]");
	expect(m, 2, "float[r_dim_0,r_dim_1,3]");
	model_free(m);
	diag_release(&d);
}
