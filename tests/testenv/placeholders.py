# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of `certdir placeholders` with a list and a certdir.conf of their own."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from testenv.clock import later
from testenv.devices import DeviceList
from testenv.radiusd import BUILD

SECTION = "wifi"
# Exit codes of `certdir placeholders`.
NOTHING, FAILED, TO_DO, REFUSED, PROBLEMS, STOPPED, MISUSED, MISCONFIGURED = 0, 1, 2, 3, 4, 5, 64, 78
UNDO_IS_NONE, UNREADABLE = 65, 66
DONE = NOTHING


@dataclass
class Run:
    """One run that ended, with --json."""

    code: int
    lines: list = field(repr=False)
    err: str

    def of(self, kind):
        return [line for line in self.lines if line.get("type") == kind]

    @property
    def summary(self):
        return self.of("summary")[-1]

    @property
    def actions(self):
        """[(kind, name)] of the plan, sorted."""
        return sorted((line["kind"], line["name"]) for line in self.of("action"))

    @property
    def done(self):
        return sorted((line["kind"], line["name"]) for line in self.of("done"))

    def action(self, name):
        """The one action that is about this CN."""
        found, = [line for line in self.of("action") if line["name"] == name]
        return found

    def remarks(self, kind):
        """{subject: text}"""
        return {line["subject"]: line["text"] for line in self.of("remark") if line["kind"] == kind}

    @property
    def said(self):
        """What an administrator would read when it did not work."""
        summary = self.summary if self.of("summary") else {}
        return " ".join(filter(None, (summary.get("error"), summary.get("refused"), self.err)))


class Placeholders:
    """
    A directory with a list (.list, a DeviceList) and a certdir.conf whose section's options are keywords, and in
    .options. A value that is a list is several lines, None none, True and False yes and no.
    """

    def __init__(self, directory, **options):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.list = DeviceList(self.directory / "devices.db")
        self.conf = self.directory / "certdir.conf"
        self.undo = self.directory / "undo"
        self.options = {"undo_directory": self.undo, "max_age": "3650d", **options}
        self.env = {}

    def secret_file(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def write(self):
        lines = ["[list]", f"filename = {self.list.path}", "", f"[placeholders {SECTION}]"]
        for key, value in self.options.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(one, bool):
                    one = "yes" if one else "no"
                lines += [f"{key} = {one}"] if one is not None else []
        self.conf.write_text("\n".join(lines) + "\n")

    # -- running --

    def start(self, command, *arguments, days=0):
        """Starts the command, as if it were so many days later; a Popen with texts."""
        self.write()
        words = [BUILD / "certdir", "placeholders", command, "-c", self.conf, "--json", *arguments]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **self.env, **later(days)})

    def run(self, command, *arguments, code=None, days=0, timeout=120):
        """Runs it to its end and checks the exit code (None: any)."""
        return self.end(self.start(command, *arguments, days=days), code, timeout)

    @staticmethod
    def end(process, code=None, timeout=120):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert code in (None, process.returncode), f"{process.args}: {process.returncode}\n{out}{err}"
        return Run(process.returncode, [json.loads(line) for line in out.splitlines()], err)

    def plan(self, *arguments, code=None, **options):
        return self.run("plan", *arguments, code=code, **options)

    def apply(self, *arguments, code=DONE, **options):
        """Publishes the list as it is to be, and applies."""
        self.list.publish()
        return self.run("apply", *arguments, code=code, **options)

    def undo_files(self):
        """The oldest first."""
        return sorted(self.undo.glob("*.ldif"), key=lambda path: path.stat().st_mtime_ns)
