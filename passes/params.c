/* SPDX-License-Identifier: MIT */
/*
 * params.c -- parameters of an operator by name.
 *
 * Squeeze's axes, Clip's bounds, Pad's pads and the like moved from attributes
 * to inputs over the years; the schema row of a node says where they are.
 */
#include <string.h>
#include "passes/params_p.h"
#include "passes/rewrite_p.h"

/* The word of list that is `name` up to a mark; p after the name. */
static const char *find_word(const char *list, const char *name, int *index)
{
	size_t len = strlen(name);
	const char *s = list;

	for (*index = 0; s && *s; ++*index) {
		size_t word = strcspn(s, " ");

		if (word >= len && !strncmp(s, name, len) &&
		    strchr(" :?*~", s[len]))
			return s + len;
		s += word;
		s += strspn(s, " ");
	}
	return NULL;
}

int param_input(const struct op *op, const char *name)
{
	int i;

	return find_word(op->in, name, &i) ? i : -1;
}

char param_attr_kind(const struct op *op, const char *name)
{
	int i;
	const char *p = find_word(op->attrs, name, &i);

	if (!p || *p != ':')
		return 0;
	if (p[2] == 's')
		return (char)(p[1] - 'a' + 'A');
	return p[1];
}

bool param_given(const struct node *n, const char *name)
{
	int i = param_input(n->op, name);

	return node_has_attr(n, name) || (i >= 0 && node_in(n, (uint32_t)i));
}

bool param_ints(const struct node *n, const char *name, const int64_t **v,
		size_t *count)
{
	int i = param_input(n->op, name);
	struct value *in = i < 0 ? NULL : node_in(n, (uint32_t)i);
	struct model *m = n->graph->model;
	int64_t *buf;

	*v = NULL;
	*count = 0;
	if (!in) {
		*v = node_attr_ints(n, name, count);
		return true;
	}
	if (!in->konst || dtype_kind(in->konst->dt) != 'i')
		return false;
	buf = arena_array(&m->arena, (size_t)in->konst->n + 1, sizeof *buf);
	for (int64_t k = 0; k < in->konst->n; k++)
		buf[k] = tensor_int(m, in->konst, k);
	*v = buf;
	*count = (size_t)in->konst->n;
	return true;
}

bool param_num(const struct node *n, const char *name, double dflt, double *x)
{
	int i = param_input(n->op, name);
	struct value *in = i < 0 ? NULL : node_in(n, (uint32_t)i);
	const struct attr *a;

	*x = dflt;
	if (in) {
		if (!in->konst || in->konst->n != 1 ||
		    !strchr("fiub", dtype_kind(in->konst->dt)))
			return false;
		*x = tensor_float(n->graph->model, in->konst, 0);
		return true;
	}
	a = node_attr(n, name);
	if (a && a->kind != ATTR_FLOAT && a->kind != ATTR_INT)
		return false;
	if (a)
		*x = a->kind == ATTR_FLOAT ? (double)a->u.f[0]
					   : (double)a->u.i[0];
	return true;
}

bool param_set_attr(struct rewrite *w, struct node *n, const char *name,
		    const struct rw_val *a)
{
	char kind = param_attr_kind(n->op, name);

	(void)w;
	switch (a->kind) {
	case RV_NONE:
		node_drop_attr(n, name);
		return true;
	case RV_NUM:
		if (kind == 'f')
			node_set_float(n, name, (float)a->num);
		else if (kind == 'i' && a->num == (double)(int64_t)a->num)
			node_set_int(n, name, (int64_t)a->num);
		return kind == 'f' || kind == 'i';
	case RV_INTS:
		if (kind == 'I')
			node_set_ints(n, name, a->i, a->n);
		return kind == 'I';
	case RV_WORD:
		if (kind == 's')
			node_set_str(n, name, a->s);
		return kind == 's';
	default:
		return false;
	}
}
