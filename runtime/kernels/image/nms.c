/* SPDX-License-Identifier: MIT */
/*
 * nms.c -- NonMaxSuppression: per class the best boxes, none of which overlaps
 * a better one too much.
 *
 * Areas are computed in float, as runtimes do: whether an overlap equals the
 * threshold depends on it.  O(boxes * chosen) per class.
 */
#include "runtime/kernels/shared/nn_p.h"

struct box {
	float y0, x0, y1, x1, area;
};

struct candidate {
	float score;
	int64_t at;
};

struct nms {
	int64_t batch, classes, n; /* n boxes */
	int64_t most;              /* per class */
	float overlap, least;
	bool has_least, center;
	struct box *box;        /* of one batch */
	struct candidate *cand; /* of one class */
	int64_t *chosen;        /* those of one class */
	int64_t *found, nfound; /* triples */
};

static enum status nms_shapes(struct kcall *c, struct nms *t)
{
	const struct array *b, *s;
	enum status st = nn_floats(c, 2, 2);

	for (uint32_t j = 0; st == OK && j < 2; j++)
		st = nn_rank(c, j, 3, 3);
	if (st != OK)
		return st;
	b = c->in[0];
	s = c->in[1];
	if (b->dim[2] != 4 || s->dim[0] != b->dim[0] || s->dim[2] != b->dim[1])
		return kcall_error(c, E_shape,
				   "boxes %lld x %lld x %lld and scores %lld x "
				   "%lld x %lld do not fit",
				   (long long)b->dim[0], (long long)b->dim[1],
				   (long long)b->dim[2], (long long)s->dim[0],
				   (long long)s->dim[1], (long long)s->dim[2]);
	t->batch = b->dim[0];
	t->n = b->dim[1];
	t->classes = s->dim[1];
	return OK;
}

static enum status nms_params(struct kcall *c, struct nms *t)
{
	double overlap, least;
	enum status st = kcall_int(c, 2, 0, &t->most);

	if (st == OK)
		st = kcall_float(c, 3, 0, &overlap);
	if (st == OK)
		st = kcall_float(c, 4, 0, &least);
	if (st != OK)
		return st;
	if (!(overlap >= 0 && overlap <= 1))
		return kcall_error(c, E_value, "iou_threshold is %g", overlap);
	t->most = min64(max64(t->most, 0), t->n);
	t->overlap = (float)overlap;
	t->least = (float)least;
	t->has_least = kcall_has(c, 4);
	t->center = node_attr_int(c->node, "center_point_box", 0) != 0;
	return OK;
}

static struct box box_of(const struct nms *t, const double *v)
{
	float a = (float)v[0], b = (float)v[1];
	float p = (float)v[2], q = (float)v[3];
	struct box r;

	if (t->center) /* x, y, width, height */
		r = (struct box){b - q / 2, a - p / 2, b + q / 2, a + p / 2, 0};
	else
		r = (struct box){a < p ? a : p, b < q ? b : q, a < p ? p : a,
				 b < q ? q : b, 0};
	r.area = (r.x1 - r.x0) * (r.y1 - r.y0);
	return r;
}

static bool too_close(const struct nms *t, const struct box *a,
		      const struct box *b)
{
	float y0 = a->y0 > b->y0 ? a->y0 : b->y0;
	float x0 = a->x0 > b->x0 ? a->x0 : b->x0;
	float y1 = a->y1 < b->y1 ? a->y1 : b->y1;
	float x1 = a->x1 < b->x1 ? a->x1 : b->x1;
	float both, all;

	if (!(y1 > y0 && x1 > x0))
		return false;
	both = (x1 - x0) * (y1 - y0);
	all = a->area + b->area - both;
	if (!(both > 0 && a->area > 0 && b->area > 0 && all > 0))
		return false;
	return both / all > t->overlap;
}

/* Is a to come before b?  NaN last; of equals the first. */
static bool before(const struct candidate *a, const struct candidate *b)
{
	bool na = a->score != a->score, nb = b->score != b->score;

	if (na != nb)
		return nb;
	if (!na && a->score != b->score)
		return a->score > b->score;
	return a->at < b->at;
}

/* Lets candidate i of a heap of n sink to its place. */
static void sink(struct candidate *h, int64_t i, int64_t n)
{
	struct candidate v = h[i];

	for (int64_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && before(&h[k + 1], &h[k]))
			k++;
		if (!before(&h[k], &v))
			break;
		h[i] = h[k];
	}
	h[i] = v;
}

/* A heap with the best on top: few of many are looked at. */
static int64_t candidates(const struct nms *t, const double *score)
{
	int64_t n = 0;

	for (int64_t i = 0; i < t->n; i++)
		if (!t->has_least || (float)score[i] > t->least)
			t->cand[n++] = (struct candidate){(float)score[i], i};
	for (int64_t i = n / 2 - 1; i >= 0; i--)
		sink(t->cand, i, n);
	return n;
}

static void one_class(struct nms *t, int64_t batch, int64_t class,
		      const double *score)
{
	int64_t n = candidates(t, score), k = 0;

	while (n > 0 && k < t->most && limit_time_ok()) {
		int64_t at = t->cand[0].at, j = 0;

		t->cand[0] = t->cand[--n];
		sink(t->cand, 0, n);
		while (j < k &&
		       !too_close(t, &t->box[at], &t->box[t->chosen[j]]))
			j++;
		if (j < k)
			continue;
		t->chosen[k++] = at;
		t->found[3 * t->nfound] = batch;
		t->found[3 * t->nfound + 1] = class;
		t->found[3 * t->nfound++ + 2] = at;
	}
}

static enum status nms_run(struct kcall *c, struct nms *t)
{
	const double *box = nn_load(c, 0), *score = nn_load(c, 1);
	int64_t n;

	/* Both inputs being there, only the product can overflow. */
	if (!mul_i64(t->batch * t->classes, 3 * t->most, &n))
		return kcall_error(c, E_dims, "dimensions overflow");
	t->box = nn_scratch(c, t->n, sizeof *t->box);
	t->cand = nn_scratch(c, t->n, sizeof *t->cand);
	t->chosen = nn_scratch(c, t->most, sizeof *t->chosen);
	t->found = nn_scratch(c, n, sizeof *t->found);
	if (!box || !score || !t->box || !t->cand || !t->chosen || !t->found)
		return LIMIT;
	for (int64_t b = 0; b < t->batch; b++) {
		for (int64_t i = 0; i < t->n; i++)
			t->box[i] = box_of(t, box + (b * t->n + i) * 4);
		for (int64_t k = 0; k < t->classes; k++)
			one_class(t, b, k, score + (b * t->classes + k) * t->n);
	}
	if (!limit_time_ok())
		return kcall_error(c, E_time, "the time limit was reached");
	return OK;
}

enum status k_non_max_suppression(struct kcall *c)
{
	struct nms t = {0};
	struct array *y;
	int64_t *out;
	enum status st = nms_shapes(c, &t);

	if (st == OK)
		st = nms_params(c, &t);
	if (st == OK && c->in[0]->n > 0 && c->in[1]->n > 0 && t.most > 0)
		st = nms_run(c, &t);
	if (st != OK)
		return st;
	y = kcall_out(c, 0, DT_I64, 2, (int64_t[]){t.nfound, 3});
	if (!y)
		return LIMIT;
	out = y->data;
	for (int64_t i = 0; i < 3 * t.nfound; i++)
		out[i] = t.found[i];
	return OK;
}
