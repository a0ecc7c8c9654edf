/* SPDX-License-Identifier: MIT */
/*
 * eval.c -- evaluates single nodes on constants: the folder.
 *
 * Always the reference kernels, so that folded bytes are the same on every
 * machine.
 */
#include <stdlib.h>

#include "runtime/exec_p.h"

static enum status eval_inputs(struct model *m, const struct node *n,
			       const struct tensor *const *in,
			       struct array **arr)
{
	for (uint32_t i = 0; i < n->nin; i++) {
		if (!in[i])
			continue;
		arr[i] = array_of_tensor(m, in[i]);
		if (!arr[i])
			return LIMIT;
	}
	return OK;
}

static enum status eval_outputs(struct model *m, const struct node *n,
				struct array **arr, const struct tensor **out)
{
	for (uint32_t i = 0; i < n->nout; i++) {
		out[i] = NULL;
		if (!n->out[i] || !arr[i])
			continue;
		if (arr[i]->kind == ARR_TENSOR &&
		    array_own_strings(m->diag, arr[i]))
			return LIMIT;
		out[i] = array_to_tensor(m, arr[i]);
		if (!out[i])
			return BAD_MODEL;
	}
	return OK;
}

enum status eval_node(struct model *m, const struct node *n,
		      const struct tensor *const *in, const struct tensor **out)
{
	const struct kernel *k = kernel_find(n->op);
	struct array **arr = xcalloc((size_t)n->nin + n->nout + 1, sizeof *arr);
	struct call call = {
		.c = {.m = m,
		      .d = m->diag,
		      .node = n,
		      .in = arr,
		      .nin = n->nin,
		      .out = arr + n->nin,
		      .nout = n->nout},
	};
	enum status st = OK;

	if (!k || node_graph_count(n) || (n->op->flags & OPF_RANDOM))
		st = kcall_error(&call.c, E_unsupported,
				 "this node cannot be evaluated on its own");
	if (!st)
		st = eval_inputs(m, n, in, arr);
	if (!st)
		st = call_check(&call.c, op_tensors_only(n->op));
	if (!st)
		st = k->ref(&call.c);
	if (!st)
		st = eval_outputs(m, n, arr + n->nin, out);
	call_release(&call);
	for (uint32_t i = 0; i < n->nin + n->nout; i++)
		array_unref(arr[i]);
	free(arr);
	return st;
}

size_t eval_output_bytes(const struct node *n)
{
	size_t total = 0;

	for (uint32_t i = 0; i < n->nout; i++) {
		size_t bytes;
		int64_t count;

		if (!n->out[i])
			continue;
		if (n->out[i]->type->dt == DT_NONE ||
		    !type_count(n->out[i]->type, &count) ||
		    !dtype_bytes(n->out[i]->type->dt, count, &bytes) ||
		    !add_size(total, bytes, &total))
			return SIZE_MAX;
	}
	return total;
}
