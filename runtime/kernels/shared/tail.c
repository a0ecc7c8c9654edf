/* SPDX-License-Identifier: MIT */
/*
 * tail.c -- elementwise operators over the output of another kernel.
 */
#include "runtime/kernels/elementwise/ew_p.h"

#include <string.h>

static const enum op_id heads[] = {OP_Conv, OP_Gemm, OP_MatMul, OP_Clip,
				   OP_Pow};

bool tail_head(enum op_id id)
{
	const struct ew_row *r = ew_find(id);

	for (size_t i = 0; i < countof(heads); i++)
		if (heads[i] == id)
			return true;
	return r && !(r->flags & EW_BOOL);
}

bool tail_can(const struct node *n, uint32_t into)
{
	const struct ew_row *r = ew_find(n->op->id);

	if (n->nout != 1)
		return false;
	if (n->op->id == OP_Clip)
		return into == 0;
	if (!r || !r->q || (r->flags & (EW_BOOL | EW_VARIADIC | EW_BIAS)))
		return false;
	if (n->op->in_min == 1)
		return into == 0;
	/* Version 7 brought today's broadcasting. */
	return n->op->since >= 7 && (into == 0 || n->op->id != OP_PRelu);
}

/* Sets inner and period if `a` repeats along y in a regular way: one value,
 * all of y, or one run of y's axes. */
static bool operand_fits(const struct array *a, const struct array *y,
			 struct tail_op *o)
{
	int from = 0, to = a->rank, lead = y->rank - a->rank;

	if (a->kind != ARR_TENSOR || a->dt != DT_F32 || lead < 0 || !a->n)
		return false;
	while (from < to && a->dim[from] == 1)
		from++;
	while (to > from && a->dim[to - 1] == 1)
		to--;
	for (int i = from; i < to; i++)
		if (a->dim[i] != y->dim[lead + i])
			return false;
	o->inner = 1;
	for (int i = lead + to; i < y->rank; i++)
		o->inner *= y->dim[i];
	o->period = a->n;
	o->whole = a->n == y->n;
	o->other = a->data;
	return true;
}

/* PRelu's slope must not be wider than x; here it never is. */
static enum status op_init(struct kcall *c, const struct kcall_tail *k,
			   const struct array *y, struct tail_op *o, bool *ok)
{
	struct kcall call = *c;
	const struct ew_row *r = ew_find(k->node->op->id);
	uint32_t other = 1 - k->into;

	call.node = k->node;
	call.in = k->in;
	call.nin = k->nin;
	call.in[k->into] = (struct array *)(uintptr_t)y;
	*ok = false;
	*o = (struct tail_op){.swapped = k->into == 1};
	if (!r) {
		*ok = true;
		o->fn = ew_fast(q_clip);
		return ew_clip_par(&call, &o->par);
	}
	if (k->node->op->in_min == 2 &&
	    (!k->in[other] || !operand_fits(k->in[other], y, o)))
		return OK;
	*ok = true;
	o->fn = ew_fast(r->q);
	return ew_row_par(&call, r, &o->par);
}

enum status tail_init(struct kcall *c, const struct array *y, struct tail *t)
{
	t->n = 0;
	t->heavy = false;
	for (uint32_t i = 0; i < c->ntail && i < TAIL_MAX; i++) {
		const struct ew_row *r = ew_find(c->tail[i].node->op->id);
		bool ok = y->dt == DT_F32;
		enum status st = OK;

		if (ok)
			st = op_init(c, &c->tail[i], y, &t->op[i], &ok);
		if (st || !ok)
			return st;
		t->heavy |= r && (r->flags & EW_HEAVY);
		c->taken = ++t->n;
	}
	return OK;
}

/* n times v. */
static void fill(float *dst, float v, int64_t n)
{
	const float four[4] = {v, v, v, v};
	int64_t i = 0;

	for (; i + 4 <= n; i += 4)
		memcpy(dst + i, four, sizeof four);
	for (; i < n; i++)
		dst[i] = v;
}

/* The second operand of elements [at, at + n), n <= TAIL_BLOCK. */
static const float *operand(const struct tail_op *o, int64_t at, int64_t n,
			    float *buf)
{
	int64_t p, left, k = 0;

	if (o->whole)
		return o->other + at;
	p = at / o->inner % o->period;
	if (o->inner == 1 && p + n <= o->period)
		return o->other + p;
	left = o->inner - at % o->inner;
	while (k < n) {
		int64_t run = o->period == 1 ? n : left < n - k ? left : n - k;

		fill(buf + k, o->other[p], run);
		k += run;
		left = o->inner;
		p = p + 1 == o->period ? 0 : p + 1;
	}
	return buf;
}

void tail_run(const struct tail *t, float *y, int64_t at, int64_t n)
{
	float buf[TAIL_BLOCK];

	for (int64_t end = at + n; at < end && t->n; at += TAIL_BLOCK) {
		int64_t m = end - at < TAIL_BLOCK ? end - at : TAIL_BLOCK;

		for (uint32_t i = 0; i < t->n; i++) {
			const struct tail_op *o = &t->op[i];
			const void *x[2] = {y + at, NULL};

			if (o->other)
				x[1] = operand(o, at, m, buf);
			if (o->swapped) {
				x[0] = x[1];
				x[1] = y + at;
			}
			o->fn(&o->par, (size_t)m, y + at, x);
		}
	}
}
