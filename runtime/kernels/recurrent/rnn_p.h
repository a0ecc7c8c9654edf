/* SPDX-License-Identifier: MIT */
/*
 * rnn_p.h -- shapes, options and activations of LSTM, GRU and RNN.
 */
#ifndef RUNTIME_KERNELS_RNN_P_H
#define RUNTIME_KERNELS_RNN_P_H

#include "runtime/kernels/shared/nn_p.h"

enum rnn_kind { RNN_SIMPLE, RNN_GRU, RNN_LSTM };

enum rnn_act {
	ACT_SIGMOID,
	ACT_TANH,
	ACT_RELU,
	ACT_AFFINE,
	ACT_LEAKY_RELU,
	ACT_THRESHOLDED_RELU,
	ACT_SCALED_TANH,
	ACT_HARD_SIGMOID,
	ACT_ELU,
	ACT_SOFTSIGN,
	ACT_SOFTPLUS,
	ACT_COUNT
};

struct rnn_fn {
	enum rnn_act act;
	double alpha, beta;
};

enum { RNN_FNS = 6 }; /* three per direction at most */

/*
 * Gate rows of W, R and B: LSTM i o f c, GRU z r h.  Inputs: X, W, R, B,
 * sequence_lens, initial_h, and for LSTM initial_c, P.
 */
struct rnn {
	enum rnn_kind kind;
	int64_t time, batch, input, hidden, dirs, gates;
	bool reverse[2]; /* per direction */
	int nfn;         /* activations per direction */
	struct rnn_fn fn[RNN_FNS];
	double clip; /* 0: none */
	bool input_forget, linear_before_reset;
	/* Element strides: X and Y by time and batch, Y, Y_h by direction. */
	int64_t xt, xb, yt, yb, yd, hb, hd;
	int64_t ydim[4], hdim[3];
	const int32_t *lens; /* NULL: all of time */
};

enum status rnn_init(struct kcall *c, struct rnn *r, enum rnn_kind kind);
/* LSTM whose recurrent product sees the states of a step through 8 bits, as
 * DynamicQuantizeLinear makes them. */
enum status lstm_requantized(struct kcall *c);
double rnn_apply(const struct rnn_fn *f, double x);

#endif
