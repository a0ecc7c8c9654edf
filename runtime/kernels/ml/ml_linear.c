/* SPDX-License-Identifier: MIT */
/*
 * ml_linear.c -- LinearRegressor, LinearClassifier: X W' + b in double.
 *
 * The sums of a row run side by side over the targets, in order of the
 * features.
 */
#include "runtime/kernels/ml/ml_p.h"
#include "runtime/kernels/shared/nn_p.h"

struct linear {
	struct ml_rows r;
	int64_t k;       /* targets */
	const double *w; /* [features, targets] */
	const double *b; /* NULL: none */
	enum ml_post post;
	int64_t wide;        /* scores of a row */
	struct array *label; /* NULL: regression */
	struct array *y;     /* scores */
	struct ml_list labels;
};

/* Transposed, so that the inner loop runs over targets. */
struct weights {
	int64_t f; /* features */
	double w[];
};

static void make_weights(struct kcall *c, void *dst)
{
	struct weights *to = dst;
	struct ml_list l;
	int64_t k;

	to->f = c->in[0]->dim[c->in[0]->rank - 1];
	if (ml_numbers(c, "coefficients", &l))
		return;
	k = (int64_t)l.n / to->f;
	for (int64_t i = 0; i < k; i++)
		for (int64_t j = 0; j < to->f; j++)
			to->w[j * k + i] = ml_f64(&l, (size_t)(i * to->f + j));
}

/* Made once, and anew for a call with another number of features. */
static const double *weights(struct kcall *c, size_t n, int64_t f)
{
	size_t bytes = sizeof(struct weights) + n * sizeof(double);
	struct weights *w = kcall_cached(c, bytes, make_weights);

	if (w && w->f != f) {
		w = kcall_scratch_dirty(c, bytes);
		if (w)
			make_weights(c, w);
	}
	return w ? w->w : NULL;
}

/* k < 0: as many targets as there are rows of coefficients. */
static enum status prepare(struct kcall *c, struct linear *m, int64_t k)
{
	struct ml_list coef, bias;
	enum status st = ml_rows(c, &m->r);

	if (!st)
		st = ml_numbers(c, "coefficients", &coef);
	if (!st)
		st = ml_numbers(c, "intercepts", &bias);
	if (!st)
		st = ml_post_attr(c, &m->post);
	if (st)
		return st;
	if (m->r.f == 0 || coef.n == 0 || coef.n % (size_t)m->r.f ||
	    (k >= 0 && (int64_t)coef.n / m->r.f != k))
		return kcall_error(c, E_shape,
				   "%zu coefficients for %lld features", coef.n,
				   (long long)m->r.f);
	m->k = (int64_t)coef.n / m->r.f;
	if (bias.n && (int64_t)bias.n != m->k)
		return kcall_error(c, E_shape,
				   "%zu intercepts for %lld targets", bias.n,
				   (long long)m->k);
	m->w = weights(c, coef.n, m->r.f);
	m->b = bias.n ? ml_doubles(c, &bias) : NULL;
	return m->w && (m->b || !bias.n) ? OK : LIMIT;
}

static void scores_of(const struct linear *m, const double *x, double *y)
{
	for (int64_t k = 0; k < m->k; k++)
		y[k] = 0;
	for (int64_t j = 0; j < m->r.f; j++) {
		const double *w = m->w + j * m->k, v = x[j];

		for (int64_t k = 0; k < m->k; k++)
			y[k] += v * w[k];
	}
	for (int64_t k = 0; m->b && k < m->k; k++)
		y[k] += m->b[k];
}

/* Two classes by one score, or the class of the largest score. */
static int64_t top_class(const struct linear *m, const double *y)
{
	int64_t best = 0;

	if (m->k == 1)
		return y[0] > 0;
	for (int64_t k = 1; k < m->k; k++)
		if (y[k] > y[best])
			best = k;
	return best;
}

static void run_rows(void *arg, int64_t from, int64_t to, double *x)
{
	const struct linear *m = arg;
	double *y = x + m->r.f;

	for (int64_t i = from; i < to; i++) {
		ml_row(&m->r, i, x);
		scores_of(m, x, y);
		if (m->label)
			ml_put_label(m->label, &m->labels, i, top_class(m, y));
		if (m->wide > m->k)
			ml_post_pair(m->post, y[0], false, y);
		else
			ml_post(m->post, y, m->k);
		nn_save_range(m->y, i * m->wide, m->wide, y);
	}
}

static enum status run(struct kcall *c, struct linear *m, uint32_t out)
{
	int64_t dim[2] = {m->r.n, m->wide};

	m->y = kcall_out(c, out, DT_F32, 2, dim);
	return m->y ? ml_blocks(c, m->r.n, (double)m->r.f * (double)m->k,
				m->r.f + m->wide, run_rows, m)
		    : LIMIT;
}

enum status k_ml_linear_regressor(struct kcall *c)
{
	int64_t targets = node_attr_int(c->node, "targets", 1);
	struct linear m = {.label = NULL};
	enum status st;

	if (targets < 1)
		return kcall_error(c, E_value, "%lld targets",
				   (long long)targets);
	st = prepare(c, &m, targets);
	m.wide = m.k;
	return st ? st : run(c, &m, 0);
}

/* One score decides between two labels. */
static enum status need_labels(struct kcall *c, struct linear *m)
{
	enum status st = ml_labels(c, "classlabels_ints", &m->labels);

	m->wide = m->k == 1 ? 2 : m->k;
	if (!st && (int64_t)m->labels.n < m->wide)
		st = kcall_error(c, E_attr, "%zu labels for %lld classes",
				 m->labels.n, (long long)m->wide);
	return st;
}

enum status k_ml_linear_classifier(struct kcall *c)
{
	struct linear m = {.label = NULL};
	enum status st = prepare(c, &m, -1);

	if (!st)
		st = need_labels(c, &m);
	if (st)
		return st;
	m.label = ml_label_out(c, &m.labels, m.r.n);
	if (!m.label)
		return LIMIT;
	return run(c, &m, 1);
}
