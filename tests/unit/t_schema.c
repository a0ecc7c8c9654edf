/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "ir/formal.h"
#include "ir/ir.h"

static struct str cstr(const char *s)
{
	return (struct str){s, strlen(s)};
}

static const struct op *find(const char *domain, const char *name, int64_t v)
{
	return op_find(cstr(domain), cstr(name), v);
}

Test(schema, every_row_is_found)
{
	size_t n;
	const struct op *t = op_table(&n);

	cr_assert_gt(n, 660u);
	for (size_t i = 0; i < n; i++) {
		const char *d = op_domain_name(t[i].domain);

		cr_assert_eq(find(d, t[i].name, t[i].since), &t[i], "%s-%d",
			     t[i].name, t[i].since);
		cr_assert_eq(op_latest(t[i].id, t[i].since), &t[i]);
		if (i && t[i - 1].id == t[i].id) {
			cr_assert_lt(t[i - 1].since, t[i].since);
			cr_assert_eq(find(d, t[i].name, t[i].since - 1),
				     &t[i - 1]);
		} else {
			const struct op *before =
				find(d, t[i].name, t[i].since - 1);

			cr_assert(!before || before->domain == DOM_ORT);
			cr_assert(i == 0 || t[i - 1].id < t[i].id);
		}
	}
}

/* Every parameter has a type set, every attribute a kind. */
static void check_row(const struct op *op)
{
	const char *specs[2] = {op->in, op->out}, *at = op->attrs;
	const int max[2] = {op->in_max, op->out_max};
	struct attr_spec a;

	for (int k = 0; k < 2; k++) {
		int n = 0;
		struct formal f = {0};

		while (n < 40 && formal_at(specs[k], (uint32_t)n, &f)) {
			cr_assert_gt(f.name.n, 0u, "%s", op->name);
			cr_assert(memchr(formal_types(op, f.type).p, '(',
					 formal_types(op, f.type).n),
				  "%s %.*s", op->name, (int)f.type.n, f.type.p);
			n++;
			if (f.variadic)
				break;
		}
		cr_assert(max[k] >= n, "%s-%d %d", op->name, op->since, n);
	}
	while (attr_spec_next(&at, &a)) {
		cr_assert_neq(a.kind, ATTR_NONE, "%s", op->name);
		cr_assert_gt(a.name.n, 0u);
	}
}

Test(schema, columns_are_well_formed)
{
	size_t n;
	const struct op *t = op_table(&n);

	for (size_t i = 0; i < n; i++)
		check_row(&t[i]);
}

Test(schema, lookups)
{
	struct formal f;
	struct attr_spec a;
	const struct op *op = find("ai.onnx", "Conv", 17);

	cr_assert_eq(op, find("", "Conv", 21));
	cr_assert_eq(op->since, 11);
	cr_assert_eq(op->id, OP_Conv);
	cr_assert(formal_at(op->in, 2, &f) && f.optional);
	cr_assert(str_is(f.name, "B") && str_is(f.type, "T"));
	cr_assert_not(formal_at(op->in, 3, &f));
	cr_assert(attr_spec_find(op, cstr("auto_pad"), &a));
	cr_assert(a.kind == ATTR_STRING && str_is(a.dflt, "\"NOTSET\""));
	cr_assert_null(find("", "Conv", 0));
	cr_assert_null(find("", "NoSuchOperator", 17));
	cr_assert_null(find("com.example", "Conv", 17));
	cr_assert_null(find("com.microsoft", "Conv", 1));
	cr_assert_eq(find("com.microsoft", "Gelu", 1)->id, OP_ms_Gelu);
	cr_assert_eq(find("", "Gelu", 20)->id, OP_Gelu);
	cr_assert_eq(find("ai.onnx.ml", "Scaler", 3)->domain, DOM_ML);
	cr_assert(find("", "Upsample", 13)->flags & OPF_DEPRECATED);
	cr_assert_null(op_latest(OP_UNKNOWN, 1));
	cr_assert_eq(op_call()->id, OP_CALL);
	cr_assert_eq(op_return()->id, OP_RETURN);
	cr_assert_eq(op_unknown()->id, OP_UNKNOWN);
}

Test(schema, flags)
{
	cr_assert(find("", "Add", 14)->flags & OPF_COMMUTATIVE);
	/* the second operand alone was broadcast */
	cr_assert_not(find("", "Add", 6)->flags & OPF_COMMUTATIVE);
	cr_assert_not(find("", "RandomNormal", 1)->flags & OPF_PURE);
	cr_assert(find("", "Dropout", 10)->flags & OPF_PURE);
	cr_assert(find("", "Dropout", 13)->flags & OPF_RANDOM);
	cr_assert(find("", "If", 19)->flags & OPF_SUBGRAPH);
	cr_assert(find("", "Reshape", 19)->flags & OPF_SHAPE_ONLY);
	cr_assert(find("", "Relu", 14)->flags & OPF_ELEMENTWISE);
}

Test(schema, type_sets)
{
	struct diag d = {0};
	struct model *m = model_create(&d);
	const struct op *op = find("", "MatMul", 13);
	struct str t = formal_types(op, cstr("T"));
	const struct type *f = type_tensor(m, DT_F32, -1, NULL);

	cr_assert(formal_allows(t, f));
	cr_assert(formal_allows(t, type_unknown()));
	cr_assert(formal_allows(t, type_tensor(m, DT_NONE, -1, NULL)));
	cr_assert_not(formal_allows(t, type_tensor(m, DT_STRING, -1, NULL)));
	cr_assert_not(formal_allows(t, type_of_elem(m, TY_SEQ, DT_NONE, f)));
	t = formal_types(find("ai.onnx.ml", "ZipMap", 1), cstr("T"));
	cr_assert(formal_allows(
		t, type_of_elem(m, TY_SEQ, DT_NONE,
				type_of_elem(m, TY_MAP, DT_I64, f))));
	cr_assert_not(formal_allows(
		t, type_of_elem(m, TY_SEQ, DT_NONE,
				type_of_elem(m, TY_MAP, DT_F32, f))));
	model_free(m);
}
