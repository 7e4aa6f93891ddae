/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_CLEANUP_H
#define _LINUX_CLEANUP_H

#include <linux/compiler.h>

#define __cleanup(function)	__attribute__((cleanup(function)))

#define __JOINED(a, b)	a##b
#define __NAMED(a, b)	__JOINED(a, b)
#define __UNIQUE_ID(x)	__NAMED(unique_##x##_, __COUNTER__)

/* What a class's guard does where it is taken, and wherever its scope is left. */
#define DEFINE_LOCK_GUARD_1(name, type, take, drop)			\
typedef struct {							\
	type *lock;							\
} class_##name##_t;							\
static inline void class_##name##_destructor(class_##name##_t *_T)	\
{									\
	if (_T->lock) {							\
		drop;							\
	}								\
}									\
static inline class_##name##_t class_##name##_constructor(type *l)	\
{									\
	class_##name##_t guard = { .lock = l }, *_T = &guard;		\
									\
	take;								\
	return guard;							\
}									\
static inline void *class_##name##_lock_ptr(class_##name##_t *_T)	\
{									\
	return _T->lock;						\
}

#define DEFINE_LOCK_GUARD_0(name, take, drop)				\
typedef struct {							\
	void *lock;							\
} class_##name##_t;							\
static inline void class_##name##_destructor(class_##name##_t *_T)	\
{									\
	if (_T->lock) {							\
		drop;							\
	}								\
}									\
static inline class_##name##_t class_##name##_constructor(void)	\
{									\
	class_##name##_t guard = { .lock = (void *)1 };			\
									\
	take;								\
	return guard;							\
}									\
static inline void *class_##name##_lock_ptr(class_##name##_t *_T)	\
{									\
	return _T->lock;						\
}

/* One more class, whose guard may not be had: it is empty then. */
#define DEFINE_LOCK_GUARD_1_COND(name, ext, try)			\
typedef class_##name##_t class_##name##ext##_t;				\
static inline void class_##name##ext##_destructor(class_##name##_t *_T)	\
{									\
	class_##name##_destructor(_T);					\
}									\
static inline class_##name##_t class_##name##ext##_constructor(typeof(((class_##name##_t *)0)->lock) l) \
{									\
	class_##name##_t guard = { .lock = l }, *_T = &guard;		\
									\
	if (!(try))							\
		_T->lock = NULL;					\
	return guard;							\
}									\
static inline void *class_##name##ext##_lock_ptr(class_##name##_t *_T)	\
{									\
	return _T->lock;						\
}

#define CLASS(name, variable)						\
	class_##name##_t variable __cleanup(class_##name##_destructor) =	\
		class_##name##_constructor

#define guard(name)	CLASS(name, __UNIQUE_ID(guard))

#define __scoped_guard(name, label, args...)				\
	for (CLASS(name, scope)(args);					\
	     class_##name##_lock_ptr(&scope);				\
	     ({ goto label; }))						\
		if (0) {						\
label:									\
			break;						\
		} else

#define scoped_guard(name, args...) \
	__scoped_guard(name, __UNIQUE_ID(label), args)

/* A function that is called with what a pointer points to when that goes out of scope. */
#define DEFINE_FREE(name, type, free)					\
static inline void __free_##name(void *p)				\
{									\
	type _T = *(type *)p;						\
									\
	free;								\
}

#define __free(name)	__cleanup(__free_##name)

#endif
