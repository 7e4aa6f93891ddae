// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>

struct page *take_free_page(unsigned int order);
void reclaim_some(void);
unsigned long page_to_virt(struct page *page);

struct page *alloc_pages(gfp_t flags, unsigned int order)
{
	struct page *page;

	might_alloc(flags);
	page = take_free_page(order);
	if (!page && gfpflags_allow_blocking(flags)) {
		reclaim_some();
		cond_resched();
		page = take_free_page(order);
	}
	return page;
}

unsigned long get_free_pages(gfp_t flags, unsigned int order)
{
	struct page *page = alloc_pages(flags, order);

	return page ? page_to_virt(page) : 0;
}
