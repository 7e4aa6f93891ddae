// SPDX-License-Identifier: GPL-2.0-or-later
/* No section reaches this file: it is here to be passed over. */
#include <linux/types.h>

int bits_set(unsigned long word)
{
	int nr = 0;

	while (word) {
		word &= word - 1;
		nr++;
	}
	return nr;
}
