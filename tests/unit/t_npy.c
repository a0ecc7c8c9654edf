/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>
#include "runtime/runtime.h"

static struct diag diag;
static char dir[64];

static void enter(void)
{
	strcpy(dir, "/tmp/pare-npy-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	diag_init(&diag, NULL);
}

static void leave(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(cmd), 0);
	diag_release(&diag);
}

/* A version 1 file with this dictionary, unpadded, and n bytes of data. */
static struct array *parse(const char *dict, const void *data, size_t n)
{
	size_t len = strlen(dict);
	struct blob *b = blob_alloc(&diag, 10 + len + n);
	struct array *a;

	memcpy(b->p, "\x93NUMPY\1\0", 8);
	b->p[8] = (uint8_t)(len & 255);
	b->p[9] = (uint8_t)(len >> 8);
	memcpy(b->p + 10, dict, len);
	if (n)
		memcpy(b->p + 10 + len, data, n);
	npy_parse(&diag, "x.npy", b, 0, b->len, &a);
	blob_unref(b);
	return a;
}

#define DICT(descr, fortran, shape)                                            \
	"{'descr': '" descr "', 'fortran_order': " fortran ", 'shape': " shape \
	", }"

Test(npy, reads_every_order)
{
	static const int16_t c[] = {1, 2, 3, 4, 5, 6};
	static const int16_t f[] = {1, 4, 2, 5, 3, 6};
	static const uint8_t big[] = {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6};
	static const uint8_t odd[] = {0, 1, 2, 255};
	struct array *a;
	int i;

	enter();
	a = parse(DICT("<i2", "False", "(2, 3)"), c, 12);
	cr_assert_eq(a->dt, DT_I16);
	cr_assert(a->rank == 2 && a->dim[0] == 2 && a->dim[1] == 3);
	cr_assert_eq(memcmp(a->data, c, 12), 0);
	array_unref(a);
	a = parse(DICT("<i2", "True", "(2L, 3L)"), f, 12);
	cr_assert_eq(memcmp(a->data, c, 12), 0);
	array_unref(a);
	a = parse(DICT(">i2", "False", "(6,)"), big, 12);
	cr_assert_eq(memcmp(a->data, c, 12), 0);
	array_unref(a);
	a = parse(DICT("|b1", "True", "(4,)"), odd, 4);
	for (i = 0; i < 4; i++)
		cr_assert_eq(((uint8_t *)a->data)[i], i > 0);
	array_unref(a);
	a = parse(DICT("|u1", "False", "()"), odd, 1);
	cr_assert(a->rank == 0 && a->n == 1);
	array_unref(a);
	a = parse("{\"shape\":(0,7,9), \"descr\":\"<f8\","
		  "'fortran_order':True}\n",
		  NULL, 0);
	cr_assert(a && a->n == 0 && a->rank == 3);
	array_unref(a);
	cr_assert_eq(diag.nerror, 0);
	leave();
}

Test(npy, refuses_what_is_not_numpy)
{
	static const char *const bad[] = {
		DICT("<i2", "False", "(2)"),
		DICT("<i2", "False", "(2,,)"),
		DICT("<i2", "False", "(-2,)"),
		DICT("<i2", "False", "(99999999999999999999,)"),
		DICT("<i2", "False", "(4611686018427387904, 4)"),
		DICT("<i2", "0", "(1,)"),
		DICT("|O", "False", "(1,)"),
		DICT("<i3", "False", "(1,)"),
		DICT("|i2", "False", "(1,)"),
		DICT("<U4", "False", "(1,)"),
		DICT("", "False", "(1,)"),
		DICT("<i2", "False", "(1,)") "x",
		"{'descr': '<i2', 'shape': (1,)}",
		"{'descr': '<i2', 'shape': (1,), 'shape': (1,), "
		"'fortran_order': False}",
		"{'descr': '<i2', 'shape': (1,), 'fortran_order': False, "
		"'x': 1}",
		"{'descr': [('a', '<i2')], 'shape': (1,), "
		"'fortran_order': False}",
		"{'descr': '<i2', 'shape': (1,), 'fortran_order': False",
		"{'descr': '<i2",
		"",
		"{",
		"}",
	};
	size_t i;

	enter();
	for (i = 0; i < countof(bad); i++)
		cr_assert_null(parse(bad[i], "\1\2", 2), "%s", bad[i]);
	/* Without elements, but of dims whose product has no number. */
	cr_assert_null(parse(
		DICT("<i2", "False", "(0, 9223372036854775807, 9)"), NULL, 0));
	/* Too little and too much data. */
	cr_assert_null(parse(DICT("<i2", "False", "(2,)"), "\1\2\3", 3));
	cr_assert_null(parse(DICT("<i2", "False", "(1,)"), "\1\2\3", 3));
	cr_assert_eq(diag.nerror, countof(bad) + 3);
	leave();
}

/* Every cut and every changed byte of a good file: refused or read, and
 * under the sanitizers nothing else. */
Test(npy, survives_damage)
{
	static const char good[] = DICT("<f4", "False", "(2, 2)");
	char dict[sizeof(good)];
	float data[4] = {1, 2, 3, 4};
	size_t i, c;

	enter();
	for (i = 0; i < sizeof(good) - 1; i++) {
		for (c = 0; c < 256; c++) {
			memcpy(dict, good, sizeof(good));
			dict[i] = (char)c;
			array_unref(parse(dict, data, sizeof(data)));
		}
	}
	leave();
}

Test(npy, writes_what_it_reads)
{
	static const enum dtype type[] = {
		DT_BOOL, DT_I8,  DT_U8,  DT_I16, DT_U16, DT_F16, DT_I32,
		DT_U32,  DT_F32, DT_I64, DT_U64, DT_F64, DT_C64, DT_C128};
	static const int64_t dim[] = {2, 0, 3, 5};
	size_t i;
	int rank;

	enter();
	for (i = 0; i < countof(type); i++) {
		for (rank = 0; rank < 5; rank++) {
			int64_t d[4] = {2, 1, 3, 5};
			struct array *a = array_create(&diag, type[i], rank,
						       i == 3 ? dim : d);
			struct array *b;
			struct buf why = {0};

			cr_assert(npy_can_hold(a));
			cr_assert_eq(npy_write(&diag, "a.npy", a), OK);
			cr_assert_eq(npy_read(&diag, "a.npy", &b), OK);
			cr_assert(arrays_close(b, a, 0, 0, &why), "%s", why.p);
			cr_assert_eq((uintptr_t)b->data % 16, 0);
			array_unref(a);
			array_unref(b);
		}
	}
	cr_assert_eq(diag.nerror, 0);
	leave();
}

/* Byte for byte what numpy 2.x saves. */
Test(npy, header_is_numpys)
{
	static const char want[] =
		"\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, "
		"'shape': (3, 4), }";
	const size_t n = sizeof(want) - 1;
	const int64_t dim[] = {3, 4};
	struct array *a;
	struct blob *b;
	size_t i;

	enter();
	a = array_create(&diag, DT_F32, 2, dim);
	cr_assert_eq(npy_write(&diag, "a.npy", a), OK);
	cr_assert_eq(file_map(&diag, "a.npy", &b), OK);
	cr_assert_eq(b->len, 128 + 48);
	cr_assert_eq(memcmp(b->p, want, n), 0);
	for (i = n; i < 127; i++)
		cr_assert_eq(b->p[i], ' ');
	cr_assert_eq(b->p[127], '\n');
	blob_unref(b);
	array_unref(a);
	leave();
}

static void zip_put(zip_t *z, const char *name, const void *p, size_t n)
{
	zip_source_t *s = zip_source_buffer(z, p, n, 0);

	cr_assert_geq(zip_file_add(z, name, s, 0), 0);
}

static struct blob *npy_bytes(int64_t n)
{
	struct array *a = array_create(&diag, DT_F32, 1, &n);
	struct blob *b;

	cr_assert_eq(npy_write(&diag, "m.npy", a), OK);
	cr_assert_eq(file_map(&diag, "m.npy", &b), OK);
	array_unref(a);
	return b;
}

Test(npy, archives)
{
	struct npz_entry *e;
	struct blob *b, *c;
	size_t n, i;
	int err;
	zip_t *z;

	enter();
	b = npy_bytes(100000);
	c = npy_bytes(3);
	z = zip_open("a.npz", ZIP_CREATE, &err);
	zip_put(z, "x/y.npy", b->p, b->len);
	zip_put(z, "z.npy", c->p, c->len);
	cr_assert_eq(zip_close(z), 0);
	cr_assert_eq(npz_read(&diag, "a.npz", &e, &n), OK);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(e[0].name, "x/y");
	cr_assert_str_eq(e[1].name, "z");
	cr_assert_eq(e[0].a->n, 100000);
	npz_free(e, n);
	limit_set(limit_memory_used() + 100000, 0);
	cr_assert_eq(npz_read(&diag, "a.npz", &e, &n), LIMIT);
	limit_set(0, 0);
	blob_unref(b);
	cr_assert_eq(file_map(&diag, "a.npz", &b), OK);
	/* Every cut and many a changed byte: refused or read. */
	for (i = 0; i < b->len; i++) {
		uint8_t *copy = malloc(b->len);

		memcpy(copy, b->p, b->len);
		copy[i] ^= (uint8_t)(1u << i % 8);
		file_write_all(&diag, "b.npz", copy, i % 2 ? i : b->len, false);
		free(copy);
		if (npz_read(&diag, "b.npz", &e, &n) == OK)
			npz_free(e, n);
	}
	blob_unref(b);
	blob_unref(c);
	leave();
}

Test(npy, archives_refused)
{
	struct npz_entry *e;
	struct blob *c;
	size_t n;
	int err;
	zip_t *z;

	enter();
	cr_assert_eq(file_write_all(&diag, "a.npz", "PK", 2, false), OK);
	cr_assert_eq(npz_read(&diag, "a.npz", &e, &n), BAD_IO);
	c = npy_bytes(3);
	z = zip_open("b.npz", ZIP_CREATE, &err);
	zip_put(z, "readme.txt", c->p, c->len);
	cr_assert_eq(zip_close(z), 0);
	cr_assert_eq(npz_read(&diag, "b.npz", &e, &n), BAD_IO);
	cr_assert_eq(diag.first, E_data);
	cr_assert(!e && n == 0);
	blob_unref(c);
	leave();
}
