/* SPDX-License-Identifier: MIT */
/*
 * opset_steps.c -- what single operators need when they change versions.
 *
 * Each function serves one line of opset.def; the changes are those that the
 * changelog of ONNX describes.
 */
#include <stdlib.h>
#include <string.h>
#include "passes/opset_p.h"

static int rank_of(const struct value *v)
{
	return v && v->type->kind == TY_TENSOR ? v->type->rank : -1;
}

static void become(struct node *n, enum op_id id)
{
	n->op = op_latest(id, model_opset(n->graph, DOM_ONNX));
	n->type = model_sym(n->graph->model, n->op->name);
}

static enum status never(struct node *n)
{
	return opset_refuse(n, "its meaning changed");
}

/* ---- softmaxes: of a matrix before 13, along an axis from then on ---- */

/* Flatten, the operator on the last axis, the old shape again. */
static void through_matrix(struct node *n, int64_t axis)
{
	struct graph *g = n->graph;
	struct value *y = n->out[0];
	struct node *shape = node_make(g, OP_Shape, 1, 1, n);
	struct node *flat = node_make(g, OP_Flatten, 1, 1, n);
	struct node *back = node_make(g, OP_Reshape, 2, 1, n->next);

	node_set_input(shape, 0, n->in[0].v);
	node_set_input(flat, 0, n->in[0].v);
	node_set_int(flat, "axis", axis);
	node_set_input(n, 0, flat->out[0]);
	value_replace_uses(y, back->out[0]);
	node_set_input(back, 0, y);
	node_set_input(back, 1, shape->out[0]);
	back->out[0]->name = y->name;
	back->out[0]->type = y->type;
	y->name = 0;
	y->info = NULL;
	y->type = type_unknown();
	node_set_int(n, "axis", -1);
}

static enum status softmax_up_13(struct node *n)
{
	int64_t axis = node_attr_int(n, "axis", 1);
	int rank = rank_of(node_in(n, 0));
	const struct attr *a = node_attr(n, "axis");

	if (a && a->ref)
		return opset_refuse(n, "a parameter is the function's own");
	if (rank > 0 && (axis == rank - 1 || axis == -1))
		node_set_int(n, "axis", -1);
	else
		through_matrix(n, axis);
	return OK;
}

static enum status softmax_down_13(struct node *n)
{
	int64_t axis = node_attr_int(n, "axis", -1);
	int rank = rank_of(node_in(n, 0));

	if (rank < 1 || (axis != -1 && axis != rank - 1))
		return opset_refuse(n, "it is not along the last axis");
	node_set_int(n, "axis", rank - 1);
	return OK;
}

/* ---- normalization, dropout ---- */

static enum status batch_norm_up_9(struct node *n)
{
	if (node_attr_int(n, "spatial", 1) != 1)
		return opset_refuse(n, "it is not spatial");
	node_drop_attr(n, "spatial");
	return OK;
}

static enum status batch_norm_up_14(struct node *n)
{
	for (uint32_t i = 1; i < n->nout; i++) {
		if (n->out[i] && n->out[i]->nuse)
			return opset_refuse(n, "its statistics are used");
		if (n->out[i])
			value_remove(n->out[i]);
	}
	n->nout = 1;
	return OK;
}

/* One factor per group before 21, one per channel from then on. */
static const struct tensor *per_channel(struct node *n, uint32_t i,
					int64_t channels)
{
	struct value *v = node_in(n, i);
	struct model *m = n->graph->model;
	const struct tensor *t = v ? v->konst : NULL;
	struct tensor *r;

	if (!t || t->rank != 1 || t->n < 1 || channels % t->n)
		return NULL;
	r = tensor_create(m, t->dt, 1, &channels);
	for (int64_t c = 0; r && c < channels; c++)
		dtype_set(t->dt, tensor_data_mut(r), (size_t)c,
			  tensor_float(m, t, c / (channels / t->n)));
	return r;
}

static enum status group_norm_up_21(struct node *n)
{
	const struct value *x = node_in(n, 0);
	int64_t channels = rank_of(x) > 1 && dim_known(x->type->dim[1])
				   ? x->type->dim[1].n
				   : 0;

	for (uint32_t i = 1; i < 3; i++) {
		const struct tensor *t =
			channels ? per_channel(n, i, channels) : NULL;

		if (!t)
			return opset_refuse(n, "its scale and bias, or the "
					       "channels, are not known");
		node_set_input(n, i, value_const(n->graph, t, n));
	}
	return OK;
}

static enum status dropout_up_10(struct node *n)
{
	const struct value *mask = node_out(n, 1);

	return mask && mask->nuse
		       ? opset_refuse(n, "the type of its mask changed")
		       : OK;
}

static enum status dropout_down_12(struct node *n)
{
	const struct value *v = node_in(n, 2);

	if (v && (!v->konst || v->konst->n != 1 ||
		  tensor_int(n->graph->model, v->konst, 0)))
		return opset_refuse(n, "it is for training");
	opset_drop_input(n, 2);
	return OK;
}

/* ---- images ---- */

static enum status upsample_up_10(struct node *n)
{
	become(n, OP_Resize);
	return OK;
}

static enum status resize_down_10(struct node *n)
{
	become(n, OP_Upsample);
	return OK;
}

/* Version 10 knew one mapping of coordinates and one rounding. */
static enum status resize_up_11(struct node *n)
{
	const int64_t none = 0;
	struct value *scales = node_in(n, 1);
	const struct tensor *roi =
		tensor_create(n->graph->model, DT_F32, 1, &none);

	if (!roi)
		return LIMIT;
	node_set_str(n, "coordinate_transformation_mode", "asymmetric");
	if (str_is(node_attr_str(n, "mode", "nearest"), "nearest"))
		node_set_str(n, "nearest_mode", "floor");
	node_resize_inputs(n, 3);
	node_set_input(n, 2, scales);
	node_set_input(n, 1, value_const(n->graph, roi, n));
	return OK;
}

static enum status resize_down_11(struct node *n)
{
	bool nearest = str_is(node_attr_str(n, "mode", "nearest"), "nearest");
	struct value *scales = node_in(n, 2);

	if (node_in(n, 3) || !scales ||
	    !str_is(node_attr_str(n, "coordinate_transformation_mode",
				  "half_pixel"),
		    "asymmetric") ||
	    (nearest &&
	     !str_is(node_attr_str(n, "nearest_mode", "round_prefer_floor"),
		     "floor")))
		return opset_refuse(n, "its mapping of coordinates is new");
	node_drop_attr(n, "coordinate_transformation_mode");
	node_drop_attr(n, "nearest_mode");
	opset_drop_input(n, 1);
	node_set_input(n, 1, scales);
	node_resize_inputs(n, 2);
	return OK;
}

static enum status resize_up_13(struct node *n)
{
	return str_is(node_attr_str(n, "coordinate_transformation_mode", ""),
		      "tf_half_pixel_for_nn")
		       ? opset_refuse(n, "tf_half_pixel_for_nn is gone")
		       : OK;
}

static enum status roi_align_up_16(struct node *n)
{
	node_set_str(n, "coordinate_transformation_mode", "output_half_pixel");
	return OK;
}

static enum status roi_align_down_16(struct node *n)
{
	if (!str_is(node_attr_str(n, "coordinate_transformation_mode",
				  "half_pixel"),
		    "output_half_pixel"))
		return opset_refuse(n, "its mapping of coordinates is new");
	node_drop_attr(n, "coordinate_transformation_mode");
	return OK;
}

static const struct {
	const char *before, *since;
} grid_modes[] = {{"bilinear", "linear"}, {"bicubic", "cubic"}};

static enum status grid_sample_up_20(struct node *n)
{
	struct str mode = node_attr_str(n, "mode", "bilinear");

	for (size_t i = 0; i < countof(grid_modes); i++)
		if (str_is(mode, grid_modes[i].before)) {
			node_set_str(n, "mode", grid_modes[i].since);
			break;
		}
	return OK;
}

static enum status grid_sample_down_20(struct node *n)
{
	struct str mode = node_attr_str(n, "mode", "linear");

	if (rank_of(node_in(n, 0)) != 4)
		return opset_refuse(n, "its input is not known to be an image");
	for (size_t i = 0; i < countof(grid_modes); i++)
		if (str_is(mode, grid_modes[i].since)) {
			node_set_str(n, "mode", grid_modes[i].before);
			break;
		}
	return OK;
}

/* ---- the rest ---- */

static enum status constant_down_12(struct node *n)
{
	const struct tensor *t = n->out[0]->konst;

	if (n->nattr != 1 || !t)
		return opset_refuse(n, "its value is not known");
	node_drop_attr(n, sym_text(n->graph->model, n->attr[0].name));
	node_set_tensor(n, "value", t);
	return OK;
}

static enum status quantize_down_13(struct node *n)
{
	if (rank_of(node_in(n, 1)) != 0)
		return opset_refuse(n, "it has one scale per channel");
	node_drop_attr(n, "axis");
	return OK;
}

static enum status scatter_up_11(struct node *n)
{
	become(n, OP_ScatterElements);
	return OK;
}

static enum status scatter_down_11(struct node *n)
{
	become(n, OP_Scatter);
	return OK;
}

static enum status slice_down_10(struct node *n)
{
	const struct value *steps = node_in(n, 4);
	double one;

	if (steps &&
	    (!steps->konst ||
	     !tensor_uniform(n->graph->model, steps->konst, &one) || one != 1))
		return opset_refuse(n, "its steps are not 1");
	opset_drop_input(n, 4);
	return OK;
}

static enum status split_up_18(struct node *n)
{
	if (!node_in(n, 1))
		node_set_int(n, "num_outputs", n->nout);
	return OK;
}

static enum status split_down_18(struct node *n)
{
	const struct value *x = node_in(n, 0);
	int axis;

	if (!node_has_attr(n, "num_outputs"))
		return OK;
	if (rank_of(x) < 1 ||
	    !axis_fix(node_attr_int(n, "axis", 0), x->type->rank, &axis) ||
	    !dim_known(x->type->dim[axis]) || x->type->dim[axis].n % n->nout)
		return opset_refuse(n, "its parts are not known to be equal");
	node_drop_attr(n, "num_outputs");
	return OK;
}

static const struct {
	enum op_id id;
	int since;
	opset_step *up, *down;
} steps[] = {
#define PARAM(op, since, attr, input, rank)
#define STEP(op, since, up, down) {OP_##op, since, up, down},
#include "passes/opset.def"
#undef PARAM
#undef STEP
};

opset_step *opset_step_find(enum op_id id, int since, bool up)
{
	for (size_t i = 0; i < countof(steps); i++)
		if (steps[i].id == id && steps[i].since == since)
			return up ? steps[i].up : steps[i].down;
	return NULL;
}
