# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages: what all verbs' HTML has in common, from the template around it to how code is coloured.

A verb's own page is a template here and a module in the verb's room that makes its values. `render`
of `page` is the way in: one file that asks for nothing from anywhere.
"""
