/* SPDX-License-Identifier: MIT */
/*
 * vec.h -- a growable array of any type.
 *
 *	VEC(struct node *) work = { 0 };
 *	vec_push(&work, n);
 *	vec_release(&work);
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdlib.h>
#include "base/util.h"

#define VEC(T)                 \
	struct {               \
		T *p;          \
		size_t n, cap; \
	}

/* Room for one more element of size es; returns the (moved) storage. */
void *vec_grow(void *p, size_t n, size_t *cap, size_t es);

#define vec_push(v, x)                                               \
	do {                                                         \
		if ((v)->n == (v)->cap)                              \
			(v)->p = vec_grow((v)->p, (v)->n, &(v)->cap, \
					  sizeof *(v)->p);           \
		(v)->p[(v)->n++] = (x);                              \
	} while (0)
#define vec_pop(v) ((v)->p[--(v)->n])
#define vec_release(v)                 \
	do {                           \
		free((v)->p);          \
		(v)->p = NULL;         \
		(v)->n = (v)->cap = 0; \
	} while (0)

#endif
