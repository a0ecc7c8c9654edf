/* SPDX-License-Identifier: MIT */
/*
 * move.c -- copying elements of any type between layouts.
 */
#include <string.h>

#include "base/pool.h"
#include "runtime/kernels/shared/move_p.h"

enum { MOVE_CHUNK = 1 << 16 }; /* bytes; fixed, not by thread count */

size_t elem_size(enum dtype dt)
{
	size_t bytes = dtype_bits(dt) / 8;

	return dt == DT_STRING ? sizeof(struct str) : bytes ? bytes : 1;
}

static bool is_packed(enum dtype dt)
{
	return dt != DT_STRING && dtype_bits(dt) < 8;
}

static unsigned get_bits(const struct array *a, int64_t i)
{
	unsigned bits = dtype_bits(a->dt), per = 8 / bits;
	const uint8_t *p = a->data;

	return p[i / per] >> (unsigned)(i % per) * bits & ((1u << bits) - 1);
}

enum status elems_in(struct kcall *c, const struct array *a, struct elems *e)
{
	*e = (struct elems){.p = a->data, .size = elem_size(a->dt)};
	if (!is_packed(a->dt))
		return OK;
	e->p = kcall_scratch(c, (size_t)a->n);
	if (!e->p)
		return LIMIT;
	for (int64_t i = 0; i < a->n; i++)
		e->p[i] = (uint8_t)get_bits(a, i);
	return OK;
}

enum status elems_out(struct kcall *c, struct array *a, struct elems *e)
{
	*e = (struct elems){.p = a->data, .size = elem_size(a->dt)};
	if (!is_packed(a->dt))
		return OK;
	e->packed = a;
	e->p = kcall_scratch(c, (size_t)a->n);
	return e->p ? OK : LIMIT;
}

void elems_done(struct elems *e)
{
	struct array *a = e->packed;
	unsigned bits, per;
	uint8_t *p;

	if (!a)
		return;
	bits = dtype_bits(a->dt);
	per = 8 / bits;
	p = a->data;
	memset(p, 0, a->bytes);
	for (int64_t i = 0; i < a->n; i++)
		p[i / per] |= (uint8_t)((e->p[i] & ((1u << bits) - 1))
					<< (unsigned)(i % per) * bits);
}

enum status move_out(struct kcall *c, uint32_t i, enum dtype dt, int rank,
		     const int64_t *dim, struct array **a, struct elems *e)
{
	*a = kcall_out(c, i, dt, rank, dim);
	return *a ? elems_out(c, *a, e) : LIMIT;
}

int64_t dims_product(const struct array *a, int from, int to)
{
	int64_t n = 1;

	/* Zero first: the rest might overflow only where one is zero. */
	for (int i = from; i < to; i++)
		if (a->dim[i] == 0)
			return 0;
	for (int i = from; i < to; i++)
		if (!mul_i64(n, a->dim[i], &n))
			return 0; /* another dim is zero */
	return n;
}

enum status move_rank(struct kcall *c, int rank)
{
	if (rank <= KERNEL_MAX_RANK)
		return OK;
	return kcall_error(c, E_unsupported, "rank %d is above %d", rank,
			   KERNEL_MAX_RANK);
}

/* ---- strided copies ---- */

struct move {
	int rank;
	int64_t dim[KERNEL_MAX_RANK], stride[KERNEL_MAX_RANK];
	size_t es; /* bytes of one element */
	int64_t n; /* elements */
	int64_t chunk;
	char *flat, *strided;
	bool scatter;
	int tile;
};

#define COPY_RUN(T)                                                         \
	do {                                                                \
		for (int64_t i = 0; i < n; i++)                             \
			memcpy(dst + (size_t)i * sizeof(T), src + i * step, \
			       sizeof(T));                                  \
	} while (0)

static void copy_run(char *dst, const char *src, int64_t step, int64_t n,
		     size_t es)
{
	if (step == (int64_t)es) {
		memcpy(dst, src, (size_t)n * es);
		return;
	}
	switch (es) {
	case 1:
		COPY_RUN(uint8_t);
		break;
	case 2:
		COPY_RUN(uint16_t);
		break;
	case 4:
		COPY_RUN(uint32_t);
		break;
	case 8:
		COPY_RUN(uint64_t);
		break;
	default:
		for (int64_t i = 0; i < n; i++)
			memcpy(dst + (size_t)i * es, src + i * step, es);
	}
}

static void scatter_run(char *dst, int64_t step, const char *src, int64_t n,
			size_t es)
{
	if (step == (int64_t)es)
		memcpy(dst, src, (size_t)n * es);
	else
		for (int64_t i = 0; i < n; i++)
			memcpy(dst + i * step, src + (size_t)i * es, es);
}

/* Rows of at least this many elements, read across, go tile by tile. */
enum { TILE = 16 };

#define TILE_COPY(T)                                                       \
	do {                                                               \
		for (int64_t i = 0; i < rows; i++)                         \
			for (int64_t k = 0; k < cols; k++)                 \
				memcpy(dst + (i * to + k) *                \
						       (int64_t)sizeof(T), \
				       src + i * down + k * across,        \
				       sizeof(T));                         \
	} while (0)

/* rows x cols elements; those of a row are `to` apart in dst from the next
 * row's. */
static void copy_tile(char *dst, int64_t to, const char *src, int64_t down,
		      int64_t across, int64_t rows, int64_t cols, size_t es)
{
	switch (es) {
	case 1:
		TILE_COPY(uint8_t);
		break;
	case 2:
		TILE_COPY(uint16_t);
		break;
	case 4:
		TILE_COPY(uint32_t);
		break;
	case 8:
		TILE_COPY(uint64_t);
		break;
	default:
		for (int64_t i = 0; i < rows; i++)
			for (int64_t k = 0; k < cols; k++)
				memcpy(dst + (i * to + k) * (int64_t)es,
				       src + i * down + k * across, es);
	}
}

/* The axis whose neighbours are neighbours in memory, if the innermost one
 * is not that: both are walked in tiles, so that each line of memory is
 * touched while it is near.  -1: no tiles. */
static int tile_axis(const struct move *m)
{
	int last = m->rank - 1;

	if (m->scatter || last < 1 || m->dim[last] < TILE ||
	    m->stride[last] == (int64_t)m->es || m->stride[last] == 0)
		return -1;
	for (int d = 0; d < last; d++)
		if (m->stride[d] == (int64_t)m->es && m->dim[d] >= TILE)
			return d;
	return -1;
}

/* Task i: a band of the tile axis, TILE wide, for one place of the axes
 * before it. */
static void tile_band(const struct move *m, size_t task)
{
	int t = m->tile, last = m->rank - 1;
	int64_t bands = (m->dim[t] + TILE - 1) / TILE;
	int64_t band = (int64_t)task % bands, place = (int64_t)task / bands;
	int64_t rows = m->dim[t] - band * TILE, off = 0, mid = 1, to = 1;
	int64_t flat = place * m->dim[t] + band * TILE;

	rows = rows < TILE ? rows : TILE;
	for (int d = t - 1; d >= 0; d--) {
		off += place % m->dim[d] * m->stride[d];
		place /= m->dim[d];
	}
	off += band * TILE * m->stride[t];
	for (int d = t + 1; d <= last; d++)
		to *= m->dim[d];
	mid = to / m->dim[last];
	for (int64_t q = 0; q < mid; q++) {
		int64_t at = off, rest = q;

		for (int d = last - 1; d > t; d--) {
			at += rest % m->dim[d] * m->stride[d];
			rest /= m->dim[d];
		}
		for (int64_t k = 0; k < m->dim[last]; k += TILE) {
			int64_t cols = m->dim[last] - k;

			cols = cols < TILE ? cols : TILE;
			copy_tile(m->flat + (flat * to + q * m->dim[last] + k) *
						    (int64_t)m->es,
				  to, m->strided + at + k * m->stride[last],
				  m->stride[t], m->stride[last], rows, cols,
				  m->es);
		}
	}
}

static void tile_chunk(void *arg, size_t task)
{
	tile_band(arg, task);
}

static bool move_tiles(struct move *m)
{
	size_t tasks;

	m->tile = tile_axis(m);
	if (m->tile < 0)
		return false;
	tasks = (size_t)((m->dim[m->tile] + TILE - 1) / TILE);
	for (int d = 0; d < m->tile; d++)
		tasks *= (size_t)m->dim[d];
	if (m->n >= 2 * MOVE_CHUNK)
		pool_for(tasks, tile_chunk, m);
	else
		for (size_t i = 0; i < tasks; i++)
			tile_band(m, i);
	return true;
}

/* Elements [lo, hi) of the flat side. */
static void move_range(const struct move *m, int64_t lo, int64_t hi)
{
	int64_t idx[KERNEL_MAX_RANK], off = 0, rest = lo;
	int last = m->rank - 1;

	for (int d = last; d >= 0; d--) {
		idx[d] = rest % m->dim[d];
		rest /= m->dim[d];
		off += idx[d] * m->stride[d];
	}
	while (lo < hi) {
		int64_t run = m->dim[last] - idx[last];
		char *flat = m->flat + (size_t)lo * m->es;

		run = run < hi - lo ? run : hi - lo;
		if (m->scatter)
			scatter_run(m->strided + off, m->stride[last], flat,
				    run, m->es);
		else
			copy_run(flat, m->strided + off, m->stride[last], run,
				 m->es);
		lo += run;
		off -= idx[last] * m->stride[last];
		idx[last] = 0;
		for (int d = last - 1; d >= 0; d--) {
			off += m->stride[d];
			if (++idx[d] < m->dim[d])
				break;
			off -= m->dim[d] * m->stride[d];
			idx[d] = 0;
		}
	}
}

static void move_chunk(void *arg, size_t i)
{
	const struct move *m = arg;
	int64_t lo = (int64_t)i * m->chunk, hi = lo + m->chunk;

	move_range(m, lo, hi < m->n ? hi : m->n);
}

/* Merges dims that are walked as one, so that runs are long. */
static void move_collapse(struct move *m)
{
	int w = 0;

	for (int d = 0; d < m->rank; d++) {
		if (m->dim[d] == 1)
			continue;
		if (w && m->stride[w - 1] == m->stride[d] * m->dim[d]) {
			m->dim[w - 1] *= m->dim[d];
			m->stride[w - 1] = m->stride[d];
		} else {
			m->dim[w] = m->dim[d];
			m->stride[w++] = m->stride[d];
		}
	}
	if (w == 0) {
		m->dim[0] = 1;
		m->stride[w++] = 0;
	}
	m->rank = w;
	/* An innermost contiguous run is one larger element, if it is small. */
	while (m->rank > 1 && m->stride[m->rank - 1] == (int64_t)m->es &&
	       m->dim[m->rank - 1] <= 64 &&
	       m->es * (size_t)m->dim[m->rank - 1] <= 256) {
		m->es *= (size_t)m->dim[m->rank - 1];
		m->rank--;
	}
}

static void move_go(struct move *m, const int64_t *dim, const int64_t *stride)
{
	size_t chunks;

	for (int d = 0; d < m->rank; d++)
		if (dim[d] == 0)
			return;
	memcpy(m->dim, dim, (size_t)m->rank * sizeof *dim);
	memcpy(m->stride, stride, (size_t)m->rank * sizeof *stride);
	move_collapse(m);
	m->n = 1;
	for (int d = 0; d < m->rank; d++)
		m->n *= m->dim[d];
	if (move_tiles(m))
		return;
	m->chunk = MOVE_CHUNK / (int64_t)m->es + 1;
	chunks = (size_t)((m->n + m->chunk - 1) / m->chunk);
	/* Scattered targets may overlap only where the caller wants that. */
	if (chunks >= 16 && !m->scatter)
		pool_for(chunks, move_chunk, m);
	else
		move_range(m, 0, m->n);
}

void move_strided(int rank, const int64_t *dim, size_t es, void *dst,
		  const void *src, const int64_t *stride)
{
	struct move m = {.rank = rank,
			 .es = es,
			 .flat = dst,
			 .strided = (char *)(uintptr_t)src};

	move_go(&m, dim, stride);
}

void move_scatter(int rank, const int64_t *dim, size_t es, void *dst,
		  const int64_t *stride, const void *src)
{
	struct move m = {.rank = rank,
			 .es = es,
			 .strided = dst,
			 .flat = (char *)(uintptr_t)src,
			 .scatter = true};

	move_go(&m, dim, stride);
}
