/* SPDX-License-Identifier: MIT */
/*
 * write_graph.c -- graphs, nodes and functions become messages.
 */
#include "onnx/write_p.h"

enum { DEPTH_MAX = 100 }; /* bodies in bodies; the reader accepts a third */

static struct str name_of(const struct writer *w, const struct value *v)
{
	return v ? sym_str(w->m, v->name) : (struct str){"", 0};
}

/* NOLINTNEXTLINE(misc-no-recursion): through attributes */
static Onnx__NodeProto *write_node(struct writer *w, const struct node *n,
				   int depth)
{
	Onnx__NodeProto *p =
		write_open(w, &onnx__node_proto__descriptor, n->rest);

	p->n_input = n->nin;
	p->input = arena_array(&w->tmp, n->nin, sizeof *p->input);
	for (uint32_t i = 0; i < n->nin; i++)
		p->input[i] = pb_bytes(name_of(w, n->in[i].v));
	p->n_output = n->nout;
	p->output = arena_array(&w->tmp, n->nout, sizeof *p->output);
	for (uint32_t i = 0; i < n->nout; i++)
		p->output[i] = pb_bytes(name_of(w, n->out[i]));
	p->name = write_sym(w, n->name, &p->has_name);
	p->op_type = write_sym(w, n->type, &p->has_op_type);
	p->domain = write_sym(w, n->domain, &p->has_domain);
	p->overload = write_sym(w, n->overload, &p->has_overload);
	p->n_attribute = n->nattr;
	p->attribute = write_attrs(w, n->attr, n->nattr, depth);
	return p;
}

/* NOLINTNEXTLINE(misc-no-recursion): through attributes */
static Onnx__NodeProto **write_nodes(struct writer *w, const struct graph *g,
				     size_t *count, int depth)
{
	Onnx__NodeProto **p = write_array(w, g->nnode);
	const struct node *n;
	size_t i = 0;

	graph_foreach (n, g)
		p[i++] = write_node(w, n, depth);
	*count = i;
	return p;
}

static void write_inits(struct writer *w, const struct graph *g,
			Onnx__GraphProto *p)
{
	p->initializer = write_array(w, g->init.n);
	p->sparse_initializer = write_array(w, g->init.n);
	for (size_t i = 0; i < g->init.n; i++) {
		const struct value *v = g->init.p[i];

		if (v->init->sparse_indices)
			p->sparse_initializer[p->n_sparse_initializer++] =
				write_sparse(w, v->init, v->name);
		else
			p->initializer[p->n_initializer++] =
				write_tensor(w, v->init, v->name);
	}
}

static Onnx__ValueInfoProto **write_interface(struct writer *w,
					      const struct info *info, size_t n)
{
	Onnx__ValueInfoProto **p = write_array(w, n);

	for (size_t i = 0; i < n; i++)
		p[i] = write_info(w, &info[i]);
	return p;
}

static Onnx__ValueInfoProto **write_infos(struct writer *w,
					  const struct graph *g)
{
	Onnx__ValueInfoProto **p = write_array(w, g->infos.n);

	for (size_t i = 0; i < g->infos.n; i++)
		p[i] = write_info(w, g->infos.p[i]);
	return p;
}

/* NOLINTNEXTLINE(misc-no-recursion): through attributes */
Onnx__GraphProto *write_graph(struct writer *w, const struct graph *g,
			      int depth)
{
	Onnx__GraphProto *p =
		write_open(w, &onnx__graph_proto__descriptor, g->rest);

	if (depth > DEPTH_MAX) {
		if (!w->status)
			w->status = diag_error(w->d, NULL, E_depth,
					       "more than %d nested bodies",
					       DEPTH_MAX);
		return p;
	}
	p->name = write_sym(w, g->name, &p->has_name);
	p->n_input = g->nin;
	p->input = write_interface(w, g->in_info, g->nin);
	p->n_output = g->ret ? g->ret->nin : 0;
	p->output = write_interface(w, g->out_info, p->n_output);
	write_inits(w, g, p);
	p->n_value_info = g->infos.n;
	p->value_info = write_infos(w, g);
	p->node = write_nodes(w, g, &p->n_node, depth);
	return p;
}

Onnx__OperatorSetIdProto **write_opsets(struct writer *w, const struct opset *o,
					size_t n)
{
	Onnx__OperatorSetIdProto **p = write_array(w, n);

	for (size_t i = 0; i < n; i++) {
		p[i] = write_open(w, &onnx__operator_set_id_proto__descriptor,
				  o[i].rest);
		p[i]->domain = write_sym(w, o[i].domain, &p[i]->has_domain);
		p[i]->has_version = o[i].has_version;
		p[i]->version = o[i].version;
	}
	return p;
}

static void write_params(struct writer *w, const struct graph *g,
			 Onnx__FunctionProto *p)
{
	p->n_input = g->nin;
	p->input = arena_array(&w->tmp, g->nin, sizeof *p->input);
	for (uint32_t i = 0; i < g->nin; i++)
		p->input[i] = pb_bytes(sym_str(w->m, g->in_info[i].name));
	p->n_output = g->ret ? g->ret->nin : 0;
	p->output = arena_array(&w->tmp, p->n_output, sizeof *p->output);
	for (size_t i = 0; i < p->n_output; i++)
		p->output[i] = pb_bytes(sym_str(w->m, g->out_info[i].name));
}

Onnx__FunctionProto *write_func(struct writer *w, const struct func *f)
{
	Onnx__FunctionProto *p =
		write_open(w, &onnx__function_proto__descriptor, f->rest);

	p->name = write_sym(w, f->name, &p->has_name);
	p->domain = write_sym(w, f->domain, &p->has_domain);
	p->overload = write_sym(w, f->overload, &p->has_overload);
	write_params(w, f->body, p);
	p->n_attribute = f->nattr;
	p->attribute = arena_array(&w->tmp, f->nattr, sizeof *p->attribute);
	for (uint32_t i = 0; i < f->nattr; i++)
		p->attribute[i] = pb_bytes(sym_str(w->m, f->attr[i]));
	p->n_attribute_proto = f->nattr_default;
	p->attribute_proto =
		write_attrs(w, f->attr_default, f->nattr_default, 0);
	p->n_opset_import = f->nopset;
	p->opset_import = write_opsets(w, f->opset, f->nopset);
	p->n_value_info = f->body->infos.n;
	p->value_info = write_infos(w, f->body);
	p->node = write_nodes(w, f->body, &p->n_node, 0);
	return p;
}
