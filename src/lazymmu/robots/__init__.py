# SPDX-License-Identifier: GPL-2.0-or-later
"""A server of the Model Context Protocol, for robots that review patches.

Whoever asks is a stranger, and so are the arguments: a tool names one of the trees that the server
was started with and no path, and what it asks is done by a process of its own with bounded time and
memory, whose answer is cut to a size that a robot takes.
"""
