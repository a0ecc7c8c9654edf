/* SPDX-License-Identifier: MIT */
/*
 * t_text.c -- the ONNX text syntax: parse, print, parse again; refusals.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "base/rng.h"
#include "ir/ir.h"

#define HEAD "<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1]>\n"

static struct str cstr(const char *s)
{
	return (struct str){s, strlen(s)};
}

static struct model *parse(struct diag *d, const char *text)
{
	return model_parse(d, "t.txt", cstr(text));
}

/* Parses what must parse; the caller frees. */
static struct model *must_parse(const char *text)
{
	static struct diag d;
	struct model *m;

	diag_init(&d, NULL);
	m = parse(&d, text);
	cr_assert(m, "%s\n%s", d.last.p, text);
	model_verify_ir(m);
	diag_release(&d);
	return m;
}

/* Printed text must give an equal model, and print the same again. */
static void check_trip(const char *text)
{
	struct model *a = must_parse(text), *b;
	struct buf first = {0}, second = {0}, why = {0};

	model_print(a, &first, NULL);
	b = must_parse(first.p);
	cr_expect(model_equal(a, b, &why), "%s\n%s", why.p, first.p);
	model_print(b, &second, NULL);
	cr_expect_str_eq(first.p, second.p);
	buf_release(&first);
	buf_release(&second);
	buf_release(&why);
	model_free(a);
	model_free(b);
}

static const char *const good[] = {
	"g () => () {}",
	"g (float x) => (x) {}",
	"\"a graph\" (float[] \"in 1\") => (y) { y = Neg(\"in 1\") }",
	HEAD "# comment\n g (float[N,?,\"2*N\",3] x) => (float[N,?,4] y)\n"
	     "{ [n1] y = Relu(x) # end\n }",
	HEAD "g (seq(float[2]) s, optional(seq(int64)) o, map(string, float) m,"
	     "   sparse_tensor(double[3,4]) p, opaque(\"d\", n) q, undefined u,"
	     "   undefined[2] e, float[N@\"B\"]@I den) => (s) {}",
	HEAD "g (\"float\", undefined, \"seq\") => (\"float\", opaque = seq) {"
	     " opaque = \"Op\" (float, nan) nan = Neg <g: graph = \"nan\" () =>"
	     " (float x) {x = Neg(inf) inf = Neg(float)}> () }",
	HEAD "g (x, float[2] w = {1, 2}) => (y) <float b = {1}, t, int8[1] k ="
	     " {-128}> { t = Add(x, w) y = Add(t, b) }",
	HEAD "g (x) => (y) { y = Clip(x, \"\", x) a, , b = Foo.d.e(,x) "
	     "= Sink(x,) }",
	HEAD
	"g (x) => (y) { y = \"odd domain\".\"odd op\":\"odd overload\"(x) }",
	HEAD
	"g (x) => (y) { y = Conv <pads = [0, 1], group = 2, f = 1.5, "
	"fs = [1, 2.5, -inf, nan], e: strings = [], s = \"a\\\"b\\\\\", "
	"ss = [\"\", \"x\"], t = int64[2] {1, 2}, nt = float n {1.5}, "
	"ts = [float {1}, int8[0] {}], ty = float[N], tys = [seq(int64), "
	"float], sp = sparse_tensor(float[4]) {float[1] {2}, int64[1] {3}},"
	" \"odd name\" = 1, fi: float = 3> (x, x) }",
	HEAD
	"g (bool c, float x) => (y) { y = If (c) <then_branch = t () => (a)"
	"{ a = Neg(x) }, else_branch: graph = \"e 1\" () => (b) <float w ="
	" {1}> { b = Add(w, z) } > z = Abs(x) }",
	HEAD
	"g (x) => (y) { y = f.F <a = 1> (x) }\n"
	"<domain: \"f\", opset_import: [\"\" : 17], doc_string: \"doc\">\n"
	"F <a, b: float = 2.5, c: ints = []> (float[N] x) => (z) <float[N] t>"
	"{ t = LeakyRelu <alpha: float = @b> (x) z = Foo <i = @a> (t) }",
	HEAD "g (x) => (float y = x, z = t) { t = Neg(x) }",
	"<ir_version: 3, producer_name: \"p\", producer_version: \"\", domain: "
	"\"d\", model_version: -1, doc_string: \"two\nlines\", metadata_props: "
	"[\"k\": \"v\", \"\": \"\\\"\"]> g (x, float[1] w) => (y) <float[1] w "
	"= {1}>"
	"{ y = Add(x, w) }",
};

Test(text, trip)
{
	for (size_t i = 0; i < countof(good); i++)
		check_trip(good[i]);
}

/* Every dtype, with the values that are hardest to say. */
static const char *const tensors[] = {
	"float[9] {0.1, -0.0, 1e-45, 3.4028235e38, inf, -inf, nan, -nan, "
	"0x7f800001}",
	"float[4] {16777217, 1e7, 9999999, 1.17549435e-38}",
	"double[6] {0.1, 1e-320, -0.0, 1.7976931348623157e308, nan, "
	"0x7ff0000000000001}",
	"float16[7] {0.1, 65504.0, -inf, nan, 6e-8, 0x7c01, -0.0}",
	"bfloat16[4] {1.0, 3.0e38, nan, -0.0}",
	"float8e4m3fn[3] {448.0, nan, 0.001953125}",
	"float8e4m3fnuz[3] {240.0, nan, 0.001}",
	"float8e5m2[4] {57344.0, 0x7c, nan, -0.0}",
	"float8e5m2fnuz[2] {57344.0, nan}",
	"float8e8m0[3] {1.0, 0x00, 0xff}",
	"float4e2m1[5] {0.5, -6.0, -0.0, 3.0, 1.0}",
	"int2[5] {-2, 1, 0, -1, 1}",
	"uint2[3] {3, 0, 1}",
	"int4[3] {-8, 7, -1}",
	"uint4[3] {15, 0, 1}",
	"int8[2] {-128, 127}",
	"uint8[2] {255, 0}",
	"int16[2] {-32768, 32767}",
	"uint16[1] {65535}",
	"int32[2] {-2147483648, 2147483647}",
	"uint32[1] {4294967295}",
	"int64[2] {-9223372036854775808, 9223372036854775807}",
	"uint64[1] {18446744073709551615}",
	"bool[3] {0, 1, 1}",
	"complex64[2] {1, 2.5, -0.0, nan}",
	"complex128[1] {0.1, -1e300}",
	"string[3] {\"\", \"a\nb\", \"\\\\\\\"\"}",
	"float[2,0,3] {}",
	"int64 {7}",
};

Test(text, tensors_keep_their_bits)
{
	for (size_t i = 0; i < countof(tensors); i++) {
		struct buf b = {0};

		buf_printf(&b, "g () => (y) { y = Constant <value = %s> () }",
			   tensors[i]);
		check_trip(b.p);
		buf_release(&b);
	}
}

Test(text, every_half_is_printed_exactly)
{
	struct buf b = {0};

	buf_puts(&b, "g () => (h) <float16[65536] h = {");
	for (unsigned i = 0; i < 65536; i++)
		buf_printf(&b, "%s0x%x", i ? "," : "", i);
	buf_puts(&b, "}> {}");
	check_trip(b.p);
	buf_release(&b);
}

Test(text, floats_below_32_bits_are_numbers_or_bits)
{
	struct model *m = must_parse("g () => (h) <float16[4] h = "
				     "{1.0, 15360, 0x3c00, 1e0}> {}");
	struct print_opts o = {.max_elements = -1, .bits = true};
	const struct tensor *t = m->main->init.p[0]->konst;
	struct buf b = {0};

	for (int64_t i = 0; i < 4; i++)
		cr_expect_eq(tensor_float(m, t, i), 1.0);
	graph_print(m->main, &b, &o);
	cr_expect(strstr(b.p, "{15360, 15360, 15360, 15360}"), "%s", b.p);
	buf_release(&b);
	model_free(m);
}

static const struct refused {
	enum diag_code code;
	const char *where; /* "LINE:COLUMN" */
	const char *text;
} refused[] = {
	{E_syntax, "1:1", ""},
	{E_syntax, "1:2", "g"},
	{E_syntax, "1:4", "g ("},
	{E_syntax, "1:9", "g (float) => () {}"},
	{E_syntax, "2:2", "g (x)\n = (x) {}"},
	{E_syntax, "1:16", "g () => () {} <"},
	{E_syntax, "1:14", "<ir_version: x> g () => () {}"},
	{E_undefined, "1:10", "g () => (y) {}"},
	{E_undefined, "1:24", "g () => (y) { y = Neg (x) }"},
	{E_name, "2:2", "g (x, \n x) => () {}"},
	{E_name, "1:16", "g (x) => (x) { x = Neg(x) }"},
	{E_attr, "1:29", "g () => () { y = Op <a = 1, a = 2> () }"},
	{E_payload, "", "g () => () <float[2] w = {1}> {}"},
	{E_payload, "", "g () => () <float[2] w = {1,2,3}> {}"},
	{E_payload, "", "g () => () <float[2] w = {}> {}"},
	{E_payload, "", "g () => () <float[0] w = {1}> {}"},
	{E_syntax, "", "g () => () <float[2] w = ...> {}"},
	{E_syntax, "", "g () => () <float[N] w = {1}> {}"},
	{E_syntax, "", "g () => () <float[] w = {1}> {}"},
	{E_syntax, "", "g () => () <seq(float) w = {1}> {}"},
	{E_syntax, "", "g () => () <int8 w = {128}> {}"},
	{E_syntax, "", "g () => () <int8 w = {-129}> {}"},
	{E_syntax, "", "g () => () <uint4 w = {16}> {}"},
	{E_syntax, "", "g () => () <uint8 w = {-1}> {}"},
	{E_syntax, "", "g () => () <int32 w = {1.5}> {}"},
	{E_syntax, "", "g () => () <uint64 w = {18446744073709551616}> {}"},
	{E_syntax, "", "g () => () <float16 w = {65536}> {}"},
	{E_syntax, "", "g () => () <string w = {1}> {}"},
	{E_dims, "", "g () => () <float[9223372036854775807,3] w = {1}> {}"},
	{E_unsupported, "",
	 "g () => () <float[2] w = [\"location\": \"x\"]> {}"},
	{E_syntax, "", "g (float[-1] x) => () {}"},
	{E_syntax, "", "g (float[9223372036854775808] x) => () {}"},
	{E_syntax, "", "g () => () { y = Op <a = []> () }"},
	{E_syntax, "", "g () => () { y = Op <a = [1, \"s\"]> () }"},
	{E_syntax, "", "g () => () { y = Op <a: int = 1.5> () }"},
	{E_syntax, "", "g () => () { y = Op <a: ints = 1> () }"},
	{E_syntax, "", "g () => () { y = Op <a: int = [1]> () }"},
	{E_syntax, "", "g () => () { y = Op <a: frob = 1> () }"},
	{E_syntax, "", "g () => () { y = Op <a = \"open> () }"},
	{E_attr, "1:26", "g () => () { y = Op <a = @b> () }"},
	{E_attr, "", "g () => () {} f <a: int = @b> () => () {}"},
	{E_cycle, "", "g () => (x) { x = Neg (y) y = Neg (x) }"},
	{E_func, "",
	 "g () => () {} <domain: \"d\"> f () => () {}\n"
	 "<domain: \"d\"> f () => () {}"},
	{E_func, "",
	 "g () => () {} <domain: \"d\", opset_import: [\"d\" : 1]>"
	 "f () => () { = d.f () }"},
	{E_syntax, "", "g () => () {} f () => () <float w = {1}> {}"},
	{E_syntax, "",
	 "g () => () {} f <a: graph = h () => () {}> () => () {}"},
};

Test(text, refusals_have_a_code_and_a_place)
{
	for (size_t i = 0; i < countof(refused); i++) {
		const struct refused *r = &refused[i];
		struct diag d;
		struct model *m;

		diag_init(&d, NULL);
		m = parse(&d, r->text);
		cr_expect_null(m, "%s", r->text);
		cr_expect_eq(d.first, r->code, "%s: %s", r->text, d.last.p);
		cr_expect(d.last.p && strncmp(d.last.p, r->where,
					      strlen(r->where)) == 0,
			  "%s: %s", r->text, d.last.p);
		model_free(m);
		diag_release(&d);
	}
}

/* n times open, then middle, then n times close. */
static void nested(struct buf *b, unsigned n, const char *open,
		   const char *middle, const char *close)
{
	for (unsigned i = 0; i < n; i++)
		buf_puts(b, open);
	buf_puts(b, middle);
	for (unsigned i = 0; i < n; i++)
		buf_puts(b, close);
}

static enum diag_code parse_nested(unsigned n, const char *head,
				   const char *open, const char *middle,
				   const char *close, const char *tail)
{
	struct buf b = {0};
	enum diag_code code;
	struct diag d;
	struct model *m;

	diag_init(&d, NULL);
	buf_puts(&b, head);
	nested(&b, n, open, middle, close);
	buf_puts(&b, tail);
	m = model_parse(&d, NULL, (struct str){b.p, b.n});
	code = m ? DIAG_COUNT : d.first;
	model_free(m);
	buf_release(&b);
	diag_release(&d);
	return code;
}

Test(text, nesting_is_bounded)
{
	const char *open = "g () => () { y = If () <b = ";
	const char *types = "g (";

	cr_expect_eq(parse_nested(32, "", open, "g () => () {}", "> }", ""),
		     DIAG_COUNT);
	cr_expect_eq(parse_nested(33, "", open, "g () => () {}", "> }", ""),
		     E_depth);
	cr_expect_eq(parse_nested(200000, "", open, "", "", ""), E_depth);
	cr_expect_eq(
		parse_nested(64, types, "seq(", "float", ")", " x) => () {}"),
		DIAG_COUNT);
	cr_expect_eq(parse_nested(200000, types, "seq(", "float", ")",
				  " x) => () {}"),
		     E_syntax);
}

Test(text, names_and_operators_are_bound)
{
	struct model *m =
		must_parse(HEAD "g (float[2] x, float[2] d = {1, 2}) => (y, z)"
				"<float[2] w = {3, 4}>\n"
				"{ y = Add (t, w) t = f.F (x) z = Nope (d) }\n"
				"<domain: \"f\", opset_import: [\"\" : 17]>\n"
				"F (a) => (b) { b = Neg (a) }");
	struct node *n = m->main->first;
	struct value *v;

	cr_expect_eq(n->op->id, OP_CALL, "sorted: the call comes first");
	cr_expect_eq(n->func, m->func.p[0]);
	cr_expect_eq(n->next->op->id, OP_Add);
	cr_expect_eq(n->next->op->since, 14);
	cr_expect_eq(n->next->next->op->id, OP_UNKNOWN);
	v = n->next->in[1].v;
	cr_expect(v->konst && v->init == v->konst && !v->is_input);
	v = m->main->in[1];
	cr_expect(v->init && !v->konst, "a default is no constant");
	cr_expect_eq(m->func.p[0]->body->first->op->id, OP_Neg);
	cr_expect_eq(m->main->init.n, 2);
	model_free(m);
}

Test(text, inputs_below_version_4_are_constants)
{
	struct model *m =
		must_parse("<ir_version: 3> g (float d = {1}) => (d) {}");

	cr_expect(m->main->in[0]->konst);
	model_free(m);
}

Test(text, big_tensors_are_elided)
{
	struct model *m = must_parse("g () => (a, b) <float[3] a = {1, 2, 3}, "
				     "float[2] b = {4, 5}> {}");
	struct print_opts o = {.max_elements = 2};
	struct buf b = {0};
	struct diag d;

	model_print(m, &b, &o);
	cr_expect(strstr(b.p, "float[3] a = ...") &&
			  strstr(b.p, "float[2] b = {4.0, 5.0}"),
		  "%s", b.p);
	diag_init(&d, NULL);
	cr_expect_null(parse(&d, b.p));
	cr_expect_eq(d.first, E_syntax);
	diag_release(&d);
	buf_release(&b);
	model_free(m);
}

/* Damaged texts are refused with a message, or give a sound model. */
Test(text, damaged_texts_do_no_harm)
{
	struct rng r = rng_make(1, 2);

	for (unsigned i = 0; i < 4000; i++) {
		const char *from = good[i % countof(good)];
		size_t n = strlen(from);
		char *text = xmalloc(n);
		struct diag d;
		struct model *m;

		memcpy(text, from, n);
		for (unsigned k = 0; k < 1 + i % 3; k++)
			text[rng_below(&r, n)] = k & 1 ? (char)rng_next(&r)
						       : from[rng_below(&r, n)];
		diag_init(&d, NULL);
		m = model_parse(&d, "t.txt",
				(struct str){text, i % 7 ? n : n / 2});
		cr_expect(m ? !d.nerror : d.nerror > 0);
		if (m)
			model_verify_ir(m);
		model_free(m);
		diag_release(&d);
		free(text);
	}
}
