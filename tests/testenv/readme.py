# SPDX-License-Identifier: GPL-2.0-or-later
"""What README.md and docs/ show, for tests that try it."""

import re


def indented(text):
    """The indented blocks of a text, each without its indent."""
    blocks = re.findall(r"(?:^ {4}.*\n)(?:^(?: {4}.*)?\n)*", text, re.MULTILINE)
    return ["\n".join(line[4:] for line in block.splitlines()) for block in blocks]
