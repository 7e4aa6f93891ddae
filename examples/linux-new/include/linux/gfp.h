/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _LINUX_GFP_H
#define _LINUX_GFP_H

#include <linux/kernel.h>

#define __GFP_DIRECT_RECLAIM	0x01u
#define __GFP_KSWAPD_RECLAIM	0x02u
#define __GFP_IO		0x04u
#define __GFP_FS		0x08u
#define __GFP_HIGH		0x10u
#define __GFP_NOWARN		0x20u
#define __GFP_ZERO		0x40u
#define __GFP_RECLAIM	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_KERNEL	(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_ATOMIC	(__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT	(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)

struct page;

static inline bool gfpflags_allow_blocking(const gfp_t flags)
{
	return !!(flags & __GFP_DIRECT_RECLAIM);
}

static inline void might_alloc(gfp_t flags)
{
	might_sleep_if(gfpflags_allow_blocking(flags));
}

struct page *alloc_pages(gfp_t flags, unsigned int order);
#define alloc_page(flags)	alloc_pages(flags, 0)
unsigned long get_free_pages(gfp_t flags, unsigned int order);
#define __get_free_page(flags)	get_free_pages((flags), 0)
void __free_pages(struct page *page, unsigned int order);
#define __free_page(page)	__free_pages((page), 0)
void free_page(unsigned long addr);

#endif
