/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/unit/ir_build.h"

static const char *name_of(const struct value *v)
{
	return sym_text(v->graph->model, v->name);
}

/* ---- uses ---- */

Test(graph, uses_reach_subgraphs)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 3);
	struct graph *g = m->main;
	struct value *a = g->in[0], *b = g->in[1], *x, *y;
	struct node *iff;

	x = build_node(g, OP_Add, a, a, "x");
	y = build_if(g, g->in[2], x, "y");
	iff = y->def;
	build_output(g, 0, y, "y");
	model_verify_ir(m);
	cr_assert_eq(a->nuse, 2);
	cr_assert_eq(x->nuse, 2); /* once in each branch */
	cr_assert(graph_encloses(g, x->uses->user->graph));
	cr_assert_neq(x->uses->user->graph, g);
	cr_assert_str_eq(graph_path(node_graph(iff, 1)), "main/y.else_branch");
	cr_assert_eq(graph_node_count(g), 4);

	value_replace_uses(x, b);
	cr_assert_eq(x->nuse, 0);
	cr_assert_eq(b->nuse, 2);
	model_verify_ir(m);
	node_remove(x->def);
	cr_assert_eq(a->nuse, 0);
	value_replace_uses_except(b, a, node_graph(iff, 0)->first);
	cr_assert_eq(a->nuse, 1);
	cr_assert_eq(b->nuse, 1);
	model_verify_ir(m);

	use_set(&g->ret->in[0], a);
	node_remove(iff); /* drops the uses of its bodies */
	cr_assert_eq(b->nuse, 0);
	cr_assert_eq(a->nuse, 1);
	cr_assert_eq(g->nnode, 0);
	model_verify_ir(m);
	model_free(m);
}

Test(graph, removal_of_deep_nests)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main;
	struct value *outer = build_node(g, OP_If, g->in[1], NULL, "y");

	for (int i = 0; i < 5000; i++) {
		struct graph *b =
			build_body(i ? g->last : outer->def, "then_branch");
		struct value *r;

		build_node(b, OP_Neg, m->main->in[0], NULL, NULL);
		r = build_node(b, OP_If, m->main->in[1], NULL, NULL);
		build_output(b, 0, r, NULL);
		g = b;
	}
	cr_assert_eq(m->main->in[0]->nuse, 5000);
	model_verify_ir(m);
	cr_assert_eq(graph_sort(m->main), OK);
	cr_assert_eq(model_finish(m), OK);
	cr_assert_not_null(graph_path(g));
	model_free(model_clone(m));
	node_remove(outer->def);
	cr_assert_eq(m->main->in[0]->nuse, 0);
	cr_assert_eq(m->main->in[1]->nuse, 0);
	model_free(m);
}

Test(graph, bodies_become_graphs_of_their_own)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main, *b;
	struct value *c = value_const(g, tensor_scalar(m, DT_F32, 1), NULL);
	struct value *x = build_node(g, OP_Relu, g->in[0], NULL, "x");
	struct value *y = build_if(g, g->in[1], x, "y");

	b = node_graph(y->def, 0);
	y = build_node(b, OP_Add, x, c, NULL);
	y = build_if(b, g->in[1], y, NULL); /* and deeper */
	node_set_input(node_graph(y->def, 1)->first, 0, c);
	build_output(b, 0, x, NULL);
	graph_detach(b);
	cr_assert_null(b->owner);
	cr_assert_eq(b->nin, 2);
	cr_assert_eq(b->init.n, 1);
	cr_assert_eq(b->init.p[0]->nuse, 2);
	cr_assert_eq(c->nuse, 0);
	cr_assert_eq(x->nuse, 1); /* the other branch */
	m->main = b;
	cr_assert_eq(model_finish(m), OK);
	model_verify_ir(m);
	model_free(model_clone(m));
	model_free(m);
}

Test(graph, inputs_resize_and_keep_their_uses)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main;
	struct value *a = g->in[0], *b = g->in[1];
	struct node *n = build_node(g, OP_Concat, a, b, "x")->def;

	for (uint32_t k = 3; k < 40; k++) {
		node_resize_inputs(n, k);
		node_set_input(n, k - 1, k % 3 ? a : b);
		model_verify_ir(m);
	}
	cr_assert_eq(a->nuse + b->nuse, 39);
	for (uint32_t k = 39; k-- > 0;) {
		node_resize_inputs(n, k);
		model_verify_ir(m);
		cr_assert_eq(a->nuse + b->nuse, k);
	}
	cr_assert_null(node_in(n, 0));
	node_resize_inputs(n, 2);
	cr_assert_null(node_in(n, 1));
	model_free(m);
}

/* ---- order ---- */

static void check_order(const struct graph *g)
{
	const struct node *n;

	graph_foreach (n, g) {
		cr_assert(node_before(n, g->ret));
		if (n->next)
			cr_assert(node_before(n, n->next));
	}
}

Test(graph, order_survives_insertions)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 1);
	struct graph *g = m->main;
	struct node *anchor, *n;

	build_node(g, OP_Relu, g->in[0], NULL, NULL);
	anchor = build_node(g, OP_Relu, g->in[0], NULL, NULL)->def;
	build_node(g, OP_Relu, g->in[0], NULL, NULL);
	for (int i = 0; i < 3000; i++) {
		n = node_make(g, OP_Relu, 1, 1, anchor);
		cr_assert_eq(n->next, anchor);
		n = node_make(g, OP_Relu, 1, 1, anchor->next);
		cr_assert_eq(anchor->next, n);
		n = node_make(g, OP_Relu, 1, 1, g->first);
		cr_assert_eq(g->first, n);
		n = node_make(g, OP_Relu, 1, 1, g->ret);
		cr_assert_eq(g->last, n);
	}
	check_order(g);
	for (int i = 0; i < 3000; i++) {
		node_move(g->last, i % 2 ? g->first : anchor);
		node_move(g->first, i % 3 ? NULL : anchor->next);
	}
	check_order(g);
	cr_assert_eq(g->nnode, 12003);
	/* right behind the first node, where gaps are used up at once */
	for (int i = 0; i < 50000; i++)
		node_make(g, OP_Relu, 1, 1, g->first->next);
	check_order(g);
	model_verify_ir(m);
	model_free(m);
}

Test(graph, nodes_move_out_of_bodies)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main, *then, *els;
	struct value *y = build_if(g, g->in[1], g->in[0], "y"), *v;
	struct node *iff = y->def;

	build_output(g, 0, y, "y");
	then = node_graph(iff, 0);
	els = node_graph(iff, 1);
	/* give both branches a value of the same name */
	then->first->out[0]->name = els->first->out[0]->name =
		model_sym(m, "t");
	then->out_info[0].name = els->out_info[0].name = model_sym(m, "t");
	v = then->first->out[0];
	node_move(then->first, iff);
	cr_assert_eq(v->graph, g);
	cr_assert_eq(g->nnode, 2);
	model_verify_ir(m);
	cr_assert_eq(model_finish(m), OK);
	model_verify_ir(m);
	/* the branch now returns a copy; "t" is not redefined within "t" */
	cr_assert_eq(then->nnode, 1);
	cr_assert(node_is(then->first, OP_Identity));
	cr_assert_neq(v->name, els->first->out[0]->name);
	cr_assert_neq(v->name, then->first->out[0]->name);
	model_free(m);
}

/* ---- sorting ---- */

enum { SORTED = 200 };

/* Random DAG, nodes appended in random order; every third node is an If
 * whose branches capture what it depends on. */
static void random_graph(struct model *m, struct rng *r, struct value **v,
			 uint32_t *dep)
{
	struct graph *g = m->main;
	struct value *cond = g->in[1];

	for (uint32_t i = 0; i < SORTED; i++) {
		v[i] = i % 3 ? build_node(g, OP_Relu, g->in[0], NULL, NULL)
			     : build_if(g, cond, g->in[0], NULL);
		dep[i] = i ? (uint32_t)rng_below(r, i) : 0;
	}
	for (uint32_t i = 1; i < SORTED; i++) {
		struct node *n = v[i]->def;

		if (i % 3)
			node_set_input(n, 0, v[dep[i]]);
		else
			node_set_input(node_graph(n, i % 2)->first, 0,
				       v[dep[i]]);
	}
	for (uint32_t i = 0; i < 1000; i++)
		node_move(v[rng_below(r, SORTED)]->def,
			  v[rng_below(r, SORTED)]->def);
}

Test(graph, sort_respects_captures)
{
	struct diag d = {0};

	for (uint64_t seed = 0; seed < 20; seed++) {
		struct model *m = build_model(&d, 2);
		struct rng r = rng_make(seed, 0);
		struct value *v[SORTED];
		uint32_t dep[SORTED];
		struct node *n, *was[SORTED];
		uint32_t i = 0;

		random_graph(m, &r, v, dep);
		cr_assert_eq(graph_sort(m->main), OK);
		model_verify_ir(m);
		check_order(m->main);
		for (i = 1; i < SORTED; i++)
			cr_assert(node_before(v[dep[i]]->def, v[i]->def));
		i = 0;
		graph_foreach (n, m->main)
			was[i++] = n;
		cr_assert_eq(i, SORTED);
		cr_assert_eq(graph_sort(m->main), OK);
		i = 0;
		graph_foreach (n, m->main) /* sorted lists stay */
			cr_assert_eq(was[i++], n);
		model_free(m);
	}
	diag_release(&d);
}

Test(graph, sort_is_stable)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 1);
	struct graph *g = m->main;
	struct node *n[6];

	for (int i = 0; i < 6; i++)
		n[i] = build_node(g, OP_Relu, g->in[0], NULL, NULL)->def;
	/* 1 needs 4: 0 2 3 4 1 5 */
	node_set_input(n[1], 0, n[4]->out[0]);
	cr_assert_eq(graph_sort(g), OK);
	cr_assert_eq(g->first, n[0]);
	cr_assert_eq(n[0]->next, n[2]);
	cr_assert_eq(n[3]->next, n[4]);
	cr_assert_eq(n[4]->next, n[1]);
	cr_assert_eq(n[1]->next, n[5]);
	cr_assert_eq(g->last, n[5]);
	model_free(m);
}

Test(graph, sort_names_a_node_of_the_cycle)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main;
	struct node *n[5];

	for (int i = 0; i < 5; i++)
		n[i] = build_node(g, OP_Relu, g->in[0], NULL, NULL)->def;
	/* 1 -> 2 -> 1, and 3, 4 behind it */
	node_set_input(n[1], 0, n[2]->out[0]);
	node_set_input(n[2], 0, n[1]->out[0]);
	node_set_input(n[3], 0, n[2]->out[0]);
	node_set_input(n[4], 0, n[3]->out[0]);
	n[1]->name = n[2]->name = model_sym(m, "culprit");
	cr_assert_eq(graph_sort(g), BAD_MODEL);
	cr_assert_eq(d.first, E_cycle);
	node_set_input(n[1], 0, g->in[0]);
	cr_assert_eq(graph_sort(g), OK);
	model_verify_ir(m);

	/* a body that uses its owner's output */
	struct value *y = build_if(g, g->in[1], g->in[0], "y");

	node_set_input(node_graph(y->def, 1)->first, 0, y);
	cr_assert_eq(graph_sort(g), BAD_MODEL);
	model_free(m);
	diag_release(&d);
}

/* ---- names ---- */

Test(finish, outputs_get_their_names)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main;
	struct value *x = build_node(g, OP_Relu, g->in[0], NULL, NULL);
	struct value *taken = build_node(g, OP_Neg, x, NULL, "y");

	build_output(g, 0, x, "y");          /* renamed */
	build_output(g, 1, x, "z");          /* one value, two names */
	build_output(g, 2, g->in[1], "w");   /* an input, passed on */
	build_output(g, 3, g->in[0], "in0"); /* as is */
	build_output(g, 4, taken, "last");
	cr_assert_eq(model_finish(m), OK);
	model_verify_ir(m);
	cr_assert_str_eq(name_of(x), "y");
	cr_assert_str_eq(name_of(taken), "last");
	cr_assert_eq(g->nnode, 4);
	cr_assert(node_is(g->last, OP_Identity));
	cr_assert_eq(node_in(g->last, 0), g->in[1]);
	cr_assert_str_eq(name_of(g->ret->in[1].v), "z");
	cr_assert_str_eq(name_of(g->ret->in[2].v), "w");
	cr_assert_eq(g->ret->in[3].v, g->in[0]);
	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(g->nnode, 4); /* idempotent */
	model_free(m);
}

Test(finish, values_in_the_way_are_renamed)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 1);
	struct graph *g = m->main;
	struct info entry = {.name = model_sym(m, "y"), .decl = type_unknown()};
	struct value *old = build_node(g, OP_Relu, g->in[0], NULL, "y");
	struct value *new = build_node(g, OP_Neg, old, NULL, "n");

	vec_push(&g->infos, &entry);
	old->info = &entry;
	build_output(g, 0, new, "y");
	cr_assert_eq(model_finish(m), OK);
	cr_assert_str_eq(name_of(new), "y");
	cr_assert_str_eq(name_of(old), "relu_1");
	cr_assert_eq(g->infos.n, 1);
	cr_assert_eq(entry.name, old->name); /* follows its value */
	use_set(&new->def->in[0], g->in[0]);
	node_remove(old->def);
	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(g->infos.n, 0); /* and goes with it */
	model_free(m);
}

Test(finish, unnamed_values_get_fresh_names)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main;
	struct value *x = build_node(g, OP_Relu, g->in[0], NULL, "relu_1");
	struct value *y = build_if(g, g->in[1], x, NULL), *z, *c;

	node_graph(y->def, 0)->first->out[0]->name = 0;
	node_graph(y->def, 0)->out_info[0].name = 0;
	z = build_node(g, OP_Relu, y, NULL, NULL);
	c = value_const(g, tensor_scalar(m, DT_F32, 1), NULL);
	z = build_node(g, OP_Add, z, c, NULL);
	build_output(g, 0, z, NULL);
	cr_assert_eq(model_finish(m), OK);
	model_verify_ir(m);
	cr_assert_str_eq(name_of(c), "const_1");
	cr_assert_str_eq(name_of(node_graph(y->def, 0)->first->out[0]),
			 "neg_2");
	cr_assert_eq(node_graph(y->def, 0)->out_info[0].name,
		     node_graph(y->def, 0)->first->out[0]->name);
	cr_assert_str_eq(name_of(y), "if_3");
	cr_assert_str_eq(name_of(z->def->in[0].v), "relu_4");
	cr_assert_eq(g->out_info[0].name, z->name);
	value_remove(build_node(g, OP_Add, z, c, NULL)->graph->init.p[0] == c
			     ? value_const(g, c->init, NULL)
			     : c);
	cr_assert_eq(g->init.n, 2);
	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(g->init.n, 1);
	model_free(m);
}

Test(finish, shadowing_of_the_file_is_kept)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 2);
	struct graph *g = m->main, *b;
	struct value *x = build_node(g, OP_Relu, g->in[0], NULL, "s");
	struct value *y = build_if(g, g->in[1], g->in[0], "y"), *inner;

	build_output(g, 0, y, "y");
	build_output(g, 1, x, "s");
	b = node_graph(y->def, 1);
	inner = b->first->out[0];
	inner->name = b->out_info[0].name = x->name;
	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(inner->name, x->name);
	/* once the outer one is used in there, they must differ */
	node_set_input(b->first, 0, x);
	cr_assert_eq(model_finish(m), OK);
	cr_assert_neq(inner->name, x->name);
	cr_assert_str_eq(name_of(x), "s");
	cr_assert_eq(b->out_info[0].name, inner->name);
	model_free(m);
}

Test(graph, inputs_are_dropped)
{
	struct diag d = {0};
	struct model *m = build_model(&d, 4);
	struct graph *g = m->main;

	build_output(g, 0, g->in[3], "in3");
	value_remove(g->in[1]);
	cr_assert_eq(g->nin, 3);
	cr_assert_eq(g->in[2]->slot, 2);
	cr_assert_str_eq(sym_text(m, g->in_info[2].name), "in3");
	graph_set_inputs(g, 5);
	cr_assert_str_eq(name_of(g->in[2]), "in3");
	model_verify_ir(m);
	cr_assert_eq(model_finish(m), OK);
	cr_assert_neq(g->in_info[4].name, 0);
	model_free(m);
}
