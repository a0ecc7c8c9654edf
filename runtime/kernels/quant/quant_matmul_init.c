/* SPDX-License-Identifier: MIT */
/*
 * quant_matmul_init.c -- parameters of MatMulInteger, QLinearMatMul and the
 * contributed QGemm, MatMulIntegerToFloat and DynamicQuantizeMatMul.
 *
 * The zero point and scale of A may go by row, those of B by column.
 */
#include "runtime/kernels/quant/quant_matmul_p.h"

static enum status operand(struct kcall *c, uint32_t j, uint32_t jz, int64_t n,
			   int64_t rs, int64_t cs, struct q8_mat *m)
{
	enum status s = q8_tensor(c, j);

	if (s != OK)
		return s;
	m->p = c->in[j]->data;
	m->is_signed = c->in[j]->dt == DT_I8;
	m->rs = rs;
	m->cs = cs;
	return q8_zeros(c, jz, c->in[j]->dt, n, &m->zero, &m->zstep);
}

/* A of input 0 with zero point jaz; B of q->jb; shapes are known. */
static enum status operands(struct kcall *c, struct qmatmul *q, uint32_t jaz)
{
	struct matmul *mm = &q->mm;
	enum status s;

	s = operand(c, 0, jaz, mm->m, mm->ars, mm->acs, &q->a);
	if (s == OK)
		s = operand(c, q->jb, q->jbz, mm->n, mm->brs, mm->bcs, &q->b);
	return s;
}

/* mult = factor a b / y: by row if a's scale goes by row, by column if b's
 * does. */
static enum status multipliers(struct kcall *c, struct qmatmul *q, uint32_t ja,
			       uint32_t jb, float factor, float y)
{
	const float *a, *b;
	int64_t rows, cols;
	enum status s = q8_scales(c, ja, q->mm.m, &a, &q->row_step);

	if (s == OK)
		s = q8_scales(c, jb, q->mm.n, &b, &q->col_step);
	if (s != OK)
		return s;
	rows = q->row_step ? q->mm.m : 1;
	cols = q->col_step ? q->mm.n : 1;
	q->mult = nn_temp_f32(c, rows * cols);
	if (!q->mult)
		return LIMIT;
	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < cols; j++)
			q->mult[i * cols + j] = factor * a[i] * b[j] / y;
	return OK;
}

/* Type, scale and zero point of an 8-bit result. */
static enum status result(struct kcall *c, struct qmatmul *q, uint32_t js,
			  uint32_t jz, float *scale)
{
	int32_t zero = 0;
	enum status s = q8_tensor(c, jz);

	if (s == OK)
		s = q8_zero(c, jz, c->in[jz]->dt, &zero);
	if (s == OK)
		s = q8_scale(c, js, scale);
	if (s != OK)
		return s;
	q->to = c->in[jz]->dt;
	q->range = q8_range(q->to == DT_I8, zero);
	return OK;
}

static enum status init_integer(struct kcall *c, struct qmatmul *q)
{
	enum status s;

	*q = (struct qmatmul){.jb = 1, .jbz = 3, .to = DT_I32};
	s = matmul_init(c, &q->mm, 0, 1);
	return s == OK ? operands(c, q, 2) : s;
}

static enum status init_linear(struct kcall *c, struct qmatmul *q)
{
	float y = 1;
	enum status s;

	*q = (struct qmatmul){.jb = 3, .jbz = 5};
	s = matmul_init(c, &q->mm, 0, 3);
	if (s == OK)
		s = operands(c, q, 2);
	if (s == OK)
		s = result(c, q, 6, 7, &y);
	return s == OK ? multipliers(c, q, 1, 4, 1, y) : s;
}

static enum status init_gemm(struct kcall *c, struct qmatmul *q)
{
	bool ta = node_attr_int(c->node, "transA", 0) != 0;
	bool tb = node_attr_int(c->node, "transB", 0) != 0;
	float y = 1, alpha = (float)node_attr_float(c->node, "alpha", 1);
	enum status s;

	*q = (struct qmatmul){.jb = 3, .jbz = 5, .to = DT_F32};
	s = matmul_init_2d(c, &q->mm, 0, 3, ta, tb);
	if (s == OK)
		s = operands(c, q, 2);
	if (s == OK && kcall_has(c, 6)) {
		s = gemm_bias(c, 6, q->mm.m, q->mm.n, &q->bias_rs, &q->bias_cs);
		if (s == OK && c->in[6]->dt != DT_I32)
			s = kcall_error(c, E_type, "C is not int32");
		q->bias = c->in[6]->data;
	}
	if (s == OK && kcall_has(c, 7))
		s = result(c, q, 7, 8, &y);
	return s == OK ? multipliers(c, q, 1, 4, alpha, y) : s;
}

/* The float bias of input j, one per column. */
static enum status float_bias(struct kcall *c, struct qmatmul *q, uint32_t j)
{
	enum status s = nn_vector(c, j, DT_F32, q->mm.n);

	if (s == OK && kcall_has(c, j))
		q->fbias = c->in[j]->data;
	return s;
}

static enum status need_f32(struct kcall *c, uint32_t j)
{
	if (kcall_has(c, j) && c->in[j]->dt != DT_F32)
		return kcall_error(c, E_unsupported,
				   "input %u is of type %s, not float", j,
				   dtype_name(c->in[j]->dt));
	return OK;
}

static enum status init_to_float(struct kcall *c, struct qmatmul *q)
{
	enum status s;

	*q = (struct qmatmul){.jb = 1, .jbz = 5, .to = DT_F32};
	s = matmul_init(c, &q->mm, 0, 1);
	if (s == OK)
		s = operands(c, q, 4);
	if (s == OK)
		s = need_f32(c, 2);
	if (s == OK)
		s = float_bias(c, q, 6);
	return s == OK ? multipliers(c, q, 2, 3, 1, 1) : s;
}

/* The projection of QAttention. */
static enum status init_attention(struct kcall *c, struct qmatmul *q)
{
	enum status s = need_f32(c, 2);

	*q = (struct qmatmul){.jb = 1, .jbz = 7, .to = DT_F32};
	if (s == OK)
		s = matmul_init(c, &q->mm, 0, 1);
	if (s == OK)
		s = operands(c, q, 6);
	if (s == OK)
		s = float_bias(c, q, 2);
	return s == OK ? multipliers(c, q, 3, 4, 1, 1) : s;
}

/* A becomes uint8 as DynamicQuantizeLinear would make it. */
static enum status init_dynamic(struct kcall *c, struct qmatmul *q)
{
	const float *b;
	int32_t *zero;
	float scale;
	uint8_t *a;
	enum status s;

	*q = (struct qmatmul){.jb = 1, .jbz = 3, .to = DT_F32};
	s = matmul_init(c, &q->mm, 0, 1);
	if (s == OK)
		s = operand(c, 1, 3, q->mm.n, q->mm.brs, q->mm.bcs, &q->b);
	if (s == OK && c->in[0]->dt != DT_F32)
		s = kcall_error(c, E_type, "input 0 is not float");
	if (s == OK)
		s = float_bias(c, q, 4);
	if (s == OK)
		s = q8_scales(c, 2, q->mm.n, &b, &q->col_step);
	if (s != OK)
		return s;
	q->mult = nn_temp_f32(c, c->in[2]->n);
	a = nn_scratch(c, c->in[0]->n, 1);
	zero = nn_scratch(c, 1, sizeof *zero);
	if (!a || !zero || !q->mult)
		return LIMIT;
	q8_dynamic(c->in[0]->data, c->in[0]->n, a, &scale, zero);
	q->a = (struct q8_mat){
		.p = a, .rs = q->mm.ars, .cs = q->mm.acs, .zero = zero};
	for (int64_t j = 0; j < c->in[2]->n; j++)
		q->mult[j] = scale * b[j];
	return OK;
}

enum status qmatmul_init(struct kcall *c, struct qmatmul *q)
{
	switch (c->node->op->id) {
	case OP_MatMulInteger:
		return init_integer(c, q);
	case OP_QLinearMatMul:
		return init_linear(c, q);
	case OP_ms_QGemm:
		return init_gemm(c, q);
	case OP_ms_QAttention:
		return init_attention(c, q);
	case OP_ms_MatMulIntegerToFloat:
		return init_to_float(c, q);
	default:
		return init_dynamic(c, q);
	}
}
