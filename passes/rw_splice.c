/* SPDX-License-Identifier: MIT */
/*
 * rw_splice.c -- is a replacement worth it, and the exchange itself.
 *
 * Termination: a rule that is not canonical must lower (cost, nodes, bytes)
 * lexicographically, counting everything that dies with the root.  No growth:
 * the encoded bytes of what is new never exceed those of what goes (plus the
 * limit that the user allows).  Canonical rules have a fixed direction
 * instead, named in their comment.
 */
#include <stdlib.h>
#include "passes/pass_p.h"
#include "passes/rewrite_p.h"

struct measure {
	uint64_t cost;
	size_t nodes, bytes;
};

/* The operand of a matched fill that gives t's dims; NULL: there is none. */
static struct value *find_shape(const struct rewrite *w, const struct tensor *t)
{
	for (uint32_t i = 0; i < w->nmatched; i++)
		for (uint32_t k = 0; k < w->matched[i]->nin; k++) {
			struct value *s =
				const_shape_of(w->matched[i]->in[k].v, t);

			if (s && graph_encloses(s->graph, w->root->graph))
				return s;
		}
	return NULL;
}

static struct measure measure_new(const struct rewrite *w, bool fill)
{
	const struct graph *g = w->root->graph;
	struct measure s = {.nodes = w->made.n};

	for (size_t i = 0; i < w->made.n; i++) {
		s.cost += node_cost(w->made.p[i]);
		s.bytes += node_size(w->m, w->made.p[i]);
	}
	for (size_t i = 0; i < w->konst.n; i++) {
		const struct tensor *t = w->konst.p[i]->konst;
		bool filled = fill && const_fillable(g, t);

		s.bytes += const_place_size(g, t, w->konst.p[i]->name, filled,
					    find_shape(w, t));
		s.nodes += filled;
		s.cost += filled;
	}
	return s;
}

static bool lower(const struct measure *a, const struct measure *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	if (a->nodes != b->nodes)
		return a->nodes < b->nodes;
	return a->bytes < b->bytes;
}

static bool kept(struct rewrite *w)
{
	for (size_t i = 0; i < w->cone.node.n; i++)
		if (pass_kept(w->r, w->cone.node.p[i]))
			return true;
	return false;
}

/* Is v a constant that the root's graph can see, equal to t? */
static bool serves(struct rewrite *w, struct value *v, const struct tensor *t)
{
	return v && v->konst && v->konst != t && const_same_dims(v->konst, t) &&
	       graph_encloses(v->graph, w->root->graph) &&
	       tensor_equal(w->m, v->konst, t);
}

static struct value *find_equal(struct rewrite *w, const struct tensor *t)
{
	for (uint32_t i = 0; i < w->nmatched; i++)
		for (uint32_t k = 0; k < w->matched[i]->nin; k++)
			if (serves(w, w->matched[i]->in[k].v, t))
				return w->matched[i]->in[k].v;
	return NULL;
}

/* A new constant that equals one of the pattern's is that one. */
static void reuse_consts(struct rewrite *w)
{
	size_t left = 0;

	for (size_t i = 0; i < w->konst.n; i++) {
		struct value *tmp = w->konst.p[i];
		struct value *v = find_equal(w, tmp->konst);

		if (v && w->result != tmp)
			value_replace_uses(tmp, v);
		else
			w->konst.p[left++] = tmp;
	}
	w->konst.n = left;
}

struct spare { /* a name whose constant goes */
	sym name;
	const struct tensor *t;
};

typedef VEC(struct spare) spare_vec;

static void spare_names(const struct rewrite *w, spare_vec *out)
{
	for (size_t i = 0; i < w->cone.init.n; i++) {
		const struct value *v = w->cone.init.p[i];

		vec_push(out, ((struct spare){v->name, v->init}));
	}
	for (size_t i = 1; i < w->cone.node.n; i++) {
		const struct value *v = node_out(w->cone.node.p[i], 0);

		if (v && v->konst)
			vec_push(out, ((struct spare){v->name, v->konst}));
	}
}

/* New constants take the names of dying ones, those of their shape first. */
static void claim_names(struct rewrite *w)
{
	spare_vec s = {0};

	spare_names(w, &s);
	for (int any = 0; any < 2; any++)
		for (size_t i = 0; i < w->konst.n; i++) {
			struct value *v = w->konst.p[i];
			size_t k = 0;

			while (!v->name && k < s.n &&
			       !(s.p[k].name &&
				 (any || const_same_dims(v->konst, s.p[k].t))))
				k++;
			if (v->name || k == s.n)
				continue;
			v->name = s.p[k].name;
			s.p[k].name = 0;
		}
	vec_release(&s);
}

bool rw_profitable(struct rewrite *w)
{
	struct measure old, new;

	reuse_consts(w);
	cone_find(&w->cone, w->root, w->result_made ? NULL : w->result);
	claim_names(w);
	old = (struct measure){w->cone.cost, w->cone.node.n, w->cone.bytes};
	w->fill = false;
	new = measure_new(w, false);
	if (!pass_affords(w->r, new.bytes, old.bytes)) {
		w->fill = true;
		new = measure_new(w, true);
	}
	if (!pass_affords(w->r, new.bytes, old.bytes))
		rw_miss(w, "the result would be larger: %zu bytes for %zu",
			new.bytes, old.bytes);
	else if (!w->row->rule->canon && !lower(&new, &old))
		rw_miss(w, "nothing would be gained: other users need what "
			   "it replaces");
	else if (kept(w))
		rw_miss(w, "a node is to be kept");
	else {
		w->bytes = new.bytes;
		return true;
	}
	cone_release(&w->cone);
	return false;
}

static void place_consts(struct rewrite *w)
{
	struct node *before = w->made.n ? w->made.p[0] : w->root;
	struct graph *g = w->root->graph;

	for (size_t i = 0; i < w->konst.n; i++) {
		struct value *tmp = w->konst.p[i], *v;
		bool fill = w->fill && const_fillable(g, tmp->konst);

		v = const_place(g, tmp->konst, fill, find_shape(w, tmp->konst),
				before);
		v->name = tmp->name;
		value_replace_uses(tmp, v);
		if (w->result == tmp)
			w->result = v;
	}
}

static void forget_scratch(struct rewrite *w)
{
	struct map keep = {0};

	for (size_t i = 0; i < w->konst.n; i++)
		map_put(&keep, map_ptr_key(w->konst.p[i]->konst->blob), 1);
	scratch_end(w->m, w->mark, &keep);
	map_release(&keep);
}

static void touch_users(const struct value *v, node_vec *touched)
{
	for (const struct use *u = v->uses; u; u = u->next)
		vec_push(touched, u->user);
}

static void inherit(struct rewrite *w, struct value *old)
{
	struct value *v = w->result;
	const struct type *t = type_merge(w->m, v->type, old->type);

	if (v->is_input || v->init)
		return;
	if (t)
		v->type = t;
	if (!v->data && old->data) {
		v->data = old->data;
		v->ndata = old->ndata;
	}
	if (w->result_made) {
		v->info = old->info;
		old->info = NULL;
	}
}

void rw_splice(struct rewrite *w, node_vec *touched)
{
	struct value *old = w->root->out[0];
	VEC(struct value *) lost = {0};

	pass_spend(w->r, w->bytes, w->cone.bytes);
	forget_scratch(w);
	place_consts(w);
	inherit(w, old);
	value_replace_uses(old, w->result);
	for (size_t i = 0; i < w->cone.node.n; i++) {
		struct node *n = w->cone.node.p[i];

		for (uint32_t k = 0; k < n->nin; k++)
			if (n->in[k].v)
				vec_push(&lost, n->in[k].v);
	}
	cone_remove(&w->cone);
	cone_release(&w->cone);
	for (size_t i = 0; i < lost.n; i++) {
		if (!lost.p[i]->graph)
			continue;
		if (lost.p[i]->def)
			vec_push(touched, lost.p[i]->def);
		touch_users(lost.p[i], touched);
	}
	vec_release(&lost);
	touch_users(w->result, touched);
	for (size_t i = 0; i < w->made.n; i++)
		vec_push(touched, w->made.p[i]);
}
