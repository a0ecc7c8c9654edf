/* SPDX-License-Identifier: MIT */
/*
 * t_native.c -- the .pare container: round trips and damage.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include "base/rng.h"
#include "native/native.h"
#include "onnx/onnx.h"

#define HEAD                                                        \
	"<ir_version: 8, opset_import: [\"\" : 17, \"f\" : 1], "    \
	"producer_name: \"p\", doc_string: \"d\", metadata_props: " \
	"[\"k\": \"v\"]>\n"

/* Something of everything that a model can hold. */
static const char *const texts[] = {
	"g () => () {}",
	HEAD
	"g (float[N,\"2*N\",?] x, float[2] d = {1, 2}, seq(map(int64, "
	"float[])) s, opaque(\"o\", \"p\") q, undefined u) => "
	"(float[N] y, z) <float[3] w = {1, 2, 3}, string[2] t = {\"a\", "
	"\"\"}, int4[3] i4 = {1, -8, 7}, float[0,2] e = {}, float16 h = "
	"{1.5}, complex64[1] c = {1, 2}, sparse_tensor(float[4]) sp = "
	"{float[2] {1, 2}, int64[2] {1, 3}}, float[N] y2, float nope>\n"
	"{ [n] y2, , o = f.F <a = 1> (x, \"\", w) y = Neg (y2)\n"
	"z = Foo.Bar:ov <f = 1.5, i = -3, s = \"s\", ls = [\"a\", \"b\"],"
	" li: ints = [], lf = [1.0, nan], t = float[2] n {1, 2}, "
	"ts = [int64 {1}, int8[0] {}], ty = float[N], tys = [seq(int8)], "
	"sp = sparse_tensor(float[4]) {float[1] {1}, int64[1] {1}}> (y, w)"
	"}\n<domain: \"f\", opset_import: [\"\" : 17], doc_string: \"x\">\n"
	"F <a, b: float = 2.5> (x, v, w) => (r, q) "
	"<float r>\n{ r = LeakyRelu <alpha: float = @b> (x) q = Neg (w) }",
	HEAD
	"g (bool c, float x) => (y) { z = Abs (x) y = If (c) <then_branch = "
	"t () => (a) { a = Neg (x) }, else_branch = e () => (b) <float w "
	"= {1}> { b = Add (w, z) }> }",
	"<ir_version: 3> g (float[1] w = {7}) => (y) { y = Neg (w) }",
};

static struct model *parse(const char *text, struct diag *d)
{
	struct model *m;

	diag_init(d, NULL);
	m = model_parse(d, "t.txt", (struct str){text, strlen(text)});
	cr_assert(m, "%s", d->last.p);
	return m;
}

static char path[64];

static void setup(void)
{
	snprintf(path, sizeof path, "t_native.%d.pare", (int)getpid());
}

static void teardown(void)
{
	unlink(path);
}

/* The bytes of m as a .pare file, on the heap. */
static struct blob *encode(const struct model *m, bool compress)
{
	struct native_write_opts o = {.compress = compress};
	struct blob *map, *copy;
	struct diag d;
	uint64_t bytes;

	diag_init(&d, NULL);
	cr_assert_eq(native_write(m, path, &o, &bytes), OK);
	cr_assert_eq(file_map(&d, path, &map), OK);
	cr_assert_eq(map->len, bytes);
	copy = blob_alloc(&d, map->len);
	memcpy(copy->p, map->p, map->len);
	blob_unref(map);
	diag_release(&d);
	return copy;
}

static struct model *decode(struct diag *d, struct blob *b, bool verify)
{
	struct model *m = NULL;
	enum status st;

	diag_init(d, NULL);
	st = native_read_blob(d, "t.pare", b, verify, &m);
	cr_assert_eq(st == OK, m != NULL);
	cr_assert_eq(st != OK, d->nerror > 0);
	return m;
}

static void check_equal(const struct model *a, const struct model *b)
{
	struct buf x = {0}, y = {0}, why = {0};

	model_verify_ir(b);
	cr_expect(model_equal(a, b, &why), "%s", why.p);
	cr_assert_eq(onnx_encode(a, &x), OK);
	cr_assert_eq(onnx_encode(b, &y), OK);
	cr_expect_eq(x.n, y.n);
	cr_expect_eq(memcmp(x.p, y.p, x.n), 0, "as ONNX the models differ");
	buf_release(&x);
	buf_release(&y);
	buf_release(&why);
}

TestSuite(native, .init = setup, .fini = teardown);

Test(native, models_survive_and_files_are_canonical)
{
	for (size_t i = 0; i < 2 * countof(texts); i++) {
		struct diag da, db;
		struct model *a = parse(texts[i / 2], &da), *b;
		struct blob *x = encode(a, i & 1), *y;

		cr_expect(native_probe(x->p, x->len));
		b = decode(&db, x, true);
		cr_assert(b, "%s", db.last.p);
		check_equal(a, b);
		y = encode(b, i & 1);
		cr_expect_eq(x->len, y->len);
		cr_expect_eq(memcmp(x->p, y->p, x->len), 0);
		model_free(a);
		model_free(b);
		blob_unref(x);
		blob_unref(y);
		diag_release(&da);
		diag_release(&db);
	}
}

Test(native, types_and_constants_need_no_inference)
{
	struct diag da, db;
	struct model *a = parse(HEAD "g (float[2] x) => (y) <float[2] t> "
				     "{ t = Neg (x) c = Constant <value = "
				     "float {1}> () y = Add (t, c) }",
				&da);
	struct blob *x = encode(a, false);
	struct model *b = decode(&db, x, false);
	const struct node *n = b->main->first;

	cr_expect_eq(n->out[0]->type->rank, 1);
	cr_expect(n->out[0]->info);
	cr_expect_eq(n->op->id, OP_Neg);
	cr_expect(n->next->out[0]->konst);
	cr_expect_eq(n->next->out[0]->konst, n->next->attr[0].u.t[0]);
	model_free(a);
	model_free(b);
	blob_unref(x);
	diag_release(&da);
	diag_release(&db);
}

/* A model whose weights can be told apart, shared and compressed. */
static struct model *weighty(struct diag *d)
{
	struct model *m = parse(HEAD "g () => () {}", d);
	int64_t dim[1] = {100000};
	float one = 1.5f;
	struct tensor *t = tensor_create(m, DT_F32, 1, dim);
	struct tensor *same = tensor_of_blob(m, DT_F32, 1, dim, t->blob, 0);
	struct blob *splat = blob_splat(&one, 4, 400000);
	struct tensor *u = tensor_of_blob(m, DT_F32, 1, dim, splat, 0);
	float *p = (float *)(void *)t->blob->p;

	for (int64_t i = 0; i < dim[0]; i++)
		p[i] = (float)(i % 1000);
	blob_unref(splat);
	graph_add_init(m->main, model_sym(m, "t"), t);
	graph_add_init(m->main, model_sym(m, "same"), same);
	graph_add_init(m->main, model_sym(m, "u"), u);
	return m;
}

Test(native, weights_are_mapped_shared_and_compressed)
{
	for (int compress = 0; compress < 2; compress++) {
		struct diag da, db;
		struct model *a = weighty(&da), *b;
		struct blob *x = encode(a, compress);
		const struct tensor *t[3];

		b = decode(&db, x, true);
		cr_assert(b, "%s", db.last.p);
		check_equal(a, b);
		for (size_t i = 0; i < 3; i++)
			t[i] = b->main->init.p[i]->konst;
		cr_expect_eq(t[0]->blob, t[1]->blob);
		cr_expect_eq(t[0]->off, t[1]->off);
		cr_expect_eq(t[2]->blob->kind, BLOB_SPLAT);
		if (compress) {
			cr_expect_lt(x->len, 200000);
		} else {
			cr_expect_eq(t[0]->blob, x);
			cr_expect_eq(t[0]->off % 4096, 0);
			cr_expect_lt(x->len, 410000);
		}
		model_free(a);
		model_free(b);
		blob_unref(x);
		diag_release(&da);
		diag_release(&db);
	}
}

/* ---- damage ---- */

static uint64_t get64(const struct blob *b, size_t at)
{
	uint64_t v;

	memcpy(&v, b->p + at, 8);
	return v;
}

static void put64(struct blob *b, size_t at, uint64_t v)
{
	memcpy(b->p + at, &v, 8);
}

static uint32_t section_count(const struct blob *b)
{
	return (uint32_t)get64(b, 44);
}

/* Make the checksums right, so that damage reaches what is behind them. */
static void fix_sums(struct blob *b)
{
	struct buf head = {0};
	uint32_t n = section_count(b);

	if (n > 64 || 64 + (size_t)n * 64 > b->len)
		return;
	for (uint32_t i = 0; i < n; i++) {
		size_t at = 64 + (size_t)i * 64;
		uint64_t off = get64(b, at + 16), len = get64(b, at + 24);

		if (off <= b->len && len <= b->len - off)
			put64(b, at + 40, XXH3_64bits(b->p + off, len));
	}
	buf_add(&head, b->p, 56);
	buf_add(&head, b->p + 64, (size_t)n * 64);
	put64(b, 56, XXH3_64bits(head.p, head.n));
	buf_release(&head);
}

static struct blob *copy_of(struct diag *d, const struct blob *from, size_t n)
{
	struct blob *b = blob_alloc(d, n);

	memcpy(b->p, from->p, n < from->len ? n : from->len);
	return b;
}

/* Refused with a message, or a sound model. */
static void try_damaged(struct blob *b)
{
	struct diag d;
	struct model *m = decode(&d, b, true);

	if (m)
		model_verify_ir(m);
	model_free(m);
	diag_release(&d);
}

Test(native, every_truncation_is_refused)
{
	struct diag d, dd;
	struct model *m = parse(texts[2], &d);
	struct blob *whole = encode(m, false);

	for (size_t n = 0; n < whole->len; n++) {
		struct blob *b = copy_of(&d, whole, n ? n : 1);

		cr_expect_null(decode(&dd, b, false), "%zu bytes", n);
		cr_expect_eq(dd.first, E_native);
		diag_release(&dd);
		blob_unref(b);
	}
	blob_unref(whole);
	model_free(m);
	diag_release(&d);
}

Test(native, every_flipped_bit_is_noticed)
{
	struct diag d, dd;
	struct model *m = parse(texts[2], &d);
	struct blob *whole = encode(m, false);

	for (size_t i = 0; i < whole->len * 8; i++) {
		struct blob *b = copy_of(&d, whole, whole->len);
		struct model *got;

		b->p[i / 8] ^= (uint8_t)(1u << i % 8);
		got = decode(&dd, b, true);
		/* the minor version and optional features are free, but summed
		 */
		cr_expect_null(got, "byte %zu", i / 8);
		model_free(got);
		diag_release(&dd);
		blob_unref(b);
	}
	blob_unref(whole);
	model_free(m);
	diag_release(&d);
}

Test(native, damage_behind_right_checksums_does_no_harm)
{
	struct rng r = rng_make(3, 4);
	struct diag d;

	diag_init(&d, NULL);
	for (size_t k = 0; k < countof(texts) * 2; k++) {
		struct diag dm;
		struct model *m = parse(texts[k / 2], &dm);
		struct blob *whole = encode(m, k & 1);

		for (unsigned i = 0; i < 3000; i++) {
			struct blob *b = copy_of(&d, whole, whole->len);

			for (unsigned n = 0; n < 1 + i % 4; n++)
				b->p[8 + rng_below(&r, b->len - 8)] =
					i & 1 ? (uint8_t)rng_next(&r)
					      : (uint8_t)rng_below(&r, 8);
			fix_sums(b);
			try_damaged(b);
			blob_unref(b);
		}
		blob_unref(whole);
		model_free(m);
		diag_release(&dm);
	}
	diag_release(&d);
}

Test(native, damaged_weights_are_found_on_request)
{
	struct diag da, d;
	struct model *a = weighty(&da), *b;
	struct blob *x = encode(a, false);

	x->p[x->len - 100000] ^= 1;
	b = decode(&d, x, false);
	cr_expect(b, "nobody asked");
	model_free(b);
	diag_release(&d);
	cr_expect_null(decode(&d, x, true));
	cr_expect_eq(d.first, E_native);
	diag_release(&d);
	blob_unref(x);
	x = encode(a, true);
	x->p[x->len - 1000] ^= 1;
	cr_expect_null(decode(&d, x, false), "compressed: always");
	diag_release(&d);
	blob_unref(x);
	model_free(a);
	diag_release(&da);
}

/* An unknown section at the end, empty. */
static struct blob *with_section(const struct blob *from, uint32_t flags)
{
	struct diag d;
	uint32_t n = section_count(from);
	struct blob *b;
	size_t at = 64 + (size_t)n * 64;

	diag_init(&d, NULL);
	/* the first section starts 64 bytes later: all of them move */
	b = blob_alloc(&d, from->len + 64);
	memcpy(b->p, from->p, at);
	memcpy(b->p + at + 64, from->p + at, from->len - at);
	for (uint32_t i = 0; i < n; i++)
		put64(b, 64 + (size_t)i * 64 + 16,
		      get64(from, 64 + (size_t)i * 64 + 16) + 64);
	put64(b, at, 1000 | (uint64_t)flags << 32);
	put64(b, at + 16, b->len);
	put64(b, 16, b->len);
	b->p[44] = (uint8_t)(n + 1);
	fix_sums(b);
	diag_release(&d);
	return b;
}

Test(native, unknown_sections_and_features)
{
	struct diag da, d;
	/* without weights, whose section starts a page */
	struct model *a = parse("g () => () {}", &da), *m;
	struct blob *x = encode(a, false), *b = with_section(x, 0);

	m = decode(&d, b, true);
	cr_expect(m, "%s", d.last.p);
	model_free(m);
	diag_release(&d);
	blob_unref(b);
	b = with_section(x, 1);
	cr_expect_null(decode(&d, b, true));
	cr_expect(strstr(d.last.p, "section 1000"), "%s", d.last.p);
	diag_release(&d);
	blob_unref(b);
	b = copy_of(&da, x, x->len);
	put64(b, 24, 1u << 7);
	fix_sums(b);
	cr_expect_null(decode(&d, b, true));
	cr_expect(strstr(d.last.p, "newer pare"), "%s", d.last.p);
	diag_release(&d);
	put64(b, 24, 0);
	put64(b, 32, 1u << 7);
	fix_sums(b);
	m = decode(&d, b, true);
	cr_expect(m, "an optional feature");
	model_free(m);
	diag_release(&d);
	blob_unref(b);
	blob_unref(x);
	model_free(a);
	diag_release(&da);
}
