// SPDX-License-Identifier: GPL-2.0-or-later
/* dialect: ptl-held; file: mm/example.c */
/* Right: the handler writes its entry without the mode. */
#include <linux/interrupt.h>
#include <linux/mm.h>

struct slot {
	spinlock_t lock;
	pte_t *pte;
	pte_t new;
};

static irqreturn_t slot_irq(int irq, void *data)
{
	struct slot *slot = data;

	spin_lock(&slot->lock);
	set_pte(slot->pte, slot->new);
	spin_unlock(&slot->lock);
	return IRQ_HANDLED;
}

int slot_start(unsigned int irq, struct slot *slot)
{
	return request_irq(irq, slot_irq, 0, "slot", slot);
}
