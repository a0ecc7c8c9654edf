/* SPDX-License-Identifier: MIT */
/*
 * infer_types.c -- what shape inference finds, as lines.
 *
 *	infer_types FILE.onnx...
 *
 * Per file "F path", then "E message" if it is refused, and "V graph name
 * type" per value, separated by tabs.  For infer_compare.py.
 */
#include <stdio.h>
#include <stdlib.h>

#include "onnx/onnx.h"

static void print_value(const struct model *m, const struct graph *g,
			const struct value *v)
{
	struct str s = sym_str(m, v->name);
	struct buf b = {0};

	if (s.n == 0)
		return;
	type_print(m, &b, v->type);
	printf("V\t%s\t%.*s\t%s\n", graph_path(g), (int)s.n, s.p, b.p);
	buf_release(&b);
}

static void print_graph(const struct model *m, const struct graph *g)
{
	struct node *n;

	for (uint32_t i = 0; i < g->nin; i++)
		print_value(m, g, g->in[i]);
	for (size_t i = 0; i < g->init.n; i++)
		print_value(m, g, g->init.p[i]);
	graph_foreach (n, g)
		for (uint32_t i = 0; i < n->nout; i++)
			if (n->out[i])
				print_value(m, g, n->out[i]);
}

static void run(const char *path)
{
	struct model *m = NULL;
	graph_vec graphs = {0};
	struct diag d;
	enum status st;

	diag_init(&d, NULL);
	printf("F\t%s\n", path);
	st = onnx_read(&d, path, NULL, &m);
	if (!st)
		st = model_infer(m);
	if (st)
		printf("E\t%s\n", d.last.p ? d.last.p : "");
	if (m) {
		model_graphs(m, &graphs);
		for (size_t i = 0; i < graphs.n; i++)
			print_graph(m, graphs.p[i]);
		vec_release(&graphs);
	}
	model_free(m);
	diag_release(&d);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	return 0;
}
