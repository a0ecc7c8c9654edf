/* SPDX-License-Identifier: MIT */
/*
 * profile.c -- pare run --profile: where the time goes.
 *
 * A node's time is its own: what ran in its bodies is counted there.  Bytes
 * are those of its inputs and outputs, each once; arithmetic is counted as
 * two operations per multiply-accumulate, from the shapes of the run.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "cli/json.h"
#include "cli/value.h"
#include "cli/watch.h"
#include "ir/cost.h"

enum { NODES_SHOWN = 20, EVENTS_MAX = 1000000 };

struct row {
	const struct node *n; /* of operators: the first one */
	uint64_t calls, macs, bytes;
	double seconds;
};

struct rows {
	struct map at; /* key -> index */
	VEC(struct row) row;
};

struct profile {
	struct model *m;
	struct rows ops, nodes;
	bool keep;
	double origin; /* start of the first event */
	struct buf events;
	uint64_t nevent;
};

struct profile *profile_create(struct model *m, bool events)
{
	struct profile *p = xcalloc(1, sizeof *p);

	p->m = m;
	p->keep = events;
	return p;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	map_release(&p->ops.at);
	map_release(&p->nodes.at);
	vec_release(&p->ops.row);
	vec_release(&p->nodes.row);
	buf_release(&p->events);
	free(p);
}

/* ---- counting ---- */

static void add(struct rows *r, uint64_t key, const struct row *x)
{
	uint64_t *at = map_get(&r->at, key);
	struct row *to;

	if (!at) {
		map_put(&r->at, key, r->row.n);
		vec_push(&r->row, *x);
		return;
	}
	to = &r->row.p[*at];
	to->calls += x->calls;
	to->macs += x->macs;
	to->bytes += x->bytes;
	to->seconds += x->seconds;
}

static const struct type *type_of(struct model *m, const struct array *a)
{
	struct dim *dim;

	if (!a || a->kind != ARR_TENSOR)
		return NULL;
	dim = xcalloc((size_t)a->rank + 1, sizeof *dim);
	for (int i = 0; i < a->rank; i++)
		dim[i] = dim_of(a->dim[i]);
	const struct type *t = type_tensor(m, a->dt, a->rank, dim);

	free(dim);
	return t;
}

static uint64_t macs_of(struct model *m, const struct exec_event *e)
{
	struct node_types t = {.n = e->n};
	uint64_t macs;

	for (uint32_t i = 0; i < countof(t.in) && i < e->n->nin; i++)
		t.in[i] = type_of(m, e->in[i]);
	if (e->n->nout)
		t.out = type_of(m, e->out[0]);
	return node_macs_of(&t, &macs) ? macs : 0;
}

static uint64_t bytes_of(const struct exec_event *e)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < e->n->nin; i++)
		bytes += e->in[i] ? e->in[i]->bytes : 0;
	for (uint32_t i = 0; i < e->n->nout; i++)
		bytes += e->out[i] ? e->out[i]->bytes : 0;
	return bytes;
}

static void add_types(struct buf *b, struct array *const *a, uint32_t n)
{
	struct buf t = {0};

	for (uint32_t i = 0; i < n; i++) {
		buf_puts(&t, i ? ", " : "");
		if (a[i])
			value_type(&t, a[i]);
		else
			buf_putc(&t, '-');
	}
	buf_json(b, (struct str){t.p, t.n});
	buf_release(&t);
}

/* A complete event ("X") of Chrome's trace event format; microseconds. */
static void add_event(struct profile *p, const struct frames *f,
		      const struct exec_event *e, const struct row *x)
{
	struct buf *b = &p->events, path = {0};

	if (p->nevent++ >= EVENTS_MAX)
		return;
	if (p->nevent == 1)
		p->origin = e->start;
	frames_path(f, &path);
	buf_puts(b, p->nevent > 1 ? ",\n" : "");
	buf_puts(b, "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"cat\":\"node\","
		    "\"name\":");
	buf_json(b, sym_str(p->m, e->n->type));
	buf_printf(b, ",\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"node\":",
		   (e->start - p->origin) * 1e6, e->seconds * 1e6);
	buf_json(b, node_label(e->n));
	buf_puts(b, ",\"frame\":");
	buf_json(b, (struct str){path.p, path.n});
	buf_puts(b, ",\"inputs\":");
	add_types(b, e->in, e->n->nin);
	buf_puts(b, ",\"outputs\":");
	add_types(b, e->out, e->n->nout);
	buf_printf(b, ",\"macs\":%" PRIu64 ",\"bytes\":%" PRIu64 "}}", x->macs,
		   x->bytes);
	buf_release(&path);
}

void profile_node(struct profile *p, struct frames *f,
		  const struct exec_event *e)
{
	struct level *top = frames_top(f);
	double own = e->seconds - top->pending;
	struct row x = {
		.n = e->n,
		.calls = 1,
		.macs = macs_of(p->m, e),
		.bytes = bytes_of(e),
		.seconds = own > 0 ? own : 0,
	};

	top->pending = 0;
	top->inner += e->seconds;
	add(&p->ops, (uint64_t)e->n->domain << 32 | e->n->type, &x);
	add(&p->nodes, map_ptr_key(e->n), &x);
	if (p->keep)
		add_event(p, f, e, &x);
}

/* ---- reports ---- */

static int by_time(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return 0;
}

/* Sorted, longest first; the map is of no use any more. */
static double sort_rows(struct rows *r)
{
	double sum = 0;

	if (r->row.n)
		qsort(r->row.p, r->row.n, sizeof *r->row.p, by_time);
	for (size_t i = 0; i < r->row.n; i++)
		sum += r->row.p[i].seconds;
	return sum;
}

static void rate(struct buf *b, double amount, double seconds)
{
	if (amount > 0 && seconds > 0)
		buf_printf(b, "|%.1f", amount / seconds / 1e9);
	else
		buf_puts(b, "|-");
}

/* calls|time|share|GFLOP/s|bytes|GB/s */
static void cells(struct buf *b, const struct row *x, double sum)
{
	buf_printf(b, "|%" PRIu64 "|", x->calls);
	print_seconds(b, x->seconds);
	buf_printf(b, "|%.1f %%", sum > 0 ? 100 * x->seconds / sum : 0);
	rate(b, 2 * (double)x->macs, x->seconds);
	buf_putc(b, '|');
	print_bytes(b, x->bytes);
	rate(b, (double)x->bytes, x->seconds);
}

static void add_op(const struct model *m, struct buf *b, const struct node *n)
{
	struct str domain = sym_str(m, n->domain);

	if (domain.n && !str_is(domain, "ai.onnx")) {
		buf_sanitized(b, domain);
		buf_putc(b, '.');
	}
	buf_sanitized(b, sym_str(m, n->type));
}

/* '|' splits cells, so names may not hold one. */
static void plain_cell(struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] == '|')
			b->p[i] = '!';
}

void profile_table(struct profile *p, FILE *out)
{
	static const char columns[] = "calls|time|share|GFLOP/s|bytes|GB/s";
	double sum = sort_rows(&p->ops);
	struct table *t = table_create();
	struct buf b = {0};

	sort_rows(&p->nodes);
	table_row(t, "operator|%s", columns);
	for (size_t i = 0; i < p->ops.row.n; i++) {
		b.n = 0;
		add_op(p->m, &b, p->ops.row.p[i].n);
		plain_cell(&b);
		cells(&b, &p->ops.row.p[i], sum);
		table_row(t, "%s", b.p);
	}
	table_print(t, out);
	t = table_create();
	table_row(t, "node|%s", columns);
	for (size_t i = 0; i < p->nodes.row.n && i < NODES_SHOWN; i++) {
		const struct node *n = p->nodes.row.p[i].n;

		b.n = 0;
		buf_printf(&b, "%s/", graph_path(n->graph));
		buf_sanitized(&b, node_label(n));
		buf_puts(&b, " (");
		add_op(p->m, &b, n);
		buf_putc(&b, ')');
		plain_cell(&b);
		cells(&b, &p->nodes.row.p[i], sum);
		table_row(t, "%s", b.p);
	}
	fputc('\n', out);
	table_print(t, out);
	if (p->nodes.row.n > NODES_SHOWN)
		fprintf(out, "and %zu nodes more\n",
			p->nodes.row.n - NODES_SHOWN);
	buf_release(&b);
}

static json_t *rows_json(struct profile *p, struct rows *r, bool nodes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->row.n; i++) {
		const struct row *x = &r->row.p[i];
		json_t *o = json_object();
		struct buf op = {0};

		add_op(p->m, &op, x->n);
		if (nodes) {
			json_object_set_new(o, "graph",
					    json_text(graph_path(x->n->graph)));
			json_object_set_new(o, "node",
					    json_str(node_label(x->n)));
		}
		json_object_set_new(o, "op", json_text(op.p));
		json_object_set_new(o, "calls", json_u64(x->calls));
		json_object_set_new(o, "seconds", json_number(x->seconds));
		json_object_set_new(o, "macs", json_u64(x->macs));
		json_object_set_new(o, "bytes", json_u64(x->bytes));
		json_array_append_new(list, o);
		buf_release(&op);
	}
	return list;
}

json_t *profile_json(struct profile *p)
{
	json_t *j = json_object();

	json_object_set_new(j, "seconds", json_number(sort_rows(&p->ops)));
	sort_rows(&p->nodes);
	json_object_set_new(j, "operators", rows_json(p, &p->ops, false));
	json_object_set_new(j, "nodes", rows_json(p, &p->nodes, true));
	return j;
}

enum status profile_events(struct profile *p, const char *path)
{
	struct buf b = {0};
	enum status s;

	if (p->nevent > EVENTS_MAX)
		diag_note(p->m->diag, 0,
			  "%s: the first %d of %" PRIu64 " events", path,
			  EVENTS_MAX, p->nevent);
	buf_puts(&b, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
	buf_add(&b, p->events.p, p->events.n);
	buf_puts(&b, "\n]}\n");
	s = file_write_all(p->m->diag, path, b.p, b.n, false);
	buf_release(&b);
	return s;
}
