/* SPDX-License-Identifier: MIT */
/*
 * resize_p.h -- Resize and Upsample: parameters, and one map per axis.
 */
#ifndef RUNTIME_KERNELS_RESIZE_P_H
#define RUNTIME_KERNELS_RESIZE_P_H

#include "runtime/kernels/shared/nn_p.h"

enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC };
enum resize_coord {
	COORD_HALF_PIXEL,
	COORD_HALF_PIXEL_SYMMETRIC,
	COORD_PYTORCH_HALF_PIXEL,
	COORD_ALIGN_CORNERS,
	COORD_ASYMMETRIC,
	COORD_TF_CROP,
	COORD_TF_HALF_PIXEL_NN,
};
enum resize_round {
	ROUND_PREFER_FLOOR,
	ROUND_PREFER_CEIL,
	ROUND_FLOOR,
	ROUND_CEIL,
	ROUND_SIMPLE, /* before version 11 */
};

struct resize {
	enum resize_mode mode;
	enum resize_coord coord;
	enum resize_round round;
	bool antialias, exclude_outside;
	double cubic_a, extrapolation;
	int rank;
	int64_t in[KERNEL_MAX_RANK], out[KERNEL_MAX_RANK];
	float scale[KERNEL_MAX_RANK];
	double roi[2 * KERNEL_MAX_RANK]; /* starts, then ends */
};

/* Reads the node's attributes and inputs; E-value, E-shape. */
enum status resize_init(struct kcall *c, struct resize *r);

/* Output i of the axis is the sum over t < taps of weight[i * taps + t]
 * times input index[i * taps + t]. */
struct axis_map {
	bool identity;
	int64_t taps;
	int64_t *index;
	double *weight;
	bool *outside; /* takes the extrapolation value; or NULL */
};
enum status axis_map_init(struct kcall *c, const struct resize *r, int axis,
			  struct axis_map *m);

#endif
