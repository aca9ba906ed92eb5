# SPDX-License-Identifier: GPL-2.0-or-later
"""
The directory side of placeholders, run by a driver (tests/drivers/placeholders_apply.c): a server for it, what it says, and plans
made by hand.
"""

import json
import os
import subprocess
import threading

from testenv.driver import driver_wrapper
from testenv.slapd import ADMIN, ADMIN_PASSWORD, SUFFIX, Slapd, sid_bytes

OU = f"ou=NPS,{SUFFIX}"
GROUP = f"cn=Wi-Fi,ou=Groups,{SUFFIX}"
DOMAIN_SID = "S-1-5-21-1-2-3"
COLUMNS = ["servicePrincipalName", "dNSHostName", "description"]


class Job:
    """A running driver."""

    def __init__(self, program, config, **request):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LDAP")}
        self.process = subprocess.Popen([*driver_wrapper(), str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**environment, "LDAPNOINIT": "1"})
        self.lines = []
        # A thread of its own, because nobody may read yet.
        self._writer = threading.Thread(target=self._write, args=(json.dumps({"config": config, **request}),))
        self._writer.start()

    def _write(self, text):
        self.process.stdin.write(text)
        self.process.stdin.close()

    def read(self):
        """The next line, or None at the end."""
        line = self.process.stdout.readline()
        if not line:
            return None
        self.lines.append(json.loads(line))
        return self.lines[-1]

    def read_done(self, count):
        """Waits until so many actions are done."""
        while len(self.done) < count:
            assert self.read(), self.process.stderr.read()

    @property
    def done(self):
        return [line["name"] for line in self.lines if line["type"] == "done"]

    def of(self, kind):
        found, = [line for line in self.lines if line["type"] == kind]
        return found

    def finish(self):
        while self.read():
            pass
        self._writer.join()
        self.process.stdin = None
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        return self

    def kill(self):
        self.process.kill()
        self._writer.join()
        self.process.stdin = None
        self.process.communicate()

    @property
    def end(self):
        return self.of("end")


class World:
    """A server with an OU and a group, and a driver's configuration for it."""

    def __init__(self, directory, program, **options):
        self.directory, self.program = directory, program
        self.server = Slapd(directory / "slapd", **options).start()
        self.server.add_entry(OU, objectClass="organizationalUnit", ou="NPS")
        self.server.add_entry(GROUP, objectClass="group", cn="Wi-Fi", objectSid=sid_bytes(f"{DOMAIN_SID}-1104"))
        self.undo = directory / "undo"

    def config(self, **more):
        return {"server": self.server.uri, "identity": ADMIN, "password": ADMIN_PASSWORD, "ou": OU, "columns": COLUMNS,
                "mark_attribute": "adminDescription", "res_timeout": 5, "undo_directory": str(self.undo), **more}

    def job(self, config=None, **request):
        return Job(self.program, self.config(**(config or {})), **request)

    def run(self, config=None, **request):
        return self.job(config, **request).finish()

    def refused(self, **config):
        """The error of a configuration that does not work."""
        end = self.run(config, accounts=True).end
        assert not end["ok"]
        return end["error"]

    def computer(self, name, key=None, parent=OU, section="wifi", **attributes):
        return self.server.add_computer(name, parent, adminDescription=f"certdir:{section}:{key or name}", **attributes)

    def version(self, dn):
        return self.server.contents(dn)[dn]["entryCSN"][0].decode()

    def content(self):
        """All entries with what somebody wrote into them, and the memberships that follow from it."""
        unsaid = {"entryCSN", "modifyTimestamp", "modifiersName", "createTimestamp", "creatorsName", "entryUUID",
                  "structuralObjectClass", "subschemaSubentry", "hasSubordinates", "entryDN", "contextCSN"}
        return {dn: {name: values for name, values in entry.items() if name not in unsaid}
                for dn, entry in self.server.contents().items()}

    def undo_files(self):
        return sorted(path.name for path in self.undo.iterdir()) if self.undo.exists() else []

    def take_back(self, filename):
        """As a section that keeps the group and all that these tests write."""
        return self.run({"columns": [*COLUMNS, "displayName", "accountExpires"], "member_of": GROUP}, undo=str(filename))

    def ldapmodify(self, filename):
        return subprocess.run(["ldapmodify", "-x", "-H", self.server.uri, "-D", ADMIN, "-w", ADMIN_PASSWORD, "-c", "-f",
                               str(filename)], capture_output=True, text=True, timeout=60)

    def close(self):
        self.server.kill()


# -- steps and actions made by hand --

def change(attribute, gone=(), come=(), whole=False):
    return {"attribute": attribute, "gone": list(gone), "come": list(come), "whole": whole}


def create(name, **attributes):
    """A step that adds a computer."""
    content = {"objectClass": ["computer"], "sAMAccountName": [f"{name}$"], "userAccountControl": ["4096"],
               "adminDescription": [f"certdir:wifi:{name}"], **attributes}
    return {"phase": "create", "verb": "add", "dn": f"CN={name},{OU}", "password": True,
            "changes": [change(key, come=values) for key, values in content.items()]}


def join(name, leave=False, group=GROUP):
    dn = f"CN={name},{OU}"
    return {"phase": "leave" if leave else "join", "verb": "modify", "dn": group,
            "changes": [change("member", *(([dn], []) if leave else ([], [dn])))]}


def action(name, *steps, account=None, version=None):
    """Steps of an account that is there get what the plan saw of it."""
    seen = {"account": account, "version": version, "mark": f"certdir:wifi:{name}"} if account else {}
    return {"name": name, "steps": [{**step, **seen} for step in steps]}


def creations(count, **attributes):
    return [action(f"PC{number:05}", create(f"PC{number:05}", **attributes)) for number in range(count)]


def records(filename):
    """The DNs that an undo file changes, in its order."""
    with open(filename, encoding="ascii") as file:
        return [line.split(": ", 1)[1] for line in file.read().splitlines() if line.startswith("dn: ")]
