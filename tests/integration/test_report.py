# SPDX-License-Identifier: GPL-2.0-or-later
"""certdir report: one page of HTML of a list and of journals, whatever their names are."""

import json
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from testenv import fleet
from testenv.radiusd import BUILD

VOID = {"meta", "rect"}


class Page(HTMLParser):
    """Elements have their ends in their order, and nothing of it comes from elsewhere. `cells`: the text of each row of tables."""

    def __init__(self, text):
        super().__init__()
        self.open, self.cells, self.tags, self.text, self.policy = [], [], set(), "", None
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        attributes = dict(attributes)
        assert not {"src", "href", "style", "srcset", "action"} & set(attributes) and not [name for name in attributes if name.startswith("on")]
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self.cells[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag == "rect"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and {"td", "th"} & set(self.open):
            self.cells[-1][-1] += data

    def row(self, first):
        return next(cells[1:] for cells in self.cells if cells[0] == first)


def certdir(*arguments, code=0):
    done = subprocess.run([BUILD / "certdir", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    directory = tmp_path_factory.mktemp("report")
    now = fleet.utc_now()
    known = list(fleet.devices(400, now))
    fleet.publish(directory / "devices.db", known[:-10])
    fleet.publish(directory / "devices.db", known)
    fleet.write_journal(directory / "journal.json", known, now, 2000)
    fleet.write_certificates(directory / "issued.csv", known[:100], now)
    certdir("list", "import", "--certificates", "--list", directory / "devices.db", "--source", "issued", directory / "issued.csv")
    return directory, known


def page(company, *logs):
    directory, _ = company
    out = directory / "page.html"
    certdir("report", "--list", directory / "devices.db", *[word for log in logs for word in ("--log", log)], "-o", out)
    assert out.stat().st_mode & 0o777 == 0o640
    text = out.read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(|<script|javascript:", text)
    return Page(text)


def number(words):
    return int(words.replace(",", ""))


def test_figures(company):
    directory, known = company
    lines = [json.loads(line) for line in (directory / "journal.json").read_text().splitlines()]
    first = (fleet.utc_now() - fleet.timedelta(days=29)).strftime("%Y-%m-%d")
    shown = [line for line in lines if line["time"][:10] >= first and line["mode"] == "enforce"]
    found = page(company, directory / "journal.json")
    for system in {device["operatingSystem"] for device in known}:
        assert number(found.row(system)[1]) == sum(device["operatingSystem"] == system for device in known)
    assert number(found.row("disabled")[0]) == sum(line["reason"] == "disabled" for line in shown)
    assert f"{len(lines):,} decisions were read" in found.text
    for day in {line["time"][:10] for line in shown}:
        assert [number(cell) for cell in found.row(day)] == [
            sum(line["decision"] == decision and line["time"][:10] == day for line in shown) for decision in ("allow", "deny", "unsure")]
    refused = [line["device"]["id"] for line in lines if line["time"][:10] >= first and line["decision"] != "allow" and "device" in line]
    worst = max(refused, key=refused.count)
    named = next(line["device"]["name"] for line in lines if line.get("device", {}).get("id") == worst)
    assert number(found.row(named.replace("\u202e", "\ufffd"))[0]) == refused.count(worst)
    assert "What mode = observe let in" in found.text
    assert found.row("corp")[1] == "400"
    assert found.policy.startswith("default-src 'none'; style-src 'sha256-")


def test_hostile_names_are_text(company):
    directory, _ = company
    found = page(company, directory / "journal.json")
    assert not found.tags & {"script", "img", "iframe", "object", "embed", "link", "a"}
    assert "<script>alert(1)</script>" in found.text and "\u202e" not in found.text


def test_without_a_journal(company):
    assert "No journal was read" in page(company).text


def test_lines_that_are_none(company):
    directory, _ = company
    broken = directory / "broken.json"
    good = (directory / "journal.json").read_text().splitlines()[0]
    broken.write_text(f'nonsense\n{{"version":1}}\n[]\n\n{"x" * (3 << 20)}\n{good}\n{good[:100]}')
    assert "1 decisions were read; 5 that are no lines" in re.sub("; [0-9]+ of other days", "", page(company, broken).text)


def test_nothing_but_a_page_is_replaced(company):
    """Root's `-o /dev/null` would be everybody's /dev/null."""
    directory, _ = company
    kept = directory / "kept"
    kept.touch()
    link, fifo = directory / "link", directory / "fifo"
    link.symlink_to(kept)
    os.mkfifo(fifo)
    for name in link, fifo, directory:
        assert f"{name} is not a regular file" in certdir("report", "--list", directory / "devices.db", "-o", name, code=73)
    assert link.is_symlink() and not kept.stat().st_size and fifo.is_fifo()
    done = subprocess.run([BUILD / "certdir", "report", "--list", directory / "devices.db", "-o", "-"], capture_output=True, text=True, check=True)
    assert Page(done.stdout).policy and not Path("-").exists()


def test_what_is_wrong_is_told(company):
    directory, _ = company
    assert "no.db" in certdir("report", "--list", directory / "no.db", "-o", directory / "x.html", code=66)
    assert "no.json" in certdir("report", "--list", directory / "devices.db", "--log", directory / "no.json", "-o", directory / "x.html", code=66)
    assert "cannot be written" in certdir("report", "--list", directory / "devices.db", "-o", directory / "none" / "x.html", code=73)
    assert "-o FILE is missing" in certdir("report", "--list", directory / "devices.db", code=64)
    assert not (directory / "x.html").exists()
