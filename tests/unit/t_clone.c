/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ir_build.h"

static struct diag d;

/* One of everything: captures, all attribute kinds, a function, defaults. */
static struct model *sample(void)
{
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main;
	struct func *f = arena_new(&m->arena, struct func);
	int64_t ints[3] = {1, -1, INT64_MIN};
	struct value *x, *y, *z;
	struct dim dims[2] = {dim_of(2), dim_sym(m, model_sym(m, "2*N"))};

	g->in_info[0].decl = g->in[0]->type = type_of_elem(
		m, TY_SEQ, DT_NONE, type_tensor(m, DT_F32, 2, dims));
	g->in_info[0].has_type = true;
	f->body = graph_create(m, NULL);
	f->body->func = f;
	f->name = model_sym(m, "twice");
	f->domain = model_sym(m, "local");
	vec_push(&m->func, f);
	model_import(f->body, DOM_ONNX, 18);
	graph_set_inputs(f->body, 1);
	f->body->in[0]->name = f->body->in_info[0].name = model_sym(m, "a");
	x = build_node(f->body, OP_Add, f->body->in[0], f->body->in[0], "b");
	build_output(f->body, 0, x, "b");

	x = build_node(g, OP_Relu, g->in[0], NULL, "x");
	node_set_ints(x->def, "ints", ints, 3);
	node_set_float(x->def, "float", -0.0f);
	node_set_str(x->def, "str", "text");
	node_set_int(x->def, "int", 7);
	node_set_tensor(x->def, "tensor", tensor_scalar(m, DT_F64, 0.1));
	y = build_if(g, g->in[1], x, "y");
	z = node_create(g, op_call(), 1, 1, NULL)->out[0];
	z->def->func = f;
	z->def->type = f->name;
	z->def->domain = f->domain;
	node_set_input(z->def, 0, y);
	z->name = model_sym(m, "z");
	z = build_node(g, OP_Add, z,
		       value_const(g, tensor_scalar(m, DT_F32, 2), NULL), "s");
	build_output(g, 0, z, "s");
	cr_assert_eq(model_finish(m), OK);
	return m;
}

Test(clone, equals_its_original)
{
	struct model *m = sample(), *c = model_clone(m), *cc;
	struct buf why = {0};

	model_verify_ir(c);
	cr_assert(model_equal(m, c, &why), "%s", why.p);
	cr_assert_neq(m->main->in[0]->type, c->main->in[0]->type);
	for (sym s = 1; s <= intern_count(m->syms); s++)
		cr_assert(str_eq(sym_str(m, s), sym_str(c, s)));
	model_free(m); /* the copy stands alone */
	cc = model_clone(c);
	cr_assert(model_equal(c, cc, &why), "%s", why.p);
	cr_assert_eq(c->main->first->next->next->func, c->func.p[0]);
	model_free(c);
	model_free(cc);
	buf_release(&why);
	cr_assert_eq(limit_memory_used(), 0);
}

typedef void change_fn(struct model *m);

static void change_op(struct model *m)
{
	m->main->first->type = model_sym(m, "Tanh");
}
static void change_int(struct model *m)
{
	node_set_int(m->main->first, "int", 8);
}
static void change_zero(struct model *m)
{
	node_set_float(m->main->first, "float", 0);
}
static void change_tensor(struct model *m)
{
	node_set_tensor(m->main->first, "tensor",
			tensor_scalar(m, DT_F64, 0.2));
}
static void change_attr(struct model *m)
{
	node_drop_attr(m->main->first, "str");
}
static void change_body(struct model *m)
{
	struct graph *b = node_graph(m->main->first->next, 1);

	node_set_input(b->first, 0, m->main->in[0]);
}
static void change_init(struct model *m)
{
	m->main->init.p[0]->init = tensor_scalar(m, DT_F32, 3);
}
static void change_input(struct model *m)
{
	m->main->in_info[0].decl = type_unknown();
}
static void change_output(struct model *m)
{
	m->main->out_info[0].name = model_sym(m, "other");
}
static void change_func(struct model *m)
{
	m->func.p[0]->body->first->type = model_sym(m, "Sub");
}
static void change_opset(struct model *m)
{
	m->opset[0].version++;
}
static void change_count(struct model *m)
{
	build_node(m->main, OP_Relu, m->main->in[0], NULL, "more");
}

Test(clone, equality_sees_each_change)
{
	static change_fn *const change[] = {
		change_op,     change_int,  change_zero,  change_tensor,
		change_attr,   change_body, change_init,  change_input,
		change_output, change_func, change_opset, change_count,
	};

	for (size_t i = 0; i < countof(change); i++) {
		struct model *m = sample(), *c = model_clone(m);
		struct buf why = {0};

		change[i](c);
		cr_assert_not(model_equal(m, c, &why), "change %zu", i);
		cr_assert(why.n > 0, "change %zu", i);
		cr_assert_eq(strchr(why.p, '\n'), why.p + why.n - 1);
		buf_release(&why);
		model_free(m);
		model_free(c);
	}
}

Test(clone, attributes_with_bodies_are_copied)
{
	struct model *m = sample();
	struct graph *g = m->main;
	struct node *iff = g->first->next, *n;
	uint32_t uses = g->first->out[0]->nuse;

	n = node_create(g, iff->op, 1, 1, iff->next);
	node_set_input(n, 0, g->in[1]);
	node_copy_attrs(n, iff);
	cr_assert_eq(g->first->out[0]->nuse, 2 * uses);
	cr_assert_neq(node_graph(n, 0), node_graph(iff, 0));
	cr_assert_eq(node_graph(n, 0)->owner, n);
	cr_assert(attr_equal(m, &n->attr[0], m, &iff->attr[0]));
	value_replace_uses(iff->out[0], n->out[0]);
	cr_assert_eq(model_finish(m), OK);
	model_verify_ir(m);
	node_remove(iff);
	cr_assert_eq(g->first->out[0]->nuse, uses);
	model_verify_ir(m);
	/* or the bodies themselves move over */
	iff = node_create(g, n->op, 1, 1, n->next);
	node_set_graph(iff, "then_branch", node_graph(n, 0));
	node_set_graph(iff, "else_branch", node_graph(n, 1));
	value_replace_uses(n->out[0], iff->out[0]);
	node_remove(n);
	cr_assert_eq(g->first->out[0]->nuse, uses);
	model_verify_ir(m);
	model_free(m);
}

Test(attr, setting_keeps_the_order)
{
	struct model *m = sample();
	struct node *n = m->main->first;
	static const int64_t two[] = {4, 5};
	size_t count;

	node_set_int(n, "float", 3);
	node_set_ints(n, "new", two, 2);
	cr_assert_str_eq(sym_text(m, n->attr[1].name), "float");
	cr_assert_eq(n->attr[1].kind, ATTR_INT);
	cr_assert_str_eq(sym_text(m, n->attr[n->nattr - 1].name), "new");
	cr_assert_eq(node_attr_ints(n, "new", &count)[1], 5);
	cr_assert_eq(count, 2);
	cr_assert_null(node_attr_ints(n, "absent", &count));
	cr_assert_eq(count, 0);
	cr_assert_eq(node_attr_int(n, "new", 9), 9); /* another kind */
	cr_assert_eq(node_attr_int(n, "int", 9), 7);
	cr_assert(str_is(node_attr_str(n, "str", ""), "text"));
	cr_assert(str_is(node_attr_str(n, "absent", "dflt"), "dflt"));
	node_set_ints(n, "new", node_attr_ints(n, "new", &count), 1);
	cr_assert_eq(node_attr_ints(n, "new", &count)[0], 4);
	node_drop_attr(n, "ints");
	cr_assert_not(node_has_attr(n, "ints"));
	cr_assert_str_eq(sym_text(m, n->attr[0].name), "float");
	model_free(m);
}
