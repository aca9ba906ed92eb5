# SPDX-License-Identifier: GPL-2.0-or-later
"""
A site: some directories and a radiusd that asks them. Certificates are judged there by real logins, or by `certdir
check` with the same configuration.
"""

import json
import os
import re
import subprocess
import uuid
from pathlib import Path

from testenv.clock import later
from testenv.logins import enter
from testenv.radiusd import BUILD, SNIPPETS, Radiusd, shipped_module, with_options


def ago(minutes):
    """The environment in which it is so many minutes ago."""
    return later(-minutes / 1440)


def guid(name):
    """The same one for a name always; of no device unless one is given it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def publish(path, source, devices, minutes=0, tenant=None):
    """Imports devices into a list as if it had been done so many minutes ago."""
    operand = Path(path).with_name(f"{source}.json")
    operand.write_text(json.dumps(devices))
    command = [BUILD / "certdir", "list", "import", "--force", "--list", path, "--source", source]
    command += ["--tenant", tenant, operand] if tenant else [operand]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **ago(minutes)})
    assert done.returncode == 0, done.stderr


def another(text, kind, name):
    """The module file's text with a second section of a kind, of that name: `ldap b { .. }` as the first one is."""
    section = re.search(rf"^\t{kind} \{{\n.*?^\t\}}\n", text, re.MULTILINE | re.DOTALL)
    return text[:section.end()] + "\n" + section[0].replace(kind, f"{kind} {name}", 1) + text[section.end():]


class Site:
    """
    `options` are those of the module file, of sections in `more` ([(kind, name)]) too; `sections` is text that stands
    before its directories. `quarantine`: as the shipped policy lets non-compliant devices in.
    """

    def __init__(self, directory, pki, options, more=(), sections="", quarantine=False):
        self.pki = pki
        directory.mkdir()
        text = shipped_module()
        for kind, name in more:
            text = another(text, kind, name)
        text = with_options(text, options).replace("\n\tlist {", f"\n{sections}\n\tlist {{", 1)
        self.server = Radiusd(directory, pki.trust, text, cache=False)
        if quarantine:
            site = (SNIPPETS / "sites-available" / "certdir-check").read_text()
            site, count = re.subn(r"^(\t\t\t)reject$", r"\1certdir_quarantine", site, flags=re.MULTILINE)
            assert count == 1
            (self.server.raddb / "sites-enabled" / "certdir-check").write_text(site)

    def login(self, accepted, reason, recipe, identity="host/test"):
        """A login that must end so; the Decision. radiusd is started for the first one."""
        if not self.server.alive():
            self.server.start()
        attempt, decision = enter(self.server, self.pki, self.pki.issue(recipe), identity=identity)
        assert (attempt.accepted, decision.reason) == (accepted, reason), decision.line
        assert decision.verdict == ("allow" if reason == "allowed" else "unsure" if reason == "list-stale" else "deny")
        return decision

    def lets_in(self, recipe, device=None):
        """A login that must be let in, as the device of that name where one is given."""
        decision = self.login(True, "allowed", recipe)
        assert device in (None, decision.fields["device"]), decision.line
        return decision

    def keeps_out(self, recipe, reason):
        return self.login(False, reason, recipe)

    def check(self, cases):
        """[(recipe, reason)]: what `certdir check` must say of each certificate; its results, for more questions."""
        certificates = [self.pki.issue(recipe)[0] for recipe, _ in cases]
        done = subprocess.run([BUILD / "certdir", "check", "--json", "--raddb", self.server.raddb, *certificates],
                              capture_output=True, text=True, timeout=60, check=False)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(results) == len(cases), done.stderr
        wrong = [f"{recipe}: {result['reason']} ({result['detail']}), must be {reason}"
                 for (recipe, reason), result in zip(cases, results) if result["reason"] != reason]
        assert not wrong, "\n".join(wrong)
        return results


# ---- recipes of certificates ----


def named(*names, **more):
    """Several common names, and more of a recipe."""
    return {"subject": [["CN", name] for name in names], **more}


def uri(*uris):
    return [{"uri": one} for one in uris]


def dns(*names):
    return [{"dns": name} for name in names]


def with_id(entra_device_id, *names, san=(), **more):
    """A certificate whose CA vouches for an Entra device id."""
    return named(*names, san=[{"uri": f"AAD_Device_ID:{entra_device_id}"}, *san], **more)
