/* SPDX-License-Identifier: MIT */
/*
 * print_tensor.c -- numbers and tensors in the ONNX text syntax.
 *
 * A float is printed with as few digits as read back to the same bits; what
 * no decimal gives back (NaN payloads) is printed as bits, "0x7fc00001".
 * The caller has set the "C" locale.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ir/print_p.h"

/* Digits to try; the last always suffices. */
static void digits_of(enum dtype dt, int *from, int *to)
{
	*from = dt == DT_F64 ? 15 : dt == DT_F32 ? 6 : 1;
	*to = dt == DT_F32 ? 9 : 17;
}

static uint64_t bits_at(const uint8_t *p, size_t i, unsigned bits)
{
	uint64_t v = 0;

	if (bits < 8)
		return (unsigned)(p[i * bits / 8] >> (i * bits % 8)) &
		       ((1u << bits) - 1);
	memcpy(&v, p + i * (bits / 8), bits / 8);
	return v;
}

/* The bits that the parser makes of text. */
static uint64_t bits_of_text(enum dtype dt, const char *text)
{
	uint8_t raw[8] = {0};
	float f;
	double d;

	if (dt == DT_F32) {
		f = strtof(text, NULL);
		memcpy(raw, &f, sizeof f);
	} else if (dt == DT_F64) {
		d = strtod(text, NULL);
		memcpy(raw, &d, sizeof d);
	} else {
		dtype_set(dt, raw, 0, strtod(text, NULL));
	}
	return bits_at(raw, 0, dtype_bits(dt));
}

static double value_of(enum dtype dt, uint64_t bits)
{
	uint8_t raw[8];

	memcpy(raw, &bits, sizeof raw);
	return dtype_get(dt, raw, 0);
}

/* Small whole numbers are written out, whatever digits they need. */
static bool put_whole(struct printer *p, double v)
{
	if (!(v > -1e7 && v < 1e7) || v != (double)(int)v ||
	    (v == 0 && signbit(v)))
		return false;
	buf_printf(p->b, "%d.0", (int)v);
	return true;
}

static void format(char *to, size_t cap, int digits, double v)
{
	if (v != v) {
		snprintf(to, cap, digits & 1 ? "nan" : "-nan");
		return;
	}
	snprintf(to, cap, "%.*g", digits, v);
	if (!strpbrk(to, ".enf")) /* no integer: "1.0", "-inf", "1e+20" */
		strcat(to, ".0");
}

static void put_float(struct printer *p, enum dtype dt, uint64_t bits)
{
	double v = value_of(dt, bits);
	char text[40];
	int digits, to;

	if (put_whole(p, v))
		return;
	digits_of(dt, &digits, &to);
	for (; digits <= to; digits++) {
		format(text, sizeof text, digits, v);
		if (bits_of_text(dt, text) == bits) {
			buf_puts(p->b, text);
			return;
		}
	}
	buf_printf(p->b, "0x%llx", (unsigned long long)bits);
}

void print_float(struct printer *p, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	put_float(p, DT_F32, bits);
}

static void put_element(struct printer *p, enum dtype dt, const uint8_t *data,
			size_t i)
{
	unsigned bits = dtype_bits(dt);

	switch (dtype_kind(dt)) {
	case 'f':
		if (p->o.bits && bits < 32)
			buf_printf(p->b, "%llu",
				   (unsigned long long)bits_at(data, i, bits));
		else
			put_float(p, dt, bits_at(data, i, bits));
		break;
	case 'c':
		dt = dt == DT_C64 ? DT_F32 : DT_F64;
		put_float(p, dt, bits_at(data, 2 * i, bits / 2));
		buf_puts(p->b, ", ");
		put_float(p, dt, bits_at(data, 2 * i + 1, bits / 2));
		break;
	case 'i':
		buf_printf(p->b, "%lld", (long long)dtype_get_int(dt, data, i));
		break;
	default:
		buf_printf(p->b, "%llu",
			   (unsigned long long)bits_at(data, i, bits));
	}
}

static void put_data(struct printer *p, const struct tensor *t)
{
	const uint8_t *data = NULL;

	if (t->n > p->o.max_elements && p->o.max_elements >= 0) {
		buf_puts(p->b, "...");
		return;
	}
	if (t->dt != DT_STRING && t->n) {
		data = tensor_data(p->m, t);
		if (!data) { /* over the memory limit; that was reported */
			buf_puts(p->b, "...");
			return;
		}
	}
	buf_putc(p->b, '{');
	for (int64_t i = 0; i < t->n; i++) {
		if (i)
			buf_puts(p->b, ", ");
		if (t->dt == DT_STRING)
			print_quoted(p, t->strings[i]);
		else
			put_element(p, t->dt, data, (size_t)i);
	}
	buf_putc(p->b, '}');
}

static void put_shape(struct printer *p, enum dtype dt, int rank,
		      const int64_t *dim)
{
	buf_puts(p->b, dtype_name(dt));
	for (int i = 0; i < rank; i++)
		buf_printf(p->b, "%c%lld", i ? ',' : '[', (long long)dim[i]);
	if (rank)
		buf_putc(p->b, ']');
}

static void put_dense(struct printer *p, const struct tensor *t)
{
	put_shape(p, t->dt, t->rank, t->dim);
	buf_putc(p->b, ' ');
	put_data(p, t);
}

void print_tensor(struct printer *p, const struct tensor *t,
		  const struct value *v)
{
	const struct tensor *ix = t->sparse_indices;

	if (ix) {
		buf_puts(p->b, "sparse_tensor(");
		put_shape(p, t->dt, t->dense_rank, t->dense_dim);
		buf_putc(p->b, ')');
	} else {
		put_shape(p, t->dt, t->rank, t->dim);
	}
	if (v) {
		buf_putc(p->b, ' ');
		print_value(p, v);
		buf_puts(p->b, " =");
	} else if (sym_str(p->m, t->name).n) {
		buf_putc(p->b, ' ');
		print_sym(p, t->name);
		buf_puts(p->b, " =");
	}
	buf_putc(p->b, ' ');
	if (!ix) {
		put_data(p, t);
		return;
	}
	buf_putc(p->b, '{');
	put_dense(p, t);
	buf_puts(p->b, ", ");
	put_dense(p, ix);
	buf_putc(p->b, '}');
}
