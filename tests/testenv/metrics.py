# SPDX-License-Identifier: GPL-2.0-or-later
"""Prometheus' text format, read as strictly as it is written."""

import re

LABEL = r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"([a-z_]+)(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([-+0-9.e]+)")


class Metrics(dict):
    """{(name, frozenset of labels): number} of a file's text. Each metric has its HELP and TYPE once, before its samples; no sample stands twice."""

    def __init__(self, text):
        super().__init__()
        assert text.endswith("\n")
        seen, metric = set(), None
        for line in text.splitlines():
            if head := re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) \S.*", line):
                assert (head[1], head[2]) not in seen, line
                seen.add((head[1], head[2]))
                metric = head[2]
                continue
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert re.sub("_(bucket|sum|count)$", "", sample[1]) == metric or sample[1] == metric, line
            key = sample[1], frozenset(re.findall(LABEL, sample[2] or ""))
            assert key not in self, line
            self[key] = float(sample[sample.re.groups])

    def sum(self, name, **labels):
        """Of all samples that have these labels; None where there is none."""
        found = [number for (other, has), number in self.items() if other == name and set(labels.items()) <= has]
        return sum(found) if found else None
