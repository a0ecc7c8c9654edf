/* SPDX-License-Identifier: MIT */
/*
 * rnn_dynamic.c -- the contributed DynamicQuantizeLSTM: LSTM with 8-bit
 * weights, [dirs, depth, 4 hidden], whose other operands are quantized as
 * DynamicQuantizeLinear does.
 *
 * Integer products are exact, so that products of the numbers which the
 * integers stand for give the same: weights and input become those numbers.
 */
#include "runtime/kernels/quant/quant_p.h"
#include "runtime/kernels/recurrent/rnn_p.h"

enum { W_SCALE = 8, R_SCALE = 10 }; /* each followed by zero points */

/* A float tensor in scratch memory. */
static struct array *scratch_array(struct kcall *c, int rank,
				   const int64_t *dim)
{
	struct array *a =
		kcall_scratch(c, sizeof *a + (size_t)rank * sizeof *dim);
	int64_t n;

	if (!a)
		return NULL;
	if (!nn_count(rank, dim, &n)) {
		kcall_error(c, E_dims, "dimensions overflow");
		return NULL;
	}
	a->kind = ARR_TENSOR;
	a->dt = DT_F32;
	a->rank = rank;
	a->n = n;
	a->nref = 1;
	for (int i = 0; i < rank; i++)
		a->dim[i] = dim[i];
	a->data = nn_temp_f32(c, n);
	a->bytes = (size_t)n * sizeof(float);
	return a->data ? a : NULL;
}

/* Weight j as floats, its last two axes swapped. */
static enum status weight(struct kcall *c, uint32_t j, uint32_t js,
			  struct array **to)
{
	const struct array *w = c->in[j];
	int64_t dirs, depth, cols, per;
	int64_t dim[3];
	const float *scale;
	const int32_t *zero;
	int step;
	enum status s = q8_tensor(c, j);

	if (s == OK)
		s = nn_rank(c, j, 3, 3);
	if (s != OK)
		return s;
	dirs = w->dim[0];
	depth = w->dim[1];
	cols = w->dim[2];
	per = kcall_has(c, js) ? c->in[js]->n : 0;
	if (per != dirs && per != dirs * cols)
		return kcall_error(c, E_shape, "input %u has %lld scales", js,
				   (long long)per);
	s = q8_scales(c, js, per, &scale, &step);
	if (s == OK)
		s = q8_zeros(c, js + 1, w->dt, per, &zero, &step);
	if (s != OK)
		return s;
	dim[0] = dirs;
	dim[1] = cols;
	dim[2] = depth;
	*to = scratch_array(c, 3, dim);
	for (int64_t i = 0; *to && i < w->n; i++) {
		int64_t col = i % cols, k = i / cols % depth;
		int64_t d = i / cols / depth;
		int64_t p = per == dirs ? d : d * cols + col;
		int64_t v = dtype_get_int(w->dt, w->data, (size_t)i) -
			    zero[step ? p : 0];

		((float *)(*to)->data)[(d * cols + col) * depth + k] =
			(float)v * scale[p];
	}
	return *to ? OK : LIMIT;
}

/* Elements of X up to the end of the longest sequence: no others count. */
static int64_t used(const struct kcall *c)
{
	const struct array *x = c->in[0];
	const struct array *len = kcall_has(c, 4) ? c->in[4] : NULL;
	int64_t most = 0;

	if (!len || len->dt != DT_I32)
		return x->n;
	for (int64_t i = 0; i < len->n; i++)
		most = max64(most, ((const int32_t *)len->data)[i]);
	return min64(most, x->dim[0]) * x->dim[1] * x->dim[2];
}

static enum status input(struct kcall *c, struct array **to)
{
	const struct array *x = c->in[0];
	uint8_t *q;
	float scale;
	int32_t zero;
	int64_t n;

	if (x->dt != DT_F32 || x->rank != 3)
		return kcall_error(c, E_type, "X is no float tensor of rank 3");
	*to = scratch_array(c, 3, x->dim);
	q = nn_scratch(c, x->n, 1);
	if (!*to || !q)
		return LIMIT;
	n = used(c);
	q8_dynamic(x->data, n, q, &scale, &zero);
	for (int64_t i = 0; i < x->n; i++)
		((float *)(*to)->data)[i] =
			i < n ? (float)(q[i] - zero) * scale : 0;
	return OK;
}

enum status k_dynamic_quantize_lstm(struct kcall *c)
{
	struct array *was[3] = {c->in[0], c->in[1], c->in[2]}, *now[3] = {0};
	enum status s = input(c, &now[0]);

	if (s == OK)
		s = weight(c, 1, W_SCALE, &now[1]);
	if (s == OK)
		s = weight(c, 2, R_SCALE, &now[2]);
	if (s != OK)
		return s;
	for (int i = 0; i < 3; i++)
		c->in[i] = now[i];
	s = lstm_requantized(c);
	for (int i = 0; i < 3; i++)
		c->in[i] = was[i];
	return s;
}
