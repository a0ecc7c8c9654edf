/* SPDX-License-Identifier: MIT */
/*
 * dim.c -- arithmetic on dimensions: numbers, symbolic integers, unknown.
 *
 * Symbolic values are polynomials with checked int64 coefficients over atoms
 * (dim_p.h).  What overflows or grows beyond the limits becomes unknown, so a
 * result is never wrong.  Names stand for sizes and are taken as >= 0.
 * Identities used by floor, for integers and k > 0:
 *	floor((k*q + r)/k) = q + floor(r/k)
 *	floor((g*a + r)/(g*k)) = floor((a + floor(r/g))/k)
 *	floor((floor(a/j) + c)/k) = floor((a + j*c)/(j*k))
 * (Graham, Knuth, Patashnik, Concrete Mathematics, 3.2).
 */
#include <stdlib.h>
#include <string.h>

#include "ir/dim_p.h"

static const struct dim unknown = {.n = DIM_UNKNOWN};

static int64_t floor_i64(int64_t a, int64_t k)
{
	int64_t q = a / k;

	return a % k != 0 && (a < 0) != (k < 0) ? q - 1 : q;
}

static int64_t gcd_i64(int64_t a, int64_t b)
{
	while (b) {
		int64_t t = a % b;

		a = b;
		b = t;
	}
	return a < 0 ? -a : a;
}

/* ---- polynomials ---- */

int term_cmp(const struct model *m, const struct term *a, const struct term *b)
{
	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->f[i] != b->f[i])
			return str_cmp(sym_str(m, a->f[i]),
				       sym_str(m, b->f[i]));
	return 0;
}

bool poly_add_term(const struct model *m, struct poly *p, const struct term *t)
{
	uint32_t i = 0;
	int c = -1;

	if (t->c == 0)
		return true;
	while (i < p->n && (c = term_cmp(m, t, &p->t[i])) > 0)
		i++;
	if (i < p->n && c == 0) {
		if (!add_i64(p->t[i].c, t->c, &p->t[i].c))
			return false;
		if (p->t[i].c != 0)
			return true;
		p->n--;
		memmove(&p->t[i], &p->t[i + 1], (p->n - i) * sizeof(*t));
		return true;
	}
	if (p->n == DIM_MAX_TERMS)
		return false;
	memmove(&p->t[i + 1], &p->t[i], (p->n - i) * sizeof(*t));
	p->t[i] = *t;
	p->n++;
	return true;
}

static bool poly_add_const(const struct model *m, struct poly *p, int64_t c)
{
	struct term t = {.c = c};

	return poly_add_term(m, p, &t);
}

/* p += k * q */
static bool poly_add(const struct model *m, struct poly *p,
		     const struct poly *q, int64_t k)
{
	for (uint32_t i = 0; i < q->n; i++) {
		struct term t = q->t[i];

		if (!mul_i64(t.c, k, &t.c) || !poly_add_term(m, p, &t))
			return false;
	}
	return true;
}

static bool term_mul(const struct model *m, const struct term *a,
		     const struct term *b, struct term *r)
{
	uint32_t i = 0, j = 0;

	memset(r, 0, sizeof(*r));
	if (a->n + b->n > DIM_MAX_DEGREE || !mul_i64(a->c, b->c, &r->c))
		return false;
	while (i < a->n || j < b->n) {
		bool first = j == b->n ||
			     (i < a->n && str_cmp(sym_str(m, a->f[i]),
						  sym_str(m, b->f[j])) <= 0);

		r->f[r->n++] = first ? a->f[i++] : b->f[j++];
	}
	return true;
}

/* p += a * b for one term a. */
static bool poly_add_product(const struct model *m, struct poly *p,
			     const struct term *a, const struct poly *b)
{
	struct term t;

	for (uint32_t i = 0; i < b->n; i++)
		if (!term_mul(m, a, &b->t[i], &t) || !poly_add_term(m, p, &t))
			return false;
	return true;
}

/* a / b for terms; false if b does not divide a. */
static bool term_div(const struct term *a, const struct term *b, struct term *r)
{
	uint32_t j = 0;

	memset(r, 0, sizeof(*r));
	if ((b->c == -1 && a->c == INT64_MIN) || a->c % b->c != 0)
		return false;
	r->c = a->c / b->c;
	for (uint32_t i = 0; i < a->n; i++) {
		if (j < b->n && a->f[i] == b->f[j])
			j++;
		else
			r->f[r->n++] = a->f[i];
	}
	return j == b->n;
}

static bool poly_const(const struct poly *p, int64_t *v)
{
	if (p->n > 1 || (p->n == 1 && p->t[0].n != 0))
		return false;
	*v = p->n ? p->t[0].c : 0;
	return true;
}

void poly_of(struct model *m, struct dim d, struct poly *p)
{
	p->n = 0;
	if (d.s == 0) {
		poly_add_const(m, p, d.n);
		return;
	}
	const struct expr *e = expr_of(m, d.s);

	memcpy(p->t, e->term, e->nterm * sizeof(*e->term));
	p->n = e->nterm;
}

static struct dim dim_of_text(struct model *m, struct buf *b,
			      const struct expr *e)
{
	struct dim d = unknown;

	if (b->n <= DIM_MAX_TEXT) {
		d.s = intern_str(m->syms, (struct str){b->p, b->n});
		expr_put(m, d.s, e);
	}
	buf_release(b);
	return d;
}

struct dim poly_dim(struct model *m, const struct poly *p)
{
	struct expr e = {.kind = ATOM_NONE, .nterm = p->n};
	struct buf b = {0};
	int64_t v;

	if (poly_const(p, &v) && v >= 0)
		return dim_of(v);
	if (p->n == 1 && p->t[0].c == 1 && p->t[0].n == 1)
		return (struct dim){.n = DIM_UNKNOWN, .s = p->t[0].f[0]};
	e.term = (struct term *)p->t;
	poly_text(m, &b, p);
	return dim_of_text(m, &b, &e);
}

struct dim atom_dim(struct model *m, enum atom_kind kind, const struct dim *arg,
		    uint32_t narg)
{
	struct expr e = {.kind = kind, .narg = narg};
	struct buf b = {0};

	e.arg = (struct dim *)arg;
	atom_text(m, &b, kind, arg, narg);
	return dim_of_text(m, &b, &e);
}

/* ---- the public operations ---- */

bool dim_number(struct model *m, struct dim d, int64_t *v)
{
	const struct expr *e;

	if (d.s == 0) {
		*v = d.n;
		return d.n >= 0;
	}
	e = expr_of(m, d.s);
	if (e->kind != ATOM_NONE || e->nterm != 1 || e->term[0].n != 0)
		return false;
	*v = e->term[0].c;
	return true;
}

struct dim dim_num(struct model *m, int64_t v)
{
	struct poly p = {0};

	poly_add_const(m, &p, v);
	return poly_dim(m, &p);
}

struct dim dim_sym(struct model *m, sym s)
{
	expr_of(m, s);
	return (struct dim){.n = DIM_UNKNOWN, .s = s};
}

/* a + k * b */
static struct dim dim_combine(struct model *m, struct dim a, struct dim b,
			      int64_t k)
{
	struct poly p, q;

	if (dim_unknown(a) || dim_unknown(b))
		return unknown;
	poly_of(m, a, &p);
	poly_of(m, b, &q);
	return poly_add(m, &p, &q, k) ? poly_dim(m, &p) : unknown;
}

struct dim dim_add(struct model *m, struct dim a, struct dim b)
{
	return dim_combine(m, a, b, 1);
}

struct dim dim_sub(struct model *m, struct dim a, struct dim b)
{
	return dim_combine(m, a, b, -1);
}

struct dim dim_mul(struct model *m, struct dim a, struct dim b)
{
	struct poly p, q, r = {0};

	if ((dim_known(a) && a.n == 0) || (dim_known(b) && b.n == 0))
		return dim_of(0);
	if (dim_unknown(a) || dim_unknown(b))
		return unknown;
	poly_of(m, a, &p);
	poly_of(m, b, &q);
	for (uint32_t i = 0; i < p.n; i++)
		if (!poly_add_product(m, &r, &p.t[i], &q))
			return unknown;
	return poly_dim(m, &r);
}

/* Division with remainder 0 by the leading terms of a graded order. */
static bool poly_divexact(const struct model *m, struct poly *a,
			  const struct poly *b, struct poly *q)
{
	q->n = 0;
	while (a->n) {
		struct term t, neg;

		if (!term_div(&a->t[0], &b->t[0], &t) || q->n == DIM_MAX_TERMS)
			return false;
		neg = t;
		if (!mul_i64(t.c, -1, &neg.c) ||
		    !poly_add_product(m, a, &neg, b) ||
		    !poly_add_term(m, q, &t))
			return false;
	}
	return true;
}

struct dim dim_divexact(struct model *m, struct dim a, struct dim b)
{
	struct poly p, q, r;

	if (dim_unknown(a) || dim_unknown(b))
		return unknown;
	poly_of(m, a, &p);
	poly_of(m, b, &q);
	if (q.n == 0 || !poly_divexact(m, &p, &q, &r))
		return unknown;
	return poly_dim(m, &r);
}

/* floor((floor(a/j) + c)/k), if r has that form with a number j. */
static bool floor_nested(struct model *m, const struct poly *r, int64_t k,
			 struct dim *out)
{
	const struct expr *e;
	int64_t j, jk, c = r->n > 1 ? r->t[1].c : 0;

	if (r->n == 0 || r->n > 2 || r->t[0].n != 1 || r->t[0].c != 1 ||
	    (r->n == 2 && r->t[1].n != 0))
		return false;
	e = expr_of(m, r->t[0].f[0]);
	if (e->kind != ATOM_FLOOR || !dim_number(m, e->arg[1], &j) || j <= 0 ||
	    !mul_i64(j, k, &jk) || !mul_i64(j, c, &c))
		return false;
	*out = dim_floordiv(m, dim_add(m, e->arg[0], dim_num(m, c)),
			    dim_of(jk));
	return true;
}

/* Divides r, whose coefficients lie in [0, k), by its common factor with k. */
static void reduce(struct poly *r, int64_t *k)
{
	int64_t g = *k;

	for (uint32_t i = 0; i < r->n; i++)
		if (r->t[i].n)
			g = gcd_i64(g, r->t[i].c);
	for (uint32_t i = 0; i < r->n; i++)
		r->t[i].c /= g;
	if (r->n && r->t[r->n - 1].c == 0) /* a constant below g */
		r->n--;
	*k /= g;
}

static struct dim floor_by(struct model *m, const struct poly *p, int64_t k)
{
	struct poly q = {0}, r = {0};
	struct dim part[2];
	int64_t v;

	for (uint32_t i = 0; i < p->n; i++) {
		struct term t = p->t[i], u = t;

		t.c = floor_i64(u.c, k);
		/* the product may overflow, the remainder is below k */
		u.c = (int64_t)((uint64_t)u.c - (uint64_t)t.c * (uint64_t)k);
		if (!poly_add_term(m, &q, &t) || !poly_add_term(m, &r, &u))
			return unknown;
	}
	if (poly_const(&r, &v))
		return poly_dim(m, &q);
	reduce(&r, &k);
	if (k == 1)
		part[0] = poly_dim(m, &r);
	else if (!floor_nested(m, &r, k, &part[0])) {
		part[0] = poly_dim(m, &r);
		part[1] = dim_of(k);
		if (dim_unknown(part[0]))
			return unknown;
		part[0] = atom_dim(m, ATOM_FLOOR, part, 2);
	}
	return dim_add(m, poly_dim(m, &q), part[0]);
}

struct dim dim_floordiv(struct model *m, struct dim a, struct dim b)
{
	struct dim exact, arg[2] = {a, b};
	struct poly p;
	int64_t k;

	if (dim_unknown(a) || dim_unknown(b))
		return unknown;
	if (dim_number(m, b, &k)) {
		if (k == 0 || k == INT64_MIN)
			return unknown;
		poly_of(m, k < 0 ? dim_sub(m, dim_of(0), a) : a, &p);
		return floor_by(m, &p, k < 0 ? -k : k);
	}
	exact = dim_divexact(m, a, b);
	if (!dim_unknown(exact))
		return exact;
	arg[0].denotation = arg[1].denotation = 0;
	return atom_dim(m, ATOM_FLOOR, arg, 2);
}

struct dim dim_ceildiv(struct model *m, struct dim a, struct dim b)
{
	struct dim neg;
	int64_t k;

	if (dim_number(m, b, &k) && k > 0)
		return dim_floordiv(m, dim_add(m, a, dim_num(m, k - 1)), b);
	neg = dim_floordiv(m, dim_sub(m, dim_of(0), a), b);
	return dim_sub(m, dim_of(0), neg);
}

struct dim dim_mod(struct model *m, struct dim a, struct dim b)
{
	return dim_sub(m, a, dim_mul(m, b, dim_floordiv(m, a, b)));
}

bool dim_equal(struct dim a, struct dim b)
{
	return !dim_unknown(a) && a.s == b.s && (a.s != 0 || a.n == b.n);
}

void dim_print(const struct model *m, struct buf *b, struct dim d)
{
	struct str s = sym_str(m, d.s);

	if (d.s)
		buf_add(b, s.p, s.n);
	else if (d.n < 0)
		buf_putc(b, '?');
	else
		buf_printf(b, "%lld", (long long)d.n);
}
