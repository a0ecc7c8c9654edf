/* SPDX-License-Identifier: MIT */
/*
 * nn_p.h -- what the compute kernels share: checks, double copies, windows.
 *
 * The reference kernels load their inputs as doubles, compute in double in
 * a fixed order and round once when they save.
 */
#ifndef RUNTIME_KERNELS_NN_P_H
#define RUNTIME_KERNELS_NN_P_H

#include "runtime/kernel.h"

static inline int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ceil(a / b) for a >= 0, b > 0. */
static inline int64_t ceil_div(int64_t a, int64_t b)
{
	return a / b + (a % b != 0);
}

/* ---- checks (nn.c) ---- */

/* Input j is a tensor of rank [lo, hi]; E-shape, E-type. */
enum status nn_rank(struct kcall *c, uint32_t j, int lo, int hi);
/* Input j, where given, is a tensor of this type and rank 1 with n elements
 * (n < 0: any). */
enum status nn_vector(struct kcall *c, uint32_t j, enum dtype dt, int64_t n);
/* Input 0 is a float tensor, and so are, with the same type, the given ones
 * of 1..n-1; those below need are required. */
enum status nn_floats(struct kcall *c, uint32_t need, uint32_t n);
/* Is every given input of 0..n-1 a float32 tensor? */
bool nn_all_f32(const struct kcall *c, uint32_t n);
/* Product of dims; false on overflow or a negative dim. */
bool nn_count(int rank, const int64_t *dim, int64_t *n);
int64_t nn_product(const int64_t *dim, int from, int to);

/* ---- doubles ---- */

/* n doubles of scratch, uninitialized; NULL: E-memory. */
double *nn_temp(struct kcall *c, int64_t n);
float *nn_temp_f32(struct kcall *c, int64_t n);
void *nn_scratch(struct kcall *c, int64_t n, size_t size);
/* Input j as doubles; NULL: E-memory. */
const double *nn_load(struct kcall *c, uint32_t j);
void nn_load_range(const struct array *a, int64_t at, int64_t n, double *dst);
void nn_save_range(struct array *a, int64_t at, int64_t n, const double *v);
/* Input j broadcast to exactly these dims, as doubles; E-shape. */
enum status nn_expand(struct kcall *c, uint32_t j, int rank, const int64_t *dim,
		      const double **out);
/* Output i from doubles, rounded once; does nothing where i is unused. */
enum status nn_save(struct kcall *c, uint32_t i, enum dtype dt, int rank,
		    const int64_t *dim, const double *v);

/* ---- sliding windows (window.c) ---- */

enum { WINDOW_MAX = 8 }; /* spatial axes */

/*
 * The window of a convolution or pooling over `rank` spatial axes: output o
 * of an axis sees inputs o * stride - lo + k * dilation, 0 <= k < kernel.
 */
struct window {
	int rank;
	int64_t in[WINDOW_MAX], out[WINDOW_MAX];
	int64_t kernel[WINDOW_MAX], stride[WINDOW_MAX], dilation[WINDOW_MAX];
	int64_t lo[WINDOW_MAX], hi[WINDOW_MAX]; /* padding */
	int64_t nin, nout, nkernel;             /* products */
};

/*
 * Reads auto_pad, pads, strides, dilations and ceil_mode of the node and
 * computes out.  kernel: the weight's spatial dims, or NULL: the attribute
 * kernel_shape.  E-value for impossible attributes, E-shape if the window
 * does not fit the padded input.
 */
enum status window_init(struct kcall *c, struct window *w, int rank,
			const int64_t *in, const int64_t *kernel);
/* As window_init for ConvTranspose, where in and out change roles: the
 * input is `in`, the result w->in. */
enum status window_init_transposed(struct kcall *c, struct window *w, int rank,
				   const int64_t *in, const int64_t *kernel);

/* The taps of one output position that fall inside the input. */
struct taps {
	int64_t n;
	int64_t *at; /* flat input position */
	int64_t *k;  /* flat kernel position */
	/* Positions of the window inside the padded input. */
	int64_t padded;
};
enum status taps_create(struct kcall *c, const struct window *w,
			struct taps *t);
/* Output position o (rank entries); taps in order of the kernel. */
void taps_at(const struct window *w, const int64_t *o, struct taps *t);
/* Next position in C order; false after the last. */
bool odometer_next(int rank, const int64_t *dim, int64_t *o);

#endif
