/* SPDX-License-Identifier: MIT */
/*
 * ml_svm.c -- SVMRegressor, SVMClassifier.
 *
 * Kernel values of a row run side by side over the support vectors, in order
 * of the features.  Classes vote in pairs (one against one), as in LIBSVM;
 * probabilities of pairs are coupled as in Wu, Lin, Weng: Probability
 * Estimates for Multi-class Classification by Pairwise Coupling, JMLR 5, 2004.
 */
#include <math.h>

#include "runtime/kernels/ml/ml_p.h"
#include "runtime/kernels/shared/nn_p.h"
#include "runtime/mathd.h"

enum svm_kernel { SVM_LINEAR, SVM_POLY, SVM_RBF, SVM_SIGMOID };

struct svm {
	struct ml_rows r;
	enum svm_kernel kernel;
	double gamma, coef0, degree;
	enum ml_post post;
	int64_t nv;            /* support vectors; 0: linear */
	const double *vectors; /* [features, nv] */
	const double *coef;    /* [classes - 1, nv]; linear: [classes, f] */
	const double *rho;
	size_t ncoef, nrho;
	bool one_class;
	/* classification */
	struct ml_list labels;
	int64_t k, pairs;
	const int64_t *first;  /* of each class: its vectors; k + 1 */
	const double *pa, *pb; /* NULL: no probabilities */
	bool positive;         /* no coefficient below 0 */
	struct array *label;   /* NULL: regression */
	struct array *y;       /* scores */
	int64_t wide;          /* ... of a row */
};

/* ---- parameters ---- */

static enum status kernel_attr(struct kcall *c, struct svm *s)
{
	static const char *const names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
	struct str name = node_attr_str(c->node, "kernel_type", "LINEAR");
	struct ml_list p;
	size_t i = 0;
	enum status st = ml_numbers(c, "kernel_params", &p);

	while (i < countof(names) && !str_is(name, names[i]))
		i++;
	if (!st && i == countof(names))
		st = kcall_error(c, E_attr, "kernel_type is unknown");
	if (!st && p.n && p.n != 3)
		st = kcall_error(c, E_attr, "kernel_params are not three");
	s->kernel = (enum svm_kernel)i;
	if (st || p.n == 0)
		return st;
	s->gamma = ml_f64(&p, 0);
	s->coef0 = ml_f64(&p, 1);
	s->degree = ml_f64(&p, 2);
	return OK;
}

static enum status doubles(struct kcall *c, const char *name, const double **v,
			   size_t *n)
{
	struct ml_list l;
	enum status st = ml_numbers(c, name, &l);

	*n = st ? 0 : l.n;
	*v = *n ? ml_doubles(c, &l) : NULL;
	return st ? st : *v || !*n ? OK : LIMIT;
}

static void make_vectors(struct kcall *c, void *dst)
{
	int64_t f = c->in[0]->dim[c->in[0]->rank - 1], nv;
	struct ml_list l;
	double *v = dst;

	if (ml_numbers(c, "support_vectors", &l))
		return;
	nv = (int64_t)l.n / f;
	for (int64_t i = 0; i < nv; i++)
		for (int64_t j = 0; j < f; j++)
			v[j * nv + i] = ml_f64(&l, (size_t)(i * f + j));
}

/* The vectors fix the number of features. */
static enum status vectors(struct kcall *c, struct svm *s)
{
	struct ml_list l;
	int64_t n;
	enum status st = ml_numbers(c, "support_vectors", &l);

	if (st || s->nv == 0)
		return st;
	if (s->r.f == 0 || !mul_i64(s->nv, s->r.f, &n) || (int64_t)l.n != n)
		return kcall_error(c, E_shape,
				   "%lld support vectors of %lld features, but "
				   "%zu numbers",
				   (long long)s->nv, (long long)s->r.f, l.n);
	s->vectors = kcall_cached(c, l.n * sizeof(double), make_vectors);
	return s->vectors ? OK : LIMIT;
}

static enum status prepare(struct kcall *c, struct svm *s)
{
	enum status st = ml_rows(c, &s->r);

	if (!st)
		st = kernel_attr(c, s);
	if (!st)
		st = ml_post_attr(c, &s->post);
	if (!st)
		st = vectors(c, s);
	if (!st)
		st = doubles(c, "coefficients", &s->coef, &s->ncoef);
	if (!st)
		st = doubles(c, "rho", &s->rho, &s->nrho);
	if (!st && (s->ncoef == 0 || s->nrho == 0))
		st = kcall_error(c, E_attr, "coefficients or rho are missing");
	if (!st && s->nv == 0)
		s->kernel = SVM_LINEAR;
	return st;
}

static enum status need(struct kcall *c, const char *name, size_t have,
			int64_t want)
{
	if ((int64_t)have == want)
		return OK;
	return kcall_error(c, E_attr, "attribute %s has %zu values, not %lld",
			   name, have, (long long)want);
}

/* ---- kernels ---- */

static double power(double v, double degree)
{
	double p = 1;

	if (degree != floor(degree) || degree < 0 || degree > 64)
		return md_pow(v, degree);
	for (int i = 0; i < (int)degree; i++)
		p *= v;
	return p;
}

static double kernel_end(const struct svm *s, double v)
{
	switch (s->kernel) {
	case SVM_POLY:
		return power(s->gamma * v + s->coef0, s->degree);
	case SVM_RBF:
		return md_exp(-s->gamma * v);
	case SVM_SIGMOID:
		return md_tanh(s->gamma * v + s->coef0);
	case SVM_LINEAR:
		break;
	}
	return v;
}

/* K(x, every support vector) */
static void kernel_row(const struct svm *s, const double *x, double *y)
{
	for (int64_t k = 0; k < s->nv; k++)
		y[k] = 0;
	for (int64_t j = 0; j < s->r.f; j++) {
		const double *v = s->vectors + j * s->nv, e = x[j];

		if (s->kernel == SVM_RBF)
			for (int64_t k = 0; k < s->nv; k++)
				y[k] += (e - v[k]) * (e - v[k]);
		else
			for (int64_t k = 0; k < s->nv; k++)
				y[k] += e * v[k];
	}
	for (int64_t k = 0; k < s->nv; k++)
		y[k] = kernel_end(s, y[k]);
}

static double dot(const double *a, const double *b, int64_t n)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* ---- regression ---- */

static void regress(void *arg, int64_t from, int64_t to, double *x)
{
	const struct svm *s = arg;
	double *kernel = x + s->r.f, y;

	for (int64_t i = from; i < to; i++) {
		ml_row(&s->r, i, x);
		if (s->nv)
			kernel_row(s, x, kernel);
		y = s->rho[0] + (s->nv ? dot(s->coef, kernel, s->nv)
				       : dot(s->coef, x, s->r.f));
		if (s->one_class)
			y = y > 0 ? 1 : -1;
		else
			ml_post(s->post, &y, 1);
		nn_save_range(s->y, i, 1, &y);
	}
}

/* each: numbers that a row needs besides its features and scores. */
static enum status run(struct kcall *c, struct svm *s, ml_rows_fn *rows,
		       int64_t each, uint32_t out)
{
	int64_t dim[2] = {s->r.n, s->wide};
	double cost = (double)s->r.f * (double)(s->nv + s->k + 1) +
		      20 * (double)(s->nv + s->pairs);

	s->y = kcall_out(c, out, DT_F32, 2, dim);
	return s->y ? ml_blocks(c, s->r.n, cost, s->r.f + s->wide + each, rows,
				s)
		    : LIMIT;
}

enum status k_ml_svm_regressor(struct kcall *c)
{
	struct svm s = {
		.nv = node_attr_int(c->node, "n_supports", 0),
		.one_class = node_attr_int(c->node, "one_class", 0) != 0,
		.wide = 1,
	};
	enum status st = OK;

	if (s.nv < 0)
		st = kcall_error(c, E_value, "n_supports is negative");
	if (!st)
		st = prepare(c, &s);
	if (!st)
		st = need(c, "coefficients", s.ncoef, s.nv ? s.nv : s.r.f);
	return st ? st : run(c, &s, regress, s.nv, 0);
}

/* ---- classification ---- */

/* Scores of all pairs of classes, and their votes. */
static void vote(const struct svm *s, const double *kernel, double *score,
		 int64_t *votes)
{
	for (int64_t i = 0; i < s->k; i++)
		votes[i] = 0;
	for (int64_t i = 0, pair = 0; i < s->k; i++)
		for (int64_t j = i + 1; j < s->k; j++, pair++) {
			int64_t a = s->first[i], b = s->first[j];
			double sum = dot(s->coef + (j - 1) * s->nv + a,
					 kernel + a, s->first[i + 1] - a);

			sum += dot(s->coef + i * s->nv + b, kernel + b,
				   s->first[j + 1] - b);
			score[pair] = sum + s->rho[pair];
			votes[score[pair] > 0 ? i : j]++;
		}
}

/*
 * p [k] from the pairwise probabilities r [k, k]: minimizes
 * sum over i != j of (r[j,i] p[i] - r[i,j] p[j])^2, as LIBSVM iterates.
 * q: k * k + k doubles.
 */
static void couple(int64_t k, const double *r, double *p, double *q)
{
	double *qp = q + k * k;

	for (int64_t i = 0; i < k; i++) {
		p[i] = 1.0 / (double)k;
		q[i * k + i] = 0;
		for (int64_t j = 0; j < k; j++) {
			double v = r[j * k + i];

			if (j == i)
				continue;
			q[i * k + i] += v * v;
			q[i * k + j] = -v * r[i * k + j];
		}
	}
	for (int loop = 0; loop < 100; loop++) {
		double pqp = 0, worst = 0;

		for (int64_t i = 0; i < k; i++) {
			qp[i] = dot(q + i * k, p, k);
			pqp += p[i] * qp[i];
		}
		for (int64_t i = 0; i < k; i++)
			worst = fmax(worst, fabs(qp[i] - pqp));
		if (worst < 0.005 / (double)k)
			break;
		for (int64_t i = 0; i < k; i++) {
			double d = (pqp - qp[i]) / q[i * k + i];

			p[i] += d;
			pqp = (pqp + d * (d * q[i * k + i] + 2 * qp[i])) /
			      (1 + d) / (1 + d);
			for (int64_t j = 0; j < k; j++) {
				qp[j] = (qp[j] + d * q[i * k + j]) / (1 + d);
				p[j] /= 1 + d;
			}
		}
	}
}

/* Platt's sigmoid of each pair's score, coupled. */
static void probabilities(const struct svm *s, const double *score, double *p,
			  double *tmp)
{
	double *r = tmp, *q = tmp + s->k * s->k;

	for (int64_t i = 0, pair = 0; i < s->k; i++)
		for (int64_t j = i + 1; j < s->k; j++, pair++) {
			double v = s->pa[pair] * score[pair] + s->pb[pair];

			v = fmin(fmax(md_sigmoid(-v), 1e-7), 1 - 1e-7);
			r[i * s->k + j] = v;
			r[j * s->k + i] = 1 - v;
		}
	couple(s->k, r, p, q);
}

static int64_t largest(const double *v, int64_t n)
{
	int64_t best = 0;

	for (int64_t i = 1; i < n; i++)
		if (v[i] > v[best])
			best = i;
	return best;
}

/* Without support vectors: a score per class.  Of two classes the second
 * wins whenever the larger score says yes. */
static int64_t linear_class(const struct svm *s, const double *y)
{
	int64_t best = largest(y, s->k);

	if (s->k == 2 && (s->positive ? y[best] >= 0.5 : y[best] > 0))
		return 1;
	return best;
}

static int64_t voted_class(const struct svm *s, const double *x, double *y,
			   double *tmp)
{
	double *kernel = tmp, *score = kernel + s->nv;
	double *more = score + s->pairs;
	int64_t *votes = (int64_t *)more, best = 0;

	kernel_row(s, x, kernel);
	vote(s, kernel, score, votes);
	for (int64_t i = 1; i < s->k; i++)
		if (votes[i] > votes[best])
			best = i;
	if (s->pa)
		probabilities(s, score, y, more);
	else
		for (int64_t i = 0; i < s->pairs; i++)
			y[i] = score[i];
	return best;
}

static void classify(void *arg, int64_t from, int64_t to, double *x)
{
	const struct svm *s = arg;
	double *y = x + s->r.f, *tmp = y + s->wide;

	for (int64_t i = from; i < to; i++) {
		int64_t best;

		ml_row(&s->r, i, x);
		for (int64_t k = 0; !s->nv && k < s->k; k++)
			y[k] = s->rho[0] + dot(s->coef + k * s->r.f, x, s->r.f);
		best = s->nv ? voted_class(s, x, y, tmp) : linear_class(s, y);
		ml_put_label(s->label, &s->labels, i, best);
		if (s->nv && !s->pa && s->k == 2)
			ml_post_pair(s->post, y[0], s->post == ML_NONE, y);
		else
			ml_post(s->post, y, s->wide);
		nn_save_range(s->y, i * s->wide, s->wide, y);
	}
}

/* vectors_per_class, summed up. */
static enum status class_vectors(struct kcall *c, struct svm *s)
{
	struct ml_list l;
	int64_t *first;
	enum status st = ml_numbers(c, "vectors_per_class", &l);

	if (st)
		return st;
	first = nn_scratch(c, (int64_t)l.n + 1, sizeof *first);
	if (!first)
		return LIMIT;
	first[0] = 0;
	for (size_t i = 0; i < l.n; i++) {
		int64_t n = ml_i64(&l, i);

		if (n < 0 || !add_i64(first[i], n, &first[i + 1]))
			return kcall_error(c, E_value,
					   "vectors_per_class is negative");
	}
	s->first = first;
	s->nv = first[l.n];
	return s->nv == 0 ? OK : need(c, "vectors_per_class", l.n, s->k);
}

/* Lengths of all that pairs and classes have. */
static enum status class_sizes(struct kcall *c, struct svm *s)
{
	size_t na, nb;
	int64_t want;
	enum status st = doubles(c, "prob_a", &s->pa, &na);

	if (!st)
		st = doubles(c, "prob_b", &s->pb, &nb);
	if (st)
		return st;
	if (s->k > 65535 || (s->nv && s->k < 2))
		return kcall_error(c, E_value, "%lld classes", (long long)s->k);
	s->pairs = s->nv ? s->k * (s->k - 1) / 2 : 0;
	if (!s->nv)
		s->pa = s->pb = NULL;
	if (!mul_i64(s->nv ? s->k - 1 : s->k, s->nv ? s->nv : s->r.f, &want))
		return kcall_error(c, E_value, "too many coefficients");
	st = need(c, "coefficients", s->ncoef, want);
	if (!st && s->nv)
		st = need(c, "rho", s->nrho, s->pairs);
	if (!st && (s->pa || s->pb)) {
		st = need(c, "prob_a", na, s->pairs);
		if (!st)
			st = need(c, "prob_b", nb, s->pairs);
	}
	return st;
}

enum status k_ml_svm_classifier(struct kcall *c)
{
	struct svm s = {.nv = 0};
	enum status st = ml_labels(c, "classlabels_ints", &s.labels);

	s.k = (int64_t)s.labels.n;
	if (!st)
		st = class_vectors(c, &s);
	if (!st)
		st = prepare(c, &s);
	if (!st)
		st = class_sizes(c, &s);
	if (st)
		return st;
	s.positive = true;
	for (size_t i = 0; i < s.ncoef; i++)
		s.positive = s.positive && s.coef[i] >= 0;
	s.wide = !s.nv || s.pa || s.k == 2 ? s.k : s.pairs;
	s.label = ml_label_out(c, &s.labels, s.r.n);
	if (!s.label)
		return LIMIT;
	return run(c, &s, classify,
		   s.nv + s.pairs + s.k + (s.pa ? 2 * s.k * s.k : 0), 1);
}
