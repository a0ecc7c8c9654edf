/* SPDX-License-Identifier: MIT */
/*
 * ew.c -- the elementwise engine.
 *
 * Adjacent dims that every input walks alike are merged; the output is cut
 * into chunks of fixed size for the threads and blocks that fit the cache.
 * Cost: one pass over the inputs and the output.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/elementwise/ew_p.h"

/* Threads pay from about 0.2 ms of work on: EW_WORTH plain elements. */
enum { EW_BLOCK = 512, EW_CHUNK = 1 << 15, EW_WORTH = 1 << 19 };

enum status ew_inputs(struct ew_job *j, struct kcall *c, uint32_t n)
{
	j->c = c;
	j->nin = n;
	j->in = kcall_scratch(c, n * sizeof *j->in);
	return j->in ? OK : LIMIT;
}

static enum status out_dims(struct ew_job *j)
{
	for (uint32_t k = 0; k < j->nin; k++) {
		const struct array *a = j->in[k].a;

		if (a->rank > KERNEL_MAX_RANK)
			return kcall_error(j->c, E_unsupported,
					   "rank %d is above %d", a->rank,
					   KERNEL_MAX_RANK);
		j->rank = a->rank > j->rank ? a->rank : j->rank;
	}
	for (int d = 0; d < j->rank; d++) {
		j->dim[d] = 1;
		for (uint32_t k = 0; k < j->nin; k++) {
			const struct array *a = j->in[k].a;
			int ad = d - (j->rank - a->rank);
			int64_t n = ad < 0 ? 1 : a->dim[ad];

			if (n != 1 && j->dim[d] != 1 && n != j->dim[d])
				return kcall_error(
					j->c, E_shape,
					"input %u has %lld where others have "
					"%lld along dimension %d",
					k, (long long)n, (long long)j->dim[d],
					d);
			j->dim[d] = n == 1 ? j->dim[d] : n;
		}
	}
	return OK;
}

/* Element steps per output dim; 0 where the input repeats. */
static void set_strides(struct ew_job *j)
{
	for (uint32_t k = 0; k < j->nin; k++) {
		struct ew_input *in = &j->in[k];
		int64_t s = 1;

		for (int d = j->rank - 1; d >= 0; d--) {
			int ad = d - (j->rank - in->a->rank);
			int64_t n = ad < 0 ? 1 : in->a->dim[ad];

			in->stride[d] = n == 1 ? 0 : s;
			s *= n;
		}
	}
}

static bool mergeable(const struct ew_job *j, int d)
{
	for (uint32_t k = 0; k < j->nin; k++)
		if (j->in[k].stride[d - 1] != j->in[k].stride[d] * j->dim[d])
			return false;
	return true;
}

static void drop_dim(struct ew_job *j, int d)
{
	size_t rest = (size_t)(j->rank - d - 1) * sizeof j->dim[0];

	memmove(&j->dim[d], &j->dim[d + 1], rest);
	for (uint32_t k = 0; k < j->nin; k++)
		memmove(&j->in[k].stride[d], &j->in[k].stride[d + 1], rest);
	j->rank--;
}

static void collapse(struct ew_job *j)
{
	for (int d = j->rank - 1; d >= 0; d--)
		if (j->dim[d] == 1)
			drop_dim(j, d);
	for (int d = j->rank - 1; d > 0; d--)
		if (mergeable(j, d)) {
			j->dim[d] *= j->dim[d - 1];
			drop_dim(j, d - 1);
		}
	if (j->rank == 0) {
		j->rank = 1;
		j->dim[0] = 1;
		for (uint32_t k = 0; k < j->nin; k++)
			j->in[k].stride[0] = 0;
	}
	/* Broadcasting only repeats: as many elements, the same layout. */
	for (uint32_t k = 0; k < j->nin; k++)
		j->in[k].flat = j->in[k].a->n == j->out->n;
}

enum status ew_prepare(struct ew_job *j, enum dtype dt)
{
	enum status st = out_dims(j);

	if (st)
		return st;
	for (uint32_t k = 0; k < j->nin && !j->out; k++) {
		const struct array *a = j->in[k].a;

		if (a->dt == dt && k < j->c->nin && j->c->in[k] == a &&
		    a->rank == j->rank &&
		    !memcmp(a->dim, j->dim, (size_t)j->rank * sizeof *a->dim))
			j->out = kcall_inplace(j->c, 0, k);
	}
	if (!j->out)
		j->out = kcall_out(j->c, 0, dt, j->rank, j->dim);
	if (!j->out)
		return LIMIT;
	set_strides(j);
	collapse(j);
	return tail_init(j->c, j->out, &j->tail);
}

/* Lanes [lo, lo + n) of an input, in output order. */
static void gather(const struct ew_job *j, const struct ew_input *in,
		   int64_t lo, size_t n, char *dst)
{
	int64_t idx[KERNEL_MAX_RANK], off = 0, rest = lo;
	int last = j->rank - 1;

	for (int d = last; d >= 0; d--) {
		idx[d] = rest % j->dim[d];
		rest /= j->dim[d];
		off += idx[d] * in->stride[d];
	}
	while (n) {
		int64_t run = j->dim[last] - idx[last];
		size_t m = (uint64_t)run < n ? (size_t)run : n;

		lanes_load(j->lane, in->a->dt, in->a->data, off,
			   in->stride[last], m, dst);
		dst += m * lane_size(j->lane);
		n -= m;
		off -= idx[last] * in->stride[last];
		idx[last] = 0;
		for (int d = last - 1; d >= 0; d--) {
			off += in->stride[d];
			if (++idx[d] < j->dim[d])
				break;
			off -= j->dim[d] * in->stride[d];
			idx[d] = 0;
		}
	}
}

static const void *block(const struct ew_job *j, const struct ew_input *in,
			 int64_t lo, size_t n, void *buf)
{
	if (in->flat && lane_is(j->lane, in->a->dt))
		return (const char *)in->a->data +
		       (size_t)lo * lane_size(j->lane);
	gather(j, in, lo, n, buf);
	return buf;
}

static void divide(const struct ew_job *j, double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] /= j->divide;
}

static void run_block(const struct ew_job *j, int64_t lo, size_t n)
{
	double buf[EW_MAX_IN + 1][EW_BLOCK];
	const void *x[EW_MAX_IN] = {0};
	bool direct = lane_is(j->lane, j->out->dt);
	void *y =
		direct ? (char *)j->out->data + (size_t)lo * lane_size(j->lane)
		       : (void *)buf[EW_MAX_IN];

	if (j->pairwise) {
		/* The sum stays in lanes until all inputs are in. */
		y = buf[EW_MAX_IN];
		memcpy(y, block(j, &j->in[0], lo, n, buf[0]),
		       n * lane_size(j->lane));
		for (uint32_t k = 1; k < j->nin; k++) {
			x[0] = y;
			x[1] = block(j, &j->in[k], lo, n, buf[1]);
			j->fn(&j->par, n, y, x);
		}
		if (j->divide != 0)
			divide(j, y, n);
		direct = false;
	} else {
		for (uint32_t k = 0; k < j->nin; k++)
			x[k] = block(j, &j->in[k], lo, n, buf[k]);
		j->fn(&j->par, n, y, x);
	}
	if (!direct)
		lanes_store(j->lane, j->out->dt, j->out->data, lo, n, y);
	tail_run(&j->tail, j->out->data, lo, (int64_t)n);
}

static void run_chunk(void *arg, size_t i)
{
	const struct ew_job *j = arg;
	int64_t lo = (int64_t)i * EW_CHUNK, hi = lo + EW_CHUNK;

	if (hi > j->out->n)
		hi = j->out->n;
	for (; lo < hi; lo += EW_BLOCK) {
		int64_t n = hi - lo < EW_BLOCK ? hi - lo : EW_BLOCK;

		run_block(j, lo, (size_t)n);
	}
}

void ew_run(const struct ew_job *j)
{
	size_t chunks = (size_t)((j->out->n + EW_CHUNK - 1) / EW_CHUNK);
	int64_t weight = j->lane == LANE_F32 ? 1 : 2;

	if (j->heavy || j->tail.heavy)
		weight *= 8;
	if (j->out->n > EW_WORTH / weight) {
		pool_for(chunks, run_chunk, (void *)(uintptr_t)j);
		return;
	}
	for (size_t i = 0; i < chunks; i++)
		run_chunk((void *)(uintptr_t)j, i);
}
