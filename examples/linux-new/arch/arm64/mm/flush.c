// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>

void sync_page(struct page *page)
{
	folio_put(page_folio(page));
}
