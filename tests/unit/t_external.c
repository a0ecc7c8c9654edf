/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "onnx/external_p.h"
#include "onnx/onnx.h"
#include "onnx/sha1_p.h"
#include "tests/unit/ir_build.h"

static char dir[64];
static struct diag d;

static void enter(void)
{
	strcpy(dir, "/tmp/pare-ext-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	cr_assert_eq(mkdir("other", 0777), 0);
	diag_init(&d, NULL);
}

static void leave(void)
{
	char cmd[128];

	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(cmd), 0);
	diag_release(&d);
}

TestSuite(external, .init = enter, .fini = leave);

static unsigned data_files(const char *path)
{
	DIR *dp = opendir(path);
	struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(dp)))
		n += strstr(e->d_name, ".data") != NULL;
	closedir(dp);
	return n;
}

/* Weights of 8 KiB, 128 KiB and 16 bytes, the second one a splat. */
static struct model *sample(void)
{
	static const float one = 1;
	static const int64_t dims[3] = {2048, 32768, 4};
	struct model *m = build_model(&d, 1);
	struct blob *ones = blob_splat(&one, sizeof one, 131072);
	struct value *v = m->main->in[0];

	for (unsigned i = 0; i < 3; i++) {
		struct tensor *t;
		char name[8];

		if (i == 1) {
			t = tensor_of_blob(m, DT_F32, 1, &dims[i], ones, 0);
		} else {
			t = tensor_create(m, DT_F32, 1, &dims[i]);
			for (int64_t k = 0; k < dims[i]; k++)
				((float *)tensor_data_mut(t))[k] = (float)k;
		}
		snprintf(name, sizeof name, "w%u", i);
		v = build_node(m->main, OP_Add, v,
			       graph_add_init(m->main, model_sym(m, name), t),
			       "y");
	}
	graph_set_outputs(m->main, 1);
	use_set(&m->main->ret->in[0], v);
	m->main->out_info[0].name = model_sym(m, "y");
	m->main->out_info[0].decl = type_unknown();
	blob_unref(ones);
	return m;
}

static struct model *reread(const char *path)
{
	struct model *m;

	cr_assert_eq(onnx_read(&d, path, NULL, &m), OK, "%s", d.last.p);
	return m;
}

static void same_weights(const struct model *a, const struct model *b)
{
	cr_assert_eq(a->main->init.n, b->main->init.n);
	for (size_t i = 0; i < a->main->init.n; i++)
		cr_expect(tensor_equal(a, a->main->init.p[i]->init,
				       b->main->init.p[i]->init));
}

Test(external, out_and_in_again)
{
	const struct onnx_write_opts out = {EXTERNAL_ALL, 1024, false};
	const struct onnx_write_opts in = {EXTERNAL_NONE, 0, false};
	struct model *m = sample(), *r;
	const struct tensor *t;
	uint64_t bytes;

	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(onnx_write(m, "m.onnx", &out, &bytes), OK);
	cr_expect_eq(data_files("."), 1);
	r = reread("m.onnx");
	same_weights(m, r);
	t = r->main->init.p[0]->init;
	cr_expect_eq(t->enc, ENC_EXTERNAL);
	cr_expect_eq(t->off % 64, 0);
	t = r->main->init.p[1]->init;
	cr_expect_eq(t->off % 4096, 0);
	cr_expect_eq(bytes, r->file_bytes + t->off + t->len);
	cr_expect_eq(r->main->init.p[2]->init->enc, ENC_RAW);
	/* the same content: the same name */
	cr_assert_eq(onnx_write(r, "m.onnx", &out, NULL), OK);
	cr_expect_eq(data_files("."), 1);
	cr_assert_eq(onnx_write(r, "n.onnx", &in, NULL), OK);
	model_free(r);
	r = reread("n.onnx");
	same_weights(m, r);
	cr_expect_eq(r->main->init.p[0]->init->enc, ENC_RAW);
	model_free(r);
	model_free(m);
}

Test(external, keep)
{
	const struct onnx_write_opts out = {EXTERNAL_ALL, 1024, false};
	struct model *m = sample(), *r, *s;

	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(onnx_write(m, "m.onnx", &out, NULL), OK);
	r = reread("m.onnx");
	/* same directory: the reference stays */
	cr_assert_eq(onnx_write(r, "n.onnx", NULL, NULL), OK);
	cr_expect_eq(data_files("."), 1);
	s = reread("n.onnx");
	same_weights(m, s);
	model_free(s);
	/* another one: the data comes along */
	cr_assert_eq(onnx_write(r, "other/n.onnx", NULL, NULL), OK);
	cr_expect_eq(data_files("other"), 1);
	s = reread("other/n.onnx");
	same_weights(m, s);
	model_free(s);
	model_free(r);
	model_free(m);
}

Test(external, model_behind_a_symbolic_link)
{
	const struct onnx_write_opts out = {EXTERNAL_ALL, 1024, false};
	struct model *m = sample(), *r;

	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(onnx_write(m, "other/m.onnx", &out, NULL), OK);
	cr_assert_eq(symlink("other/m.onnx", "link.onnx"), 0);
	r = reread("link.onnx");
	same_weights(m, r);
	/* references would not hold beside the link */
	cr_assert_eq(onnx_write(r, "n.onnx", NULL, NULL), OK);
	cr_expect_eq(data_files("."), 1);
	model_free(r);
	r = reread("n.onnx");
	same_weights(m, r);
	model_free(r);
	model_free(m);
}

Test(external, a_model_that_fails_leaves_no_data_file)
{
	const struct onnx_write_opts out = {EXTERNAL_ALL, 1024, false};
	struct model *m = sample();

	cr_assert_eq(model_finish(m), OK);
	cr_assert_eq(mkdir("m.onnx", 0777), 0); /* cannot be replaced */
	cr_expect_neq(onnx_write(m, "m.onnx", &out, NULL), OK);
	cr_expect_eq(data_files("."), 0);
	cr_expect_eq(onnx_write(m, "-", &out, NULL), USAGE);
	model_free(m);
}

Test(external, sha1)
{
	static const struct {
		const char *text, *sum;
	} cases[] = {
		/* FIPS 180 examples */
		{"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
	};
	char sum[41];

	for (size_t i = 0; i < countof(cases); i++) {
		sha1_hex((const uint8_t *)cases[i].text, strlen(cases[i].text),
			 sum);
		cr_expect_str_eq(sum, cases[i].sum);
	}
}

static void pair(Onnx__StringStringEntryProto *e, const char *key,
		 const char *value)
{
	onnx__string_string_entry_proto__init(e);
	e->has_key = e->has_value = true;
	e->key = pb_bytes((struct str){key, strlen(key)});
	e->value = pb_bytes((struct str){value, strlen(value)});
}

Test(external, entries)
{
	static const struct {
		const char *key, *value;
		bool ok;
	} cases[] = {
		{"offset", "0", true},
		{"offset", "18446744073709551615", true},
		{"offset", "18446744073709551616", false},
		{"offset", "-1", false},
		{"offset", "+4", false},
		{"offset", " 4", false},
		{"offset", "1e3", false},
		{"offset", "0x10", false},
		{"offset", "", false},
		{"length", "4096", true},
		{"length", "99999999999999999999999999999999999999", false},
		{"location", "again", false},
		{"basepath", "/", true}, /* a warning */
		{"whatever", "1", true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		Onnx__StringStringEntryProto e[2];
		Onnx__StringStringEntryProto *p[2] = {&e[0], &e[1]};
		struct location l;

		pair(&e[0], "location", "w.bin");
		pair(&e[1], cases[i].key, cases[i].value);
		cr_expect_eq(location_read(&d, NULL, p, 2, &l) == OK,
			     cases[i].ok, "%s=%s", cases[i].key,
			     cases[i].value);
	}
}
