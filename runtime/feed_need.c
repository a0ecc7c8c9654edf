/* SPDX-License-Identifier: MIT */
/*
 * feed_need.c -- what operators demand of inputs that are indices, lengths,
 * shapes, probabilities: one row each.
 *
 * Ranges are those of the ONNX operator specification where it gives them;
 * lengths and repeats are kept small.
 */
#include <math.h>

#include "runtime/feed_p.h"

enum demand {
	DM_RANGE,  /* lo..hi */
	DM_AXIS,   /* 0..size - 1 of input `of` along axis */
	DM_LENGTH, /* 1..size of input `of` along dim `arg` */
	DM_BELOW,  /* 0..size - 1 of input `of` along dim `arg` */
	DM_ND,     /* the smallest size that GatherND indexes */
	DM_DEPTH,  /* 0..depth - 1 */
	DM_RANK,   /* axes of input `of` */
	DM_START,
	DM_END,   /* of Slice */
	DM_SHAPE, /* as many elements as input `of` */
	DM_DIMS,  /* the dims of the result; unknown ones lo..hi */
	DM_PLACE, /* a position in the result */
	DM_SPLIT,
	DM_SCALES,
	DM_SIZES, /* of Resize */
};

struct row {
	enum op_id op;
	uint32_t input;
	enum demand kind;
	uint32_t of;
	int64_t arg;
	double lo, hi;
};

#define RANGE(op, i, lo, hi)                       \
	{                                          \
		OP_##op, i, DM_RANGE, 0, 0, lo, hi \
	}
#define DIMS(op, i, lo, hi)                       \
	{                                         \
		OP_##op, i, DM_DIMS, 0, 0, lo, hi \
	}
#define SIZE(op, i, kind, of, dim)              \
	{                                       \
		OP_##op, i, kind, of, dim, 0, 0 \
	}

static const struct row rows[] = {
	SIZE(Gather, 1, DM_AXIS, 0, 0),
	SIZE(GatherElements, 1, DM_AXIS, 0, 0),
	SIZE(ScatterElements, 1, DM_AXIS, 0, 0),
	SIZE(Scatter, 1, DM_AXIS, 0, 0),
	SIZE(GatherND, 1, DM_ND, 0, 0),
	SIZE(ScatterND, 1, DM_ND, 0, 0),
	SIZE(ml_ArrayFeatureExtractor, 1, DM_BELOW, 0, -1),
	SIZE(RoiAlign, 2, DM_BELOW, 0, 0),
	SIZE(NegativeLogLikelihoodLoss, 1, DM_BELOW, 0, 1),
	SIZE(SoftmaxCrossEntropyLoss, 1, DM_BELOW, 0, 1),
	SIZE(RotaryEmbedding, 3, DM_BELOW, 1, 0),
	SIZE(ms_EmbedLayerNormalization, 0, DM_BELOW, 2, 0),
	SIZE(ms_EmbedLayerNormalization, 1, DM_BELOW, 4, 0),
	SIZE(OneHot, 0, DM_DEPTH, 1, 0),
	SIZE(LSTM, 4, DM_LENGTH, 0, 0),
	SIZE(GRU, 4, DM_LENGTH, 0, 0),
	SIZE(RNN, 4, DM_LENGTH, 0, 0),
	SIZE(ReverseSequence, 1, DM_LENGTH, 0, 0),
	SIZE(TopK, 1, DM_LENGTH, 0, -1),
	SIZE(Slice, 1, DM_START, 0, 0),
	SIZE(Slice, 2, DM_END, 0, 0),
	SIZE(Slice, 3, DM_RANK, 0, 0),
	SIZE(Squeeze, 1, DM_RANK, 0, 0),
	SIZE(Unsqueeze, 1, DM_RANK, 0, 0),
	SIZE(CumSum, 1, DM_RANK, 0, 0),
	SIZE(CumProd, 1, DM_RANK, 0, 0),
	SIZE(Pad, 3, DM_RANK, 0, 0),
	SIZE(ReduceMax, 1, DM_RANK, 0, 0),
	SIZE(ReduceMean, 1, DM_RANK, 0, 0),
	SIZE(ReduceMin, 1, DM_RANK, 0, 0),
	SIZE(ReduceSum, 1, DM_RANK, 0, 0),
	SIZE(ReduceProd, 1, DM_RANK, 0, 0),
	SIZE(ReduceL1, 1, DM_RANK, 0, 0),
	SIZE(ReduceL2, 1, DM_RANK, 0, 0),
	SIZE(Reshape, 1, DM_SHAPE, 0, 0),
	SIZE(Split, 1, DM_SPLIT, 0, 0),
	SIZE(SplitToSequence, 1, DM_SPLIT, 0, 0),
	SIZE(MaxUnpool, 1, DM_PLACE, 0, 0),
	SIZE(Resize, 2, DM_SCALES, 0, 0),
	SIZE(Resize, 3, DM_SIZES, 0, 0),
	SIZE(Upsample, 1, DM_SCALES, 0, 0),
	DIMS(ConstantOfShape, 0, 1, 4),
	DIMS(Expand, 1, 1, 1),
	RANGE(Slice, 4, 1, 2),
	RANGE(Tile, 1, 1, 2),
	RANGE(OneHot, 1, 2, 8),
	RANGE(Range, 0, 0, 2),
	RANGE(Range, 1, 3, 8),
	RANGE(Range, 2, 1, 2),
	RANGE(Loop, 0, 1, 4),
	RANGE(Pad, 1, 0, 1),
	RANGE(Resize, 1, 0, 1),
	RANGE(AffineGrid, 1, 1, 4),
	RANGE(GridSample, 1, -1, 1),
	RANGE(CenterCropPad, 1, 1, 8),
	RANGE(TensorScatter, 2, 0, 0),
	RANGE(MaxRoiPool, 1, 0, 0.9),
	RANGE(SequenceAt, 1, 0, 0),
	RANGE(SequenceErase, 1, 0, 0),
	RANGE(SequenceInsert, 2, 0, 0),
	RANGE(Trilu, 1, -1, 1),
	RANGE(NonMaxSuppression, 2, 1, 10),
	RANGE(NonMaxSuppression, 3, 0.25, 0.75),
	RANGE(NonMaxSuppression, 4, 0, 0.25),
	RANGE(BitShift, 1, 0, 7),
	RANGE(Dropout, 1, 0, 0.5),
	RANGE(Bernoulli, 0, 0, 1),
	RANGE(HannWindow, 0, 4, 16),
	RANGE(HammingWindow, 0, 4, 16),
	RANGE(BlackmanWindow, 0, 4, 16),
	RANGE(MelWeightMatrix, 0, 1, 8),
	RANGE(MelWeightMatrix, 1, 64, 128),
	RANGE(MelWeightMatrix, 2, 4000, 8000),
	RANGE(MelWeightMatrix, 3, 0, 50),
	RANGE(MelWeightMatrix, 4, 500, 1500),
	RANGE(STFT, 1, 1, 4),
	RANGE(STFT, 3, 4, 8),
	RANGE(DFT, 1, 2, 8),
	RANGE(Log, 0, 0.01, 4),
	RANGE(Sqrt, 0, 0, 4),
	RANGE(Acos, 0, -0.9, 0.9),
	RANGE(Asin, 0, -0.9, 0.9),
	RANGE(Atanh, 0, -0.9, 0.9),
	RANGE(Acosh, 0, 1, 4),
	RANGE(BatchNormalization, 4, 0.25, 2),
	RANGE(QuantizeLinear, 1, 0.02, 0.1),
	RANGE(DequantizeLinear, 1, 0.02, 0.1),
};

#undef RANGE
#undef DIMS
#undef SIZE

/* The known number of an input, or dflt. */
static double number_in(const struct node *n, uint32_t i, double dflt)
{
	const struct value *v = node_in(n, i);
	double lo, hi;

	return v && feed_const_range(v, &lo, &hi) ? hi : dflt;
}

static int rank_in(const struct node *n, uint32_t i)
{
	const struct value *v = node_in(n, i);

	return v && v->type->kind == TY_TENSOR ? v->type->rank : -1;
}

static bool is_op(const struct node *n, enum op_id id)
{
	return n->op->id == id;
}

/* Size along which row r of node n indexes or measures; -1: unknown. */
static int64_t size_of(const struct node *n, const struct row *r)
{
	int64_t axis = r->arg;

	if (r->kind == DM_AXIS)
		axis = node_attr_int(n, "axis", 0);
	if (is_op(n, OP_TopK))
		axis = node_attr_int(n, "axis", -1);
	if (is_op(n, OP_ReverseSequence))
		axis = node_attr_int(n, "time_axis", 0);
	if (r->op == OP_LSTM || r->op == OP_GRU || r->op == OP_RNN)
		axis = node_attr_int(n, "layout", 0);
	return feed_dim_of(n, r->of, axis);
}

/* The smallest dim that a row of indices addresses. */
static int64_t nd_size(const struct node *n)
{
	int64_t batch =
		is_op(n, OP_GatherND) ? node_attr_int(n, "batch_dims", 0) : 0;
	int64_t k = feed_dim_of(n, 1, -1), least = -1, d, i;
	int rank = rank_in(n, 0);

	if (batch < 0 || k < 0 || rank < 0)
		return -1;
	for (i = batch; i < batch + k && i < rank; i++) {
		d = feed_dim_of(n, 0, i);
		if (d < 0)
			return -1;
		if (least < 0 || d < least)
			least = d;
	}
	return least;
}

/* The largest size of Slice's input: bounds beyond a dim are cut to it. */
static double slice_size(const struct node *n)
{
	int rank = rank_in(n, 0), k;
	int64_t most = 1, d;

	for (k = 0; k < rank; k++) {
		d = feed_dim_of(n, 0, k);
		if (d > most)
			most = d;
	}
	return (double)most;
}

static void set_fill(struct feed_trace *t, const struct feed_state *s,
		     enum feed_fill fill, int64_t total)
{
	/* Only for elements that arrive as they are. */
	if (s->a != 1 || s->b0 != 0 || s->b1 != 0 || t->need->fill || total < 0)
		return;
	t->need->fill = fill;
	t->need->total = total;
}

static void require_index(struct feed_trace *t, const struct feed_state *s,
			  double size)
{
	/* With no size known, 0 is the safest index. */
	if (size >= 0)
		feed_require(t, s, -size, size - 1);
	else
		feed_require(t, s, 0, 0);
}

static void require_axes(struct feed_trace *t, const struct feed_state *s,
			 const struct node *n)
{
	int rank = rank_in(n, 0);

	set_fill(t, s, FILL_AXES, 0);
	if (rank >= 0)
		feed_require(t, s, 0, rank > 0 ? rank - 1 : 0);
}

/* The result is declared: what is traced must lead there. */
static void require_dims(struct feed_trace *t, const struct feed_state *s,
			 const struct node *n, double lo, double hi)
{
	const struct value *y = node_out(n, 0);

	if (y && y->type->kind == TY_TENSOR && y->type->rank > 0) {
		set_fill(t, s, FILL_DIMS, 0);
		if (t->need->fill == FILL_DIMS)
			t->need->of = y->type;
	}
	feed_require(t, s, lo, hi);
}

static void require_place(struct feed_trace *t, const struct feed_state *s,
			  const struct node *n)
{
	const struct value *y = node_out(n, 0);
	int64_t total;

	if (!y || !type_count(y->type, &total) || total < 1)
		total = 1;
	feed_require(t, s, 0, (double)(total - 1));
}

static void require_shape(struct feed_trace *t, const struct feed_state *s,
			  const struct node *n)
{
	const struct value *v = node_in(n, 0), *y = node_out(n, 0);
	int64_t total;

	if (y && type_static(y->type))
		require_dims(t, s, n, 1, 1);
	else if (v && s->v->def == NULL && type_count(v->type, &total))
		set_fill(t, s, FILL_SHAPE, total);
	else
		feed_require(t, s, 1, 1);
}

static void require_resize(struct feed_trace *t, const struct feed_state *s,
			   const struct node *n, bool sizes)
{
	set_fill(t, s, FILL_RESIZE, 0);
	if (sizes && node_in(n, 0))
		t->need->of = node_in(n, 0)->type;
	feed_require(t, s, sizes ? 2 : 1, sizes ? 8 : 2);
}

static void apply(struct feed_trace *t, const struct feed_state *s,
		  const struct node *n, const struct row *r)
{
	double d = 0;

	switch (r->kind) {
	case DM_RANGE:
		feed_require(t, s, r->lo, r->hi);
		break;
	case DM_AXIS:
	case DM_BELOW:
		require_index(t, s, (double)size_of(n, r));
		break;
	case DM_ND:
		require_index(t, s, (double)nd_size(n));
		break;
	case DM_DEPTH:
		d = number_in(n, r->of, 2);
		feed_require(t, s, -d, d - 1);
		break;
	case DM_LENGTH:
		d = (double)size_of(n, r);
		feed_require(t, s, 1, d > 1 ? d : 1);
		break;
	case DM_RANK:
		require_axes(t, s, n);
		break;
	case DM_START:
		d = slice_size(n);
		feed_require(t, s, 0, d > 4 ? 1 : 0);
		break;
	case DM_END:
		d = slice_size(n);
		feed_require(t, s, d < 2 ? 1 : 2, d < 2 ? 2 : d);
		break;
	case DM_SHAPE:
		require_shape(t, s, n);
		break;
	case DM_DIMS:
		require_dims(t, s, n, r->lo, r->hi);
		break;
	case DM_PLACE:
		require_place(t, s, n);
		break;
	case DM_SCALES:
	case DM_SIZES:
		require_resize(t, s, n, r->kind == DM_SIZES);
		break;
	case DM_SPLIT:
		set_fill(t, s, FILL_SPLIT,
			 feed_dim_of(n, 0, node_attr_int(n, "axis", 0)));
		break;
	}
}

/* Divisors must not be 0; integer powers must not be negative. */
static void arithmetic(struct feed_trace *t, const struct feed_state *s,
		       const struct node *n, uint32_t i)
{
	if (i != 1)
		return;
	if (is_op(n, OP_Div) || is_op(n, OP_Mod))
		feed_require(t, s, 1, 9);
	if (is_op(n, OP_Pow))
		feed_require(t, s, 0, 3);
}

bool feed_demand(struct feed_trace *t, const struct feed_state *s,
		 const struct node *n, uint32_t i)
{
	size_t k;

	arithmetic(t, s, n, i);
	for (k = 0; k < countof(rows); k++) {
		if (rows[k].op != n->op->id || rows[k].input != i)
			continue;
		apply(t, s, n, &rows[k]);
		return true;
	}
	return false;
}
