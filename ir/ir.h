/* SPDX-License-Identifier: MIT */
/*
 * ir.h -- the intermediate representation: one header, the whole shape.
 *
 * A model owns an arena; every struct below lives in it until model_free().
 * Payload bytes are reference-counted blobs (base/io.h).  A value knows its
 * users in every subgraph: captures of outer values are ordinary uses, and
 * graph outputs are uses by the graph's return node.
 */
#ifndef IR_IR_H
#define IR_IR_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/dtype.h"
#include "base/intern.h"
#include "base/io.h"
#include "base/map.h"
#include "base/vec.h"

struct model;
struct graph;
struct node;
struct value;
struct infer;

/* ---- types: interned per model, compare by pointer (type.c) ---- */

/*
 * A dimension.  Known: s == 0, n >= 0.  Symbolic: s is a name or the
 * canonical text of an expression ("N", "2*N", "floor((H + 1)/2)").
 * Unknown: s == 0, n == DIM_UNKNOWN.
 */
#define DIM_UNKNOWN (-1)
struct dim {
	int64_t n;
	sym s;
	sym denotation; /* 0: none */
};

enum type_kind {
	TY_UNKNOWN,
	TY_TENSOR,
	TY_SPARSE,
	TY_SEQ,
	TY_OPTIONAL,
	TY_MAP,
	TY_OPAQUE
};

struct type {
	enum type_kind kind;
	enum dtype dt; /* TENSOR, SPARSE: element (NONE: unknown); MAP: key */
	int rank;      /* -1: unknown rank */
	sym denotation;
	const struct type *elem;        /* SEQ, OPTIONAL, MAP: element/value */
	sym opaque_domain, opaque_name; /* OPAQUE */
	struct dim dim[];
};

const struct type *type_unknown(void);
const struct type *type_tensor(struct model *m, enum dtype dt, int rank,
			       const struct dim *dim); /* rank -1: dim NULL */
const struct type *type_intern(struct model *m, const struct type *proto);
const struct type *type_of_elem(struct model *m, enum type_kind kind,
				enum dtype key, const struct type *elem);
/* Element count if every dim is known and the product fits; else false. */
bool type_count(const struct type *t, int64_t *n);
bool type_static(const struct type *t); /* tensor, all dims known */
/* Could one value have both types?  Unknown parts fit anything. */
bool type_compatible(const struct type *a, const struct type *b);
/* The most that both say; on conflict returns NULL.  Known dims win over
 * symbols; a's symbols win over b's. */
const struct type *type_merge(struct model *m, const struct type *a,
			      const struct type *b);
/* ONNX text syntax: "float[N,3,224,224]", "float" (rank 0), "float[]" (rank
 * unknown), "seq(int64[])", "map(string, float)". */
void type_print(const struct model *m, struct buf *b, const struct type *t);

static inline struct dim dim_of(int64_t n)
{
	return (struct dim){.n = n};
}

static inline bool dim_known(struct dim d)
{
	return d.s == 0 && d.n >= 0;
}

static inline bool dim_unknown(struct dim d)
{
	return d.s == 0 && d.n < 0;
}

/* ---- symbolic integers (dim.c): canonical expressions over symbols ---- */
/* Each result is known, symbolic, or unknown; never wrong. */
struct dim dim_sym(struct model *m, sym s); /* parses an expression */
struct dim dim_add(struct model *m, struct dim a, struct dim b);
struct dim dim_sub(struct model *m, struct dim a, struct dim b);
struct dim dim_mul(struct model *m, struct dim a, struct dim b);
struct dim dim_floordiv(struct model *m, struct dim a, struct dim b);
struct dim dim_ceildiv(struct model *m, struct dim a, struct dim b);
struct dim dim_mod(struct model *m, struct dim a, struct dim b);
struct dim dim_min(struct model *m, struct dim a, struct dim b);
struct dim dim_max(struct model *m, struct dim a, struct dim b);
bool dim_equal(struct dim a, struct dim b); /* provably equal */
/* Exact quotient if b divides a symbolically (2*N*6 / 3); else unknown. */
struct dim dim_divexact(struct model *m, struct dim a, struct dim b);
/* Replace symbols by numbers: bind maps sym -> int64. */
struct dim dim_bind(struct model *m, struct dim d, const struct map *bind);
/* Does a name in d satisfy is()?  True as well if d is nested too deep. */
bool dim_mentions(struct model *m, struct dim d,
		  bool (*is)(const void *ctx, sym s), const void *ctx);
void dim_print(const struct model *m, struct buf *b, struct dim d);
/*
 * Any integer, negative ones included, as elements of value.data: a negative
 * number is a symbol with the text "(-1)".  dim_number: false if d is no
 * number.
 */
struct dim dim_num(struct model *m, int64_t v);
bool dim_number(struct model *m, struct dim d, int64_t *v);
/* A number that d, made of sizes >= 0, is never below; false: none known. */
bool dim_lower(struct model *m, struct dim d, int64_t *v);
bool dim_le(struct model *m, struct dim a, struct dim b); /* provably a <= b */

/* ---- tensors: immutable data (tensor.c) ---- */

/* Which field of TensorProto held the data; the writer keeps it. */
enum tensor_enc { ENC_RAW, ENC_TYPED, ENC_EXTERNAL };

struct tensor {
	enum dtype dt;
	enum tensor_enc enc;
	int rank;
	int64_t n;           /* elements */
	struct blob *blob;   /* NULL for n == 0 or strings; a counted ref */
	size_t off, len;     /* bytes within the blob */
	struct str *strings; /* STRING: n entries */
	const struct tensor *sparse_indices; /* sparse: int64; this one
						holds the values */
	const int64_t *dense_dim; /* sparse: dense shape, dense_rank */
	int dense_rank;
	sym name;               /* of a tensor in an attribute */
	struct str rest;        /* encoded fields that the IR does not model */
	struct str sparse_rest; /* sparse: those of the message around */
	int64_t dim[];
};

/* The number of elements; false if a dim is negative or the product of dims
 * overflows.  With a dim of 0 the others may be anything. */
bool shape_count(int rank, const int64_t *dim, int64_t *n);
/* New tensor with a zeroed heap blob; NULL with a diagnostic on overflow or
 * the memory limit. */
struct tensor *tensor_create(struct model *m, enum dtype dt, int rank,
			     const int64_t *dim);
/* A tensor over existing bytes; takes its own reference to blob. */
struct tensor *tensor_of_blob(struct model *m, enum dtype dt, int rank,
			      const int64_t *dim, struct blob *blob,
			      size_t off);
const struct tensor *tensor_i64(struct model *m, int rank, const int64_t *dim,
				const int64_t *v);
const struct tensor *tensor_scalar(struct model *m, enum dtype dt, double v);
/* Flat bytes of len tensor.len (materializes splats); NULL on failure. */
const void *tensor_data(const struct model *m, const struct tensor *t);
/* For a tensor just created and not yet shared. */
void *tensor_data_mut(struct tensor *t);
const struct type *tensor_type(struct model *m, const struct tensor *t);
/* Same type, dims and bytes (names and encodings do not count). */
bool tensor_equal(const struct model *m, const struct tensor *a,
		  const struct tensor *b);
uint64_t tensor_hash(const struct model *m, const struct tensor *t);
/* Element i as int64 / double; t not STRING. */
int64_t tensor_int(const struct model *m, const struct tensor *t, int64_t i);
double tensor_float(const struct model *m, const struct tensor *t, int64_t i);
/* True if all elements are one value (splat or compared). */
bool tensor_uniform(const struct model *m, const struct tensor *t, double *v);

/* ---- operators: one row per version (schema.c, schema.def) ---- */

enum op_domain {
	DOM_ONNX,
	DOM_ML,
	DOM_TRAIN,
	DOM_PREVIEW,
	DOM_ORT,
	DOM_MS,
	DOM_NONE
};

enum op_id {
	OP_UNKNOWN, /* no schema: passes through untouched */
	OP_RETURN,  /* a graph's outputs are its inputs */
	OP_CALL,    /* a model-local function */
#define OPERATOR(id, domain, name) OP_##id,
#include "ir/schema.def"
	OP_COUNT
};

enum op_flag {
	OPF_PURE = 1, /* equal inputs give equal outputs, no effects */
	OPF_RANDOM = 2,
	OPF_ELEMENTWISE = 4, /* each output element from the same place,
				with broadcasting */
	OPF_COMMUTATIVE = 8, /* the first two inputs may be swapped */
	OPF_SHAPE_ONLY = 16, /* data moves, values do not change */
	OPF_SUBGRAPH = 32,   /* has graph attributes */
	OPF_DEPRECATED = 64,
};

#define ARITY_ANY 0x7fff

struct op {
	enum op_id id;
	enum op_domain domain;
	const char *name; /* "Conv" */
	int since;        /* first opset version of this row */
	unsigned flags;   /* OPF_* */
	int in_min, in_max, out_min, out_max; /* ARITY_ANY: unbounded */
	/* "X:T W:T B?:T", "*": variadic, "?": optional, "~": heterogeneous */
	const char *in, *out;
	/* "axis:i=1 perm:is body:g! mode:s=\"constant\"": "!": required */
	const char *attrs;
	/* "T=tensor(float)|tensor(double) Tind=tensor(int64)" */
	const char *constraints;
};

/* The row in force for an opset version; NULL if there is none. */
const struct op *op_find(struct str domain, struct str name, int64_t version);
const struct op *op_latest(enum op_id id, int64_t version);
int64_t op_newest(enum op_domain d); /* the newest version with a new row */
const char *op_domain_name(enum op_domain d); /* "" for ai.onnx */
const struct op *op_unknown(void);
const struct op *op_return(void);
const struct op *op_call(void);
/* All rows, sorted by id then version: for listings. */
const struct op *op_table(size_t *n);

/* ---- attributes (attr.c) ---- */

enum attr_kind { /* numbers of AttributeProto.AttributeType */
		 ATTR_NONE = 0,
		 ATTR_FLOAT = 1,
		 ATTR_INT = 2,
		 ATTR_STRING = 3,
		 ATTR_TENSOR = 4,
		 ATTR_GRAPH = 5,
		 ATTR_FLOATS = 6,
		 ATTR_INTS = 7,
		 ATTR_STRINGS = 8,
		 ATTR_TENSORS = 9,
		 ATTR_GRAPHS = 10,
		 ATTR_SPARSE = 11,
		 ATTR_SPARSES = 12,
		 ATTR_TYPE = 13,
		 ATTR_TYPES = 14,
};

struct attr {
	sym name;
	enum attr_kind kind;
	sym ref;             /* function bodies: the caller's attribute */
	uint32_t n;          /* 1 for the singular kinds */
	bool implicit_kind;  /* the file had no type tag */
	bool implicit_value; /* the file left a zero value out */
	struct str rest;
	union {
		int64_t *i;
		float *f;
		struct str *s;
		const struct tensor **t; /* also sparse */
		struct graph **g;
		const struct type **type;
	} u;
};

/* ---- graph ---- */

struct use {             /* one input slot of one user */
	struct value *v; /* NULL: optional input left out */
	struct node *user;
	struct use *next, **pprev; /* in v->uses, newest first */
};

/* A declared name and type as the file gave it (ValueInfoProto). */
struct info {
	sym name;
	const struct type *decl; /* type_unknown() if it had none */
	bool has_type;
	struct str rest;
};

struct value {
	sym name;                /* 0: to be named by model_finish() */
	const struct type *type; /* best known; never NULL */
	struct graph *graph;     /* where it is defined */
	struct node *def; /* producer; NULL: graph input or initializer */
	uint32_t slot;    /* output number of def, or graph input number */
	const struct tensor *konst; /* not NULL iff a known constant */
	const struct tensor *init;  /* stored initializer: equals konst, or
				       an input's overridable default */
	const struct info *info;    /* value_info entry of the file */
	const struct dim *data;     /* small integer tensors: element values as
				       far as known, ndata of them; or NULL */
	const struct dim *real;     /* the same of float and double tensors,
				       in units of 1/INFER_UNIT; nreal */
	uint32_t ndata, nreal;
	bool is_input; /* of graph->in */
	struct use *uses;
	uint32_t nuse;
	uint32_t mark; /* scratch for one walk; see graph_mark() */
};

struct node {
	struct graph *graph;      /* NULL once removed */
	struct node *prev, *next; /* list order is a topological order */
	const struct op *op;      /* never NULL; op_unknown() without schema */
	struct func *func;        /* OP_CALL: the callee */
	sym type;                 /* op_type as written */
	sym domain;               /* as written; 0: absent */
	sym overload;
	sym name; /* 0: none */
	struct use *in;
	uint32_t nin;
	struct value **out; /* NULL: optional output left out */
	uint32_t nout;
	struct attr *attr; /* in file order */
	uint32_t nattr;
	struct str rest;
	uint32_t mark;
	uint64_t order; /* increases along the list; see node_before() */
};

struct graph {
	struct model *model;
	struct node *owner; /* If/Loop/Scan node of this body; NULL: top */
	struct func *func;  /* not NULL: body of this function (top only) */
	sym name;
	struct node *first, *last; /* ret not included */
	struct node *ret;          /* OP_RETURN; its inputs are the outputs */
	struct value **in;
	struct info *in_info; /* nin entries: the interface as declared */
	uint32_t nin;
	struct info *out_info;    /* ret->nin entries */
	VEC(struct value *) init; /* initializers, file order */
	VEC(struct info *) infos; /* value_info entries, file order */
	uint32_t nnode;
	struct str rest;
};

struct func { /* FunctionProto */
	sym domain, name, overload;
	struct graph *body; /* in/ret carry the parameter names */
	sym *attr;          /* attribute parameters without default */
	uint32_t nattr;
	struct attr *attr_default; /* with default */
	uint32_t nattr_default;
	struct opset *opset;
	uint32_t nopset;
	struct str rest;
};

struct opset {
	sym domain; /* 0: absent, meaning ai.onnx */
	int64_t version;
	bool has_version;
	struct str rest;
};

struct model {
	struct arena arena;
	struct intern *syms;
	struct diag *diag; /* borrowed */
	struct graph *main;
	VEC(struct func *) func;
	struct opset *opset;
	uint32_t nopset;
	int64_t ir_version;
	bool has_ir_version, has_model_version;
	int64_t model_version;
	sym producer_name, producer_version, domain, doc;
	struct str rest;   /* metadata_props, training_info, unknown, ... */
	struct blob *file; /* the mapping that payloads point into; also
			      in blobs, which holds the reference */
	const char *path;  /* as given; for diagnostics and external data */
	size_t file_bytes;
	VEC(struct blob *) blobs;   /* every blob referenced; freed with us */
	struct map types, exprs;    /* intern tables of type.c and dim.c */
	VEC(struct graph *) graphs; /* every graph made, for model_free */
	struct map gone;        /* names of removed values with value_info */
	struct map moved;       /* values that changed graphs */
	struct map open, owner; /* names that inference gave to dims:
				   of a value; the graph of a symbol */
	uint32_t mark, fresh;
	struct infer *infer; /* of a running model_infer() */
};

/* model.c */
/* An empty model with an empty main graph. */
struct model *model_create(struct diag *d);
void model_free(struct model *m); /* NULL is fine */
sym model_sym(struct model *m, const char *cstr);
struct str sym_str(const struct model *m, sym s);
const char *sym_text(const struct model *m, sym s); /* for printing */
/* The imported version of a domain in the scope of g (functions have their
 * own imports); 0 if not imported. */
int64_t model_opset(const struct graph *g, enum op_domain d);
/* Adds an import to the scope of g if missing. */
void model_import(struct graph *g, enum op_domain d, int64_t version);
/* Release a blob with the model: takes over the caller's reference. */
void model_keep_blob(struct model *m, struct blob *b);
/*
 * After passes, before writing: names every unnamed value and gives each
 * graph output its declared name, by renaming or, where one value serves
 * two names, by an Identity node; drops value_info entries and initializers
 * of values that are gone.  Idempotent.
 */
enum status model_finish(struct model *m);
/* Deep copy of graphs into a new model that shares blobs.  Symbols of m mean
 * the same strings in the copy. */
struct model *model_clone(const struct model *m);
/* Structural equality, names included, tensors by content.  On difference
 * appends one line to why (may be NULL). */
bool model_equal(const struct model *a, const struct model *b, struct buf *why);
/* Every graph, outermost first: main, functions, bodies in node order. */
typedef VEC(struct graph *) graph_vec;
void model_graphs(const struct model *m, graph_vec *out);

/* graph.c */
struct graph *graph_create(struct model *m, struct node *owner);
/* Give g n inputs or outputs.  Those it has stay; new inputs are fresh
 * unnamed values, new outputs return nothing until use_set(&ret->in[i], v). */
void graph_set_inputs(struct graph *g, uint32_t n);
void graph_set_outputs(struct graph *g, uint32_t n);
/* The number of the input with this name; g->nin if there is none. */
uint32_t graph_input_named(const struct graph *g, struct str name);
void graph_drop_input(struct graph *g, uint32_t i); /* must be unused */
/* A new constant, stored as an initializer of g (not in function bodies). */
struct value *graph_add_init(struct graph *g, sym name, const struct tensor *t);
/* Stable topological sort, bodies' captures counted as the owner's inputs;
 * E-cycle. */
enum status graph_sort(struct graph *g);
uint32_t graph_mark(struct graph *g); /* a fresh mark number */
/* "main/if_3.then" for messages; from the model's arena. */
const char *graph_path(const struct graph *g);
/* The attribute of g's owner that holds g: "then_branch". */
struct str graph_role(const struct graph *g);
/* Is a an ancestor of (or the same as) g? */
bool graph_encloses(const struct graph *a, const struct graph *g);
/*
 * Make a body a top graph: captured constants become initializers of its own,
 * other captured values become inputs after those it has.  Its owner is left
 * without a valid body; drop it or the model it is in.
 */
void graph_detach(struct graph *g);
/* Number of nodes, all subgraphs included. */
size_t graph_node_count(const struct graph *g);

#define graph_foreach(n, g) for ((n) = (g)->first; (n); (n) = (n)->next)
/* Safe if n is removed in the loop body. */
#define graph_foreach_safe(n, nx, g) \
	for ((n) = (g)->first; (n) && ((nx) = (n)->next, 1); (n) = (nx))

/* node.c */
/* A node with nin empty inputs and nout fresh unnamed outputs, inserted
 * before `before` (NULL or g->ret: at the end).  Its type and domain are
 * those of op; without schema the caller sets them. */
struct node *node_create(struct graph *g, const struct op *op, uint32_t nin,
			 uint32_t nout, struct node *before);
/* Same for an operator at the graph's opset; NULL if it has none there. */
struct node *node_make(struct graph *g, enum op_id id, uint32_t nin,
		       uint32_t nout, struct node *before);
void node_set_input(struct node *n, uint32_t i, struct value *v);
void node_resize_inputs(struct node *n, uint32_t nin);
void node_remove(struct node *n); /* outputs must be unused; drops its
				     uses and its bodies' uses */
/* Also into the graph of `before` (its ret: at the end); NULL: to the end of
 * its own graph. */
void node_move(struct node *n, struct node *before);
/* Does a come before b in the same graph?  ret comes last. */
bool node_before(const struct node *a, const struct node *b);
struct value *node_in(const struct node *n, uint32_t i); /* NULL: left out */
struct value *node_out(const struct node *n, uint32_t i);
bool node_is(const struct node *n, enum op_id id);
struct at node_at(const struct node *n); /* for diagnostics */
/* Its name, else that of its first output, else its operator's. */
struct str node_label(const struct node *n);
struct at node_at_input(const struct node *n, uint32_t i);
enum op_id value_op(const struct value *v); /* of v->def; OP_UNKNOWN */

/* value.c */
struct value *value_create(struct graph *g, sym name);
void value_replace_uses(struct value *from, struct value *to);
/* As above, but leaves one user alone. */
void value_replace_uses_except(struct value *from, struct value *to,
			       const struct node *user);
void use_set(struct use *u, struct value *v); /* v NULL: left out */
/* Take an unused initializer, graph input or optional output of a node out of
 * its graph. */
void value_remove(struct value *v);
bool value_is_output(const struct value *v); /* of its own graph */
/* A new initializer or (in graphs that cannot hold one) Constant node. */
struct value *value_const(struct graph *g, const struct tensor *t,
			  struct node *before);

/* attr.c: accessors give dflt when the node has no such attribute of that
 * kind; setters replace in place or append */
const struct attr *node_attr(const struct node *n, const char *name);
bool node_has_attr(const struct node *n, const char *name);
/* Does any attribute stand for one of the function's caller? */
bool node_has_attr_ref(const struct node *n);
int64_t node_attr_int(const struct node *n, const char *name, int64_t dflt);
double node_attr_float(const struct node *n, const char *name, double dflt);
struct str node_attr_str(const struct node *n, const char *name,
			 const char *dflt);
/* Entries and their count; NULL with *n = 0 when absent. */
const int64_t *node_attr_ints(const struct node *n, const char *name,
			      size_t *count);
const float *node_attr_floats(const struct node *n, const char *name,
			      size_t *count);
const struct tensor *node_attr_tensor(const struct node *n, const char *name);
struct graph *node_attr_graph(const struct node *n, const char *name);
void node_set_int(struct node *n, const char *name, int64_t v);
void node_set_float(struct node *n, const char *name, float v);
void node_set_str(struct node *n, const char *name, const char *v);
void node_set_ints(struct node *n, const char *name, const int64_t *v,
		   size_t count);
void node_set_tensor(struct node *n, const char *name, const struct tensor *t);
void node_set_graph(struct node *n, const char *name, struct graph *g);
void node_drop_attr(struct node *n, const char *name);
/* Replaces to's attributes; bodies are copied.  Same model. */
void node_copy_attrs(struct node *to, const struct node *from);
bool attr_equal(const struct model *ma, const struct attr *a,
		const struct model *mb, const struct attr *b);
/* Every body graph of a node, in attribute order. */
size_t node_graph_count(const struct node *n);
struct graph *node_graph(const struct node *n, size_t i);

/* compat.c: operators whose attributes became inputs, seen as one thing */
/* Axes of Squeeze/Unsqueeze/Reduce*, attribute or constant input.  Returns
 * false if they are not known; *count 0 with true: none given. */
bool node_axes(const struct node *n, const int64_t **axes, size_t *count);
/* Any "attribute or constant input": input i, else attribute name. */
bool node_ints(const struct node *n, const char *name, uint32_t input,
	       const int64_t **v, size_t *count);
bool node_float_param(const struct node *n, const char *name, uint32_t input,
		      double dflt, double *v);
/* May the results be random?  Not if Dropout is known to be no training. */
bool node_random(const struct node *n);
struct node *mk_unsqueeze(struct graph *g, struct value *x, const int64_t *axes,
			  size_t n, struct node *before);
struct node *mk_squeeze(struct graph *g, struct value *x, const int64_t *axes,
			size_t n, struct node *before);
/* axis in [-rank, rank) to [0, rank); false if out of range. */
bool axis_fix(int64_t axis, int rank, int *out);

/* random.c: which outputs of the main graph depend on random numbers */
void random_outputs(const struct model *m, bool *out);

/* verify.c: invariants of the IR itself; BUG() on violation */
void model_verify_ir(const struct model *m);
/* check.c: the ONNX rules, each with its code; reports all, returns the
 * first error's status.  strict: unsorted nodes and the like are errors. */
enum status model_check(struct model *m, bool strict);

/* ---- shape and type inference (infer/infer.h has the inner interface) ---- */
/* Infers every value's type and small integer data, all subgraphs.  Unknown
 * stays unknown; a contradiction is E-shape or E-type naming both. */
enum status model_infer(struct model *m);
/* Sets value.konst of Constant nodes' outputs from their attributes. */
void value_note_consts(struct model *m);
/* One node, whose inputs' types are known as far as they are. */
enum status node_infer(struct node *n);

/* ---- ONNX text syntax (print.c, parse.c) ---- */
struct print_opts {
	int64_t max_elements; /* tensors above print as "..."; -1: no limit */
	bool types;           /* print inferred types as value_info */
	bool bits;            /* floats below 32 bits as their bits: what the
				 onnx package reads */
};
/* o NULL: everything, as the file had it. */
void model_print(const struct model *m, struct buf *b,
		 const struct print_opts *o);
void graph_print(const struct graph *g, struct buf *b,
		 const struct print_opts *o);
/* Parses a model; NULL with E-syntax (line and column in the message). */
struct model *model_parse(struct diag *d, const char *file, struct str text);

#endif
