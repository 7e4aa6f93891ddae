# SPDX-License-Identifier: GPL-2.0-or-later
"""What sections save and what they cost, counted on machines: hypercalls, barriers, invalidations.

Nothing is searched: one task does an operation from its beginning to its end, and nobody comes
between. Counts are of the machine; time is a calibration's, and without one there is none.
"""
