/* SPDX-License-Identifier: MIT */
/*
 * mathd.h -- transcendental functions in double precision.
 *
 * Only IEEE + - * / and sqrt, so that every machine and compiler gives the
 * same bits (build with -ffp-contract=off).  Relative error below 1e-15, in
 * the comments where it is larger; results are not monotonic to the last bit.
 * NaN, infinities and overflow behave as in C's functions of the same names.
 */
#ifndef RUNTIME_MATHD_H
#define RUNTIME_MATHD_H

double md_exp(double x);
double md_expm1(double x);
double md_log(double x);
double md_log1p(double x);
double md_pow(double x, double y);
double md_sigmoid(double x);  /* 1 / (1 + exp(-x)) */
double md_softplus(double x); /* log(1 + exp(x)) */
double md_erf(double x);      /* absolute error below 2e-16 */
double md_sin(double x);
double md_cos(double x);
double md_tan(double x);
double md_asin(double x);
double md_acos(double x);
double md_atan(double x);
double md_sinh(double x);
double md_cosh(double x);
double md_tanh(double x);
double md_asinh(double x);
double md_acosh(double x);
double md_atanh(double x);

#endif
