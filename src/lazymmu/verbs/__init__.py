# SPDX-License-Identifier: GPL-2.0-or-later
"""What each verb does: a request goes in, an answer comes out, and nothing is printed.

The command line parses a request and prints the answer; a program makes the request itself
(`lazymmu.CheckRequest`, `lazymmu.check`). Below are the witnesses, above is whoever asks.
"""
