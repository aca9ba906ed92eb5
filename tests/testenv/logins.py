# SPDX-License-Identifier: GPL-2.0-or-later
"""Device certificates, and logins with what radiusd decided of them."""

from testenv.certificates import Authority
from testenv.devices import DOMAIN
from testenv.supplicant import login, login_with_pause


class Pki:
    """A CA, the RADIUS server's certificate, and device certificates from recipes, as files."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = Authority("certdir test CA")
        self.ca, _ = self.authority.write(directory, "ca")
        server = self.authority.issue(subject=[["CN", "radius.corp.example"]], server=True)
        self.server = server.write(directory, "server")
        self._count = 0

    @property
    def trust(self):
        return {"ca": self.ca, "certificate": self.server[0], "key": self.server[1]}

    def issue(self, recipe=None, authority=None, stem=None, **more):
        """(certificate file, key file) of a new certificate."""
        self._count += 1
        return (authority or self.authority).issue(recipe, **more).write(self.directory, stem or f"device{self._count}")

    def named(self, name, dns=None):
        """The usual device certificate: CN is the host name, SAN a DNS name."""
        return self.issue(subject=[["CN", name]], san=[{"dns": f"{(dns or name).lower()}.{DOMAIN}"}])


def enter(server, pki, certificate, **options):
    """One login: (Attempt, Decision)."""
    mark = server.mark()
    attempt, = login(server, *certificate, pki.ca, tls=server.tls, **options)
    decision, = server.decisions(mark, count=1)
    return attempt, decision


def enter_again(server, pki, certificate, between, before=None, **options):
    """
    A login with a full handshake, then `between`, then one that resumes the session: (Attempt, Decision) of the second.
    With `before`, the first one goes to that server, which shares its sessions and knows nothing of certdir.
    """
    marks = []

    def pause():
        between()
        marks.append(server.mark())

    first, second = login_with_pause(before or server, *certificate, pki.ca, pause, server if before else None,
                                     tls=server.tls, **options)
    assert first.accepted and not first.resumed
    assert second.resumed, "the session was not resumed, so the test shows nothing"
    decision, = server.decisions(marks[0], count=1)
    return second, decision


def wait_list_loaded(server, mark):
    """Waits until a running radiusd has noticed a list published after the mark."""
    server.wait_log(r"certdir: .*: \d+ devices?", mark, timeout=10)
