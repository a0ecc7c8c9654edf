/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "ir/ir.h"

#define HEAD "<ir_version: 8, opset_import: [\"\" : 17]>\n"

struct check_case {
	const char *text;
	enum diag_code code;
	bool strict_only; /* only a warning otherwise */
};

static const struct check_case cases[] = {
	{HEAD "g (float[2] a) => (float[2] y) { y = NoSuchOp(a) }", E_op,
	 false},
	{HEAD "g (float[2] a) => (float[2] y) { y = Add(a) }", E_arity, false},
	{HEAD "g (float[2] a) => (float[2] y) { y = Neg(a, a) }", E_arity,
	 false},
	{HEAD "g (float[2] a) => (float[2] y) { y = Add(a, ) }", E_arity,
	 false},
	{HEAD "g (float[2] a) => (float[2] y) { y = Neg<axis=1>(a) }",
	 E_attr_schema, false},
	{HEAD "g (float[2] a) => (float[2] y) { y = Concat<axis=1.5>(a) }",
	 E_attr_schema, false},
	{HEAD "g (float[2] a) => (float[2] y) { y = Concat(a) }", E_attr_schema,
	 false},
	{HEAD "g (float[2] a, int64[2] b) => (float[2] y) { y = Add(a, b) }",
	 E_type, false},
	{HEAD "g (string[2] a) => (string[2] y) { y = Neg(a) }", E_type, false},
	{HEAD "g (float[2] a) => (float[3] y) { y = Neg(a) }", E_shape, false},
	{HEAD "g (a) => (float[2] y) { y = Neg(a) }", E_type, true},
	{HEAD "g (float[] a) => (float[2] y) { y = Neg(a) }", E_shape, true},
	{HEAD "\"\" (float[2] a) => (float[2] y) { y = Neg(a) }", E_name, true},
	{HEAD "g (float[2] a) => () { y = Neg(a) }", E_undefined, true},
	{"<ir_version: 8>\ng (float[2] a) => (float[2] a) {}", E_opset, true},
	{"<ir_version: 3, opset_import: [\"\" : 17]>\n"
	 "g (float[2] a) => (float[2] y) <float[2] w = {1, 2}>"
	 "{ y = Add(a, w) }",
	 E_undefined, true},
	{"<ir_version: 8, opset_import: [\"\" : 10]>\n"
	 "g (float[1,1,2,2] a) => (float[1,1,4,4] y) { s = "
	 "Constant<value=float[4] "
	 "{1, 1, 2, 2}>() y = Upsample(a, s) }",
	 E_op, true},
	{"<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1]>\n"
	 "g (float[2] a) => (float[2] y) { y = f.f(a, a) }\n"
	 "<domain: \"f\", opset_import: [\"\" : 17]>\n"
	 "f (x) => (r) { r = Neg(x) }",
	 E_arity, false},
	{"<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1]>\n"
	 "g (float[2] a) => (float[2] y) { y = f.f(a) }\n"
	 "<domain: \"f\", opset_import: [\"\" : 17]>\n"
	 "f <k> (x) => (r) { r = Elu<alpha: float = @k>(x) }",
	 E_attr_schema, false},
};

static enum status run(struct diag *d, const char *text, bool strict)
{
	struct model *m;
	enum status st;

	diag_init(d, NULL);
	m = model_parse(d, "t.txt", (struct str){text, strlen(text)});
	cr_assert(m, "%s\n%s", text, d->last.p);
	st = model_check(m, strict);
	model_free(m);
	return st;
}

Test(check, each_rule)
{
	for (size_t i = 0; i < countof(cases); i++) {
		const struct check_case *c = &cases[i];
		struct diag d;

		cr_expect_eq(run(&d, c->text, true), BAD_MODEL, "%s", c->text);
		cr_expect_eq(d.first, c->code, "%s: %s", c->text, d.last.p);
		diag_release(&d);
		cr_expect_eq(run(&d, c->text, false),
			     c->strict_only ? OK : BAD_MODEL, "%s", c->text);
		cr_expect(!c->strict_only || d.nwarning > 0, "%s", c->text);
		diag_release(&d);
	}
}

Test(check, good_models_pass)
{
	static const char *const good[] = {
		HEAD "g (float[2] a) => (float[2] y) { y = Neg(a) }",
		HEAD "g (float[N] a) => (float[N] y) { y = Clip(a) }",
		/* operators of other domains are left alone */
		"<ir_version: 8, opset_import: [\"\" : 17, \"my.ops\" : 1]>\n"
		"g (float[2] a) => (float[2] y) { y = my.ops.Foo<k=1>(a) }",
		HEAD "g (bool c, float[2] a) => (float[2] y) {"
		     " y = If(c)<then_branch = t() => (p) { p = Neg(a) },"
		     " else_branch = e() => (q) { q = Abs(a) }> }",
	};

	for (size_t i = 0; i < countof(good); i++) {
		struct diag d;

		cr_expect_eq(run(&d, good[i], true), OK, "%s: %s", good[i],
			     d.last.p);
		cr_expect_eq(d.nwarning, 0u);
		diag_release(&d);
	}
}

Test(check, all_errors_are_reported)
{
	struct diag d;

	run(&d,
	    HEAD "g (float[2] a) => (float[2] y) { b = Add(a) c = Foo(b) "
		 "y = Neg<k=1>(c) }",
	    false);
	cr_expect_eq(d.nerror, 3u, "%u", d.nerror);
	diag_release(&d);
}
