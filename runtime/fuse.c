/* SPDX-License-Identifier: MIT */
/*
 * fuse.c -- merges elementwise steps into the step whose result they take.
 *
 * A chain such as Conv, Add, Relu becomes one step with a tail: its kernel
 * may run the tail over each block of output that it has in cache.  The
 * operations on an element and their order stay, so do the bits.  Nothing is
 * merged where somebody wants to see every value.
 */
#include "runtime/exec_p.h"
#include "runtime/kernels/shared/tail_p.h"

/* Is the operand there before step `at` runs? */
static bool known_before(const struct body *b, const struct ref *r, uint32_t at)
{
	if (r->konst || r->up || r->slot == SLOT_NONE || r->slot < b->g->nin)
		return true;
	return b->first[r->slot] < at;
}

/* The one step that uses a slot, as its operand *into; NULL if there may be
 * other users. */
static struct step *only_user(struct body *b, uint32_t slot, uint32_t *into)
{
	struct step *s;

	if (slot == SLOT_NONE || b->value[slot]->nuse != 1 ||
	    b->value[slot]->type->dt != DT_F32 || b->last[slot] >= b->nstep)
		return NULL;
	s = &b->step[b->last[slot]];
	for (*into = 0; *into < s->n->nin; ++*into)
		if (s->in[*into].slot == slot && !s->in[*into].up &&
		    !s->in[*into].konst)
			return s;
	return NULL;
}

/* The step that may follow step `at` as the next of its tail. */
static struct step *follower(struct body *b, uint32_t at, uint32_t *into)
{
	struct step *s = only_user(b, b->step[at].out[0], into);

	if (!s || s->merged || s->ntail || !tail_can(s->n, *into) ||
	    s->out[0] == SLOT_NONE)
		return NULL;
	for (uint32_t i = 0; i < s->n->nin; i++)
		if (i != *into && !known_before(b, &s->in[i], at))
			return NULL;
	return s;
}

static void merge(struct exec *e, struct body *b, uint32_t at)
{
	struct step *s = &b->step[at], *next, *tail[TAIL_MAX];
	uint32_t into[TAIL_MAX], n = 0;

	while (n < TAIL_MAX && (next = follower(b, at, &into[n]))) {
		/* Nobody sees the value between: no place, no end. */
		b->last[s->out[0]] = UINT32_MAX;
		s->out[0] = next->out[0];
		b->first[s->out[0]] = at;
		next->out[0] = SLOT_NONE;
		next->merged = true;
		tail[n++] = next;
	}
	s->ntail = n;
	s->tail = arena_array(&e->mem, n, sizeof(struct step *));
	s->tail_in = arena_array(&e->mem, n, sizeof *s->tail_in);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t nin = tail[k]->n->nin;

		s->tail[k] = tail[k];
		s->tail_in[k] = (struct kcall_tail){
			.node = tail[k]->n,
			.in = arena_array(&e->mem, nin, sizeof(struct array *)),
			.nin = nin,
			.into = into[k],
		};
	}
}

void exec_fuse(struct exec *e, struct body *b)
{
	if (e->o.set != EXEC_FAST || e->o.hook || e->o.keep_all)
		return;
	for (uint32_t at = 0; at < b->nstep; at++) {
		struct step *s = &b->step[at];

		if (!s->merged && s->k && s->k->fast && s->n->nout == 1 &&
		    tail_head(s->n->op->id))
			merge(e, b, at);
	}
}
