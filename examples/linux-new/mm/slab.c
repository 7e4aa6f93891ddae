// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <linux/slab.h>

void *__kmalloc(size_t size, gfp_t flags)
{
	might_alloc(flags);
	return (void *)__get_free_page(flags);
}

void kfree(const void *object)
{
	if (object)
		free_page((unsigned long)object);
}
