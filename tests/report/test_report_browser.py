# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of `certdir report` in Chromium: no error, no request, nothing sticks out, colours that can be read, light and dark."""

import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from testenv import fleet
from testenv.radiusd import BUILD

# Loads the page in a frame and says what it looks like there.
FRAME = """<!DOCTYPE html><meta charset=utf-8><body><iframe src=/page style="width:{width}px;height:800px;border:0"></iframe><script>
onload = () => {{
  const page = frames[0].document, root = page.documentElement, style = element => frames[0].getComputedStyle(element);
  const wide = [...page.querySelectorAll("body *")].filter(e => !e.closest(".wide") && !e.closest("svg") && !e.closest(".rows thead") &&
    e.getBoundingClientRect().right > root.clientWidth + 0.5).map(e => e.tagName + "." + e.className);
  const small = [...page.querySelectorAll("p, td, th, span, li")].filter(e => parseFloat(style(e).fontSize) < 12).length;
  document.body.textContent = "SEEN" + JSON.stringify({{scroll: root.scrollWidth, client: root.clientWidth, wide, small,
    background: style(page.body).backgroundColor, text: style(page.body).color, card: style(page.querySelector(".card")).backgroundColor,
    soft: style(page.querySelector(".soft")).color, colors: [1, 2, 3, 4, 6].map(n => style(page.querySelector(".c" + n)).fill),
    unnamed: [...page.querySelectorAll("svg")].filter(e => !e.getAttribute("aria-label") && e.getAttribute("aria-hidden") != "true").length,
    rules: page.styleSheets[0].cssRules.length}}) + "END";
}};
</script>"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        self.server.asked.append(self.path)
        frame = re.fullmatch(r"/frame\?(\d+)", self.path)
        body = FRAME.format(width=frame[1]).encode() if frame else self.server.page if self.path == "/page" else None
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("report")
    now = fleet.utc_now()
    known = list(fleet.devices(1000, now))
    fleet.publish(directory / "devices.db", known[:-20])
    fleet.publish(directory / "devices.db", known)
    fleet.write_journal(directory / "journal.json", known, now, 5000)
    fleet.write_certificates(directory / "issued.csv", known, now)
    for command in (["list", "import", "--certificates", "--list", directory / "devices.db", "--source", "issued-" + "x" * 80, directory / "issued.csv"],
                    ["report", "--list", directory / "devices.db", "--log", directory / "journal.json", "-o", directory / "page.html"]):
        subprocess.run([BUILD / "certdir", *command], check=True, capture_output=True)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.page = [], (directory / "page.html").read_bytes()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def look(server, path, tmp_path, dark=False):
    """(what the frame says, what the console says, which pages were asked for)."""
    server.asked.clear()
    done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--enable-logging=stderr",
                           "--disable-background-networking", f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--virtual-time-budget=5000",
                           "--dump-dom", f"http://127.0.0.1:{server.server_port}{path}"], capture_output=True, text=True, timeout=120, check=False)
    said = re.search("SEEN(.*)END", done.stdout)
    return json.loads(said[1].replace("&amp;", "&")) if said else None, re.findall(r"CONSOLE.*", done.stderr), list(server.asked)


def luminance(color):
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """WCAG 2.1."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1280])
def test_page(server, tmp_path, width, dark):
    seen, console, asked = look(server, f"/frame?{width}", tmp_path, dark)
    assert seen and not console, console
    assert set(asked) <= {f"/frame?{width}", "/page", "/favicon.ico"}
    assert seen["scroll"] <= seen["client"] and not seen["wide"], seen["wide"]
    assert seen["rules"] > 20 and not seen["unnamed"] and not seen["small"]
    assert (luminance(seen["background"]) < 0.1) == dark
    assert contrast(seen["text"], seen["background"]) > 7 and contrast(seen["soft"], seen["card"]) > 4.5
    assert min(contrast(color, seen["card"]) for color in seen["colors"]) > 3


def test_page_alone(server, tmp_path):
    """No script, no error, and its own style sheet is let in by its own policy."""
    seen, console, asked = look(server, "/page", tmp_path)
    assert seen is None and not console and set(asked) <= {"/page", "/favicon.ico"}
