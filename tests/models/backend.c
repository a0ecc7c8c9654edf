/* SPDX-License-Identifier: MIT */
/*
 * backend.c -- runs ONNX backend tests: DIR/model.onnx on each
 * DIR/test_data_set_N/input_I.pb, compared with output_I.pb.
 *
 *	backend [-nrv] [-t SECONDS] DIR...
 *
 * -n: without shape inference, so that kernels see what it would refuse;
 * -r: the reference kernels; -v: a line for every test.  Every test runs in a
 *process of its own, so that a crash or a hang counts as a failure of that test
 *alone.  One line per failed test, then the totals; exit 1 if one failed,
 *crashed or hung.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "onnx/onnx.h"
#include "runtime/runtime.h"

enum outcome { PASS, FAIL, UNSUPPORTED, CRASH, HANG, OUTCOMES };

#define OUTCOME_EXIT 64

static const char *const outcome_names[] = {"pass", "fail", "unsupported",
					    "crash", "hang"};

struct options {
	bool reference, verbose, no_infer;
	unsigned seconds;
};

/* Random results have a type and a shape, no values to compare. */
static bool is_random(const struct model *m)
{
	graph_vec g = {0};
	const struct node *n;
	bool random = false;

	model_graphs(m, &g);
	for (size_t i = 0; i < g.n; i++)
		graph_foreach (n, g.p[i])
			random |= node_random(n);
	vec_release(&g);
	return random;
}

static struct array *array_of_data(struct model *m, const struct onnx_data *v)
{
	struct array *a;

	if (v->kind == DATA_TENSOR)
		return array_of_tensor(m, v->t);
	if (v->kind == DATA_MAP)
		return NULL;
	a = v->kind == DATA_SEQ ? array_seq(v->n) : array_optional(NULL);
	for (size_t i = 0; i < v->n; i++) {
		struct array *e = array_of_data(m, &v->e[i]);

		if (v->kind == DATA_SEQ) {
			a->item[i] = e;
		} else {
			array_unref(a);
			a = array_optional(e);
			array_unref(e);
		}
	}
	return a;
}

static struct array *read_value(struct model *m, const char *path,
				const struct type *t)
{
	struct onnx_data v = {0};

	if (onnx_read_data(m, path, t, &v))
		return NULL;
	return array_of_data(m, &v);
}

static bool same(const struct array *got, const struct array *want,
		 struct buf *why)
{
	if (got->kind == ARR_OPTIONAL && want->kind != ARR_OPTIONAL)
		return got->nitem && same(got->item[0], want, why);
	if (got->kind != want->kind) {
		buf_puts(why, "another kind of value");
		return false;
	}
	if (got->kind == ARR_TENSOR)
		return arrays_close(got, want, 1e-3, 1e-7, why);
	if (got->nitem != want->nitem) {
		buf_printf(why, "%u elements, expected %u", got->nitem,
			   want->nitem);
		return false;
	}
	for (uint32_t i = 0; i < got->nitem; i++)
		if (!same(got->item[i], want->item[i], why))
			return false;
	return true;
}

/* Inputs of set k by number; those without a file are left out. */
static bool read_set(struct model *m, const char *dir, unsigned k,
		     struct array **in)
{
	char buf[4096];
	bool any = false;

	for (uint32_t i = 0, file = 0; i < m->main->nin; i++) {
		const struct value *v = m->main->in[i];

		in[i] = NULL;
		snprintf(buf, sizeof buf, "%s/test_data_set_%u/input_%u.pb",
			 dir, k, file);
		if (v->konst || access(buf, R_OK))
			continue;
		in[i] = read_value(m, buf, v->type);
		any |= in[i] != NULL;
		file++;
	}
	return any;
}

static bool check_set(struct model *m, const char *dir, unsigned k,
		      struct array *const *out, struct buf *why)
{
	char buf[4096];

	for (uint32_t i = 0; i < m->main->ret->nin; i++) {
		const struct value *v = m->main->ret->in[i].v;
		struct array *want;
		bool ok;

		snprintf(buf, sizeof buf, "%s/test_data_set_%u/output_%u.pb",
			 dir, k, i);
		if (access(buf, R_OK))
			continue;
		want = read_value(m, buf, v->type);
		if (!want) {
			buf_printf(why, "cannot read %s", buf);
			return false;
		}
		ok = is_random(m) ? out[i]->dt == want->dt &&
					    array_same_dims(out[i], want)
				  : same(out[i], want, why);
		array_unref(want);
		if (!ok) {
			buf_printf(why, " (output %u)", i);
			return false;
		}
	}
	return true;
}

static enum outcome run_sets(struct exec *e, struct model *m, const char *dir,
			     struct buf *why)
{
	struct array **in = xcalloc(m->main->nin + 1, sizeof *in);
	struct array **out = xcalloc(m->main->ret->nin + 1, sizeof *out);
	enum outcome r = PASS;
	char buf[4096];

	for (unsigned k = 0; r == PASS; k++) {
		snprintf(buf, sizeof buf, "%s/test_data_set_%u", dir, k);
		if (access(buf, X_OK))
			break;
		read_set(m, dir, k, in);
		if (exec_run(e, in, out)) {
			r = m->diag->first == E_unsupported ? UNSUPPORTED
							    : FAIL;
			buf_printf(why, "%s", m->diag->last.p);
		} else if (!check_set(m, dir, k, out, why)) {
			r = FAIL;
		}
		for (uint32_t i = 0; i < m->main->nin; i++)
			array_unref(in[i]);
		for (uint32_t i = 0; i < m->main->ret->nin; i++)
			array_unref(out[i]);
	}
	free(in);
	free(out);
	return r;
}

static enum outcome run_test(const char *dir, const struct options *o,
			     struct buf *why)
{
	struct exec_opts eo = {.set = o->reference ? EXEC_REFERENCE
						   : EXEC_FAST};
	struct onnx_read_opts ro = {0};
	struct model *m = NULL;
	struct exec *e = NULL;
	struct diag d;
	enum outcome r = FAIL;
	char path[4096];

	diag_init(&d, NULL);
	snprintf(path, sizeof path, "%s/model.onnx", dir);
	if (!onnx_read(&d, path, &ro, &m) && (o->no_infer || !model_infer(m))) {
		e = exec_create(m, &eo);
		r = d.first == E_unsupported ? UNSUPPORTED : FAIL;
		if (e)
			r = run_sets(e, m, dir, why);
	}
	if (r != PASS && !why->n && d.last.p)
		buf_puts(why, d.last.p);
	exec_free(e);
	model_free(m);
	diag_release(&d);
	return r;
}

static enum outcome isolated(const char *dir, const struct options *o,
			     char *why, size_t cap)
{
	int fd[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(fd) || (pid = fork()) < 0)
		return CRASH;
	if (pid == 0) {
		struct buf text = {0};
		enum outcome r;

		alarm(o->seconds);
		limit_set((size_t)1 << 30, o->seconds);
		close(fd[0]);
		r = run_test(dir, o, &text);
		if (text.n && write(fd[1], text.p, text.n) < 0)
			r = FAIL;
		buf_release(&text);
		pool_shutdown();
		exit(OUTCOME_EXIT + (int)r);
	}
	close(fd[1]);
	n = read(fd[0], why, cap - 1);
	why[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGALRM ? HANG : CRASH;
	/* A sanitizer exits with a status of its own. */
	status = WEXITSTATUS(status) - OUTCOME_EXIT;
	return status >= 0 && status < CRASH ? (enum outcome)status : CRASH;
}

int main(int argc, char **argv)
{
	struct options o = {.seconds = 60};
	unsigned count[OUTCOMES] = {0};
	int c;

	while ((c = getopt(argc, argv, "nrvt:")) != -1) {
		if (c == 'r')
			o.reference = true;
		else if (c == 'v')
			o.verbose = true;
		else if (c == 'n')
			o.no_infer = true;
		else if (c == 't')
			o.seconds = (unsigned)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	for (int i = optind; i < argc; i++) {
		char why[400];
		enum outcome r = isolated(argv[i], &o, why, sizeof why);
		const char *name = strrchr(argv[i], '/');

		count[r]++;
		if (r != PASS || o.verbose)
			printf("%s %s: %s\n", outcome_names[r],
			       name ? name + 1 : argv[i], why);
		fflush(stdout);
	}
	for (int i = 0; i < OUTCOMES; i++)
		printf("%s%u %s", i ? ", " : "", count[i], outcome_names[i]);
	printf("\n");
	return count[FAIL] || count[CRASH] || count[HANG];
}
