/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/ir_build.h"

static struct model *at_opset(struct diag *d, int64_t version)
{
	struct model *m = build_model(d, 1);

	m->opset[0].version = version;
	return m;
}

Test(compat, axes_as_attribute_and_input)
{
	static const int64_t axes[] = {0, -1};
	struct diag d = {0};

	for (int64_t version = 1; version <= 22; version++) {
		struct model *m = at_opset(&d, version);
		struct graph *g = m->main;
		const int64_t *got;
		size_t count;
		struct node *n = mk_unsqueeze(g, g->in[0], axes, 2, NULL);

		cr_assert_eq(n->nin, version >= 13 ? 2 : 1);
		cr_assert_eq(node_has_attr(n, "axes"), version < 13);
		cr_assert(node_axes(n, &got, &count));
		cr_assert(count == 2 && got[0] == 0 && got[1] == -1);
		n = mk_squeeze(g, n->out[0], NULL, 0, NULL);
		cr_assert(node_axes(n, &got, &count));
		cr_assert_eq(count, 0);
		n = node_make(g, OP_ReduceMax, version >= 18 ? 2 : 1, 1, NULL);
		node_set_input(n, 0, g->in[0]);
		if (version >= 18) {
			node_set_input(n, 1, g->in[0]);
			cr_assert_not(node_axes(n, &got, &count));
		} else {
			cr_assert(node_axes(n, &got, &count));
			cr_assert_eq(count, 0);
		}
		model_verify_ir(m);
		model_free(m);
	}
}

Test(compat, integers_of_any_type)
{
	static const enum dtype dt[] = {DT_I64, DT_I32, DT_U8, DT_I4, DT_BOOL};
	struct diag d = {0};
	struct model *m = at_opset(&d, 17);
	struct graph *g = m->main;
	struct node *n = build_node(g, OP_Relu, g->in[0], g->in[0], "r")->def;
	struct dim data[2] = {dim_of(5), dim_sym(m, model_sym(m, "N"))};
	const int64_t *got;
	size_t count;
	double f;

	for (size_t i = 0; i < countof(dt); i++) {
		int64_t dim = 3;
		struct tensor *t = tensor_create(m, dt[i], 1, &dim);

		dtype_set_int(dt[i], tensor_data_mut(t), 1, 1);
		node_set_input(n, 1, value_const(g, t, NULL));
		cr_assert(node_ints(n, "none", 1, &got, &count));
		cr_assert(count == 3 && got[0] == 0 && got[1] == 1);
		cr_assert_not(node_float_param(n, "none", 1, 1, &f));
	}
	node_set_input(n, 1, g->in[0]);
	g->in[0]->data = data;
	g->in[0]->ndata = 2;
	cr_assert_not(node_ints(n, "none", 1, &got, &count));
	g->in[0]->ndata = 1;
	cr_assert(node_ints(n, "none", 1, &got, &count));
	cr_assert(count == 1 && got[0] == 5);
	cr_assert_not(node_float_param(n, "none", 1, 1, &f));
	cr_assert(node_float_param(n, "none", 2, 1.5, &f) && f == 1.5);
	node_set_float(n, "some", 2.5f);
	cr_assert(node_float_param(n, "some", 2, 1.5, &f) && f == 2.5);
	node_set_input(n, 1,
		       value_const(g, tensor_scalar(m, DT_F16, 0.5), NULL));
	cr_assert(node_float_param(n, "some", 1, 1.5, &f) && f == 0.5);
	model_free(m);
}

Test(compat, axis_range)
{
	int a = 9;

	for (int rank = 0; rank < 5; rank++) {
		for (int64_t i = -rank; i < rank; i++) {
			cr_assert(axis_fix(i, rank, &a));
			cr_assert_eq(a, (i + rank) % rank);
		}
		cr_assert_not(axis_fix(rank, rank, &a));
		cr_assert_not(axis_fix(-rank - 1, rank, &a));
		cr_assert_not(axis_fix(INT64_MIN, rank, &a));
	}
}
