# SPDX-License-Identifier: GPL-2.0-or-later
"""Worlds for `certdir placeholders`: directories that can be compared, lists as of any time, runs with any ending."""

import contextlib
import io
import json
import os
import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import ldif

from testenv import placeholders
from testenv.clock import clock, sweep
from testenv.ldap_proxy import LdapProxy
from testenv.placeholders import DONE, SECTION, Placeholders
from testenv.radiusd import BUILD
from testenv.slapd import ADMIN, ADMIN_PASSWORD, MEMBEROF, SUFFIX, Slapd, sid_bytes

OU = f"ou=Placeholders,{SUFFIX}"
GROUPS = f"ou=Groups,{SUFFIX}"
GROUP = f"cn=Wi-Fi,{GROUPS}"
GROUP_SID = "S-1-5-21-1-2-3-1109"
ELSEWHERE = f"ou=Elsewhere,{SUFFIX}"

# Who may do what. MAKER may write all but the group, PEEKER sees the OU and nothing in it, BLIND sees all but the marks.
KEEPER, MAKER, LOOKER, PEEKER, BLIND = PEOPLE = [
    f"cn={name},{SUFFIX}" for name in ("keeper", "maker", "looker", "peeker", "blind")]
PASSWORD = "keeper-password"
ACCESS = f"""\
access to dn.children="{OU}" attrs=adminDescription by dn.exact="{KEEPER}" write by dn.exact="{MAKER}" write by dn.exact="{BLIND}" =w by users read
access to dn.children="{OU}" by dn.exact="{KEEPER}" write by dn.exact="{MAKER}" write by dn.exact="{BLIND}" write
  by dn.exact="{PEEKER}" none by users read
access to dn.exact="{OU}" by dn.exact="{KEEPER}" write by dn.exact="{MAKER}" write by dn.exact="{BLIND}" write
  by users read
access to dn.exact="{GROUP}" attrs=member by dn.exact="{KEEPER}" write by users read
"""

# What is unique in Active Directory is unique here, too.
UNIQUE = f"""\
overlay unique
unique_uri ldap:///{SUFFIX}?sAMAccountName?sub
unique_uri ldap:///{SUFFIX}?servicePrincipalName?sub
"""

HOUR, DAY = 3600, 86400
START = int(datetime(2026, 3, 1, tzinfo=timezone.utc).timestamp())


# ---- a directory ----

def server(directory, unique=True, settings=""):
    """A Slapd that is dressed as a domain, not started."""
    return Slapd(directory, settings=f"moduleload unique\n{settings}", access=ACCESS, overlay=MEMBEROF + (UNIQUE if unique else ""))


def fill(slapd):
    """The OU, a group, who may write, a place of other people's; all as when it began."""
    for dn in sorted(slapd.contents(), key=len, reverse=True):
        if dn != SUFFIX:
            slapd.delete(dn)
    for dn in (OU, GROUPS, ELSEWHERE):
        slapd.add_entry(dn, objectClass="organizationalUnit", ou=dn.split(",")[0][3:])
    for dn in PEOPLE:
        name = dn.split(",")[0][3:]
        slapd.add_entry(dn, objectClass="person", cn=name, sn=name, userPassword=PASSWORD)
    slapd.add_entry(GROUP, objectClass="group", cn="Wi-Fi", sAMAccountName="Wi-Fi", objectSid=sid_bytes(GROUP_SID),
                    groupType=-2147483646)


# What a server makes for itself, and no two alike.
OWN = {
    "entryUUID", "entryCSN", "entryDN", "creatorsName", "createTimestamp", "modifiersName", "modifyTimestamp",
    "structuralObjectClass", "subschemaSubentry", "hasSubordinates",
    "objectGUID", "objectSid", "whenCreated", "whenChanged", "uSNCreated", "uSNChanged", "pwdLastSet",
    "nTSecurityDescriptor", "replPropertyMetaData", "dSCorePropagationData"}


def plain(contents):
    """{DN: {attribute: values}} without what every server makes for itself."""
    return {dn: {name: values for name, values in entry.items() if name not in OWN} for dn, entry in contents.items()}


def texts(entry, name):
    return [value.decode(errors="replace") for value in entry.get(name, [])]


def value(entry, name):
    """The only value, or None."""
    values = texts(entry, name)
    assert len(values) < 2, f"{name}: {values}"
    return values[0] if values else None


@dataclass
class Mark:
    section: str
    key: str
    state: str = ""

    @classmethod
    def parse(cls, text):
        """"certdir:wifi:KEY[:disabled|:gone=TIME]", KEY without colons; None when it is none."""
        parts = (text or "").split(":", 3)
        if len(parts) < 3 or parts[0] != "certdir":
            return None
        return cls(*parts[1:])


@dataclass
class Account:
    """An account of ours, as it stands in the directory."""

    dn: str
    entry: dict
    mark: Mark

    @property
    def key(self):
        return self.mark.key

    @property
    def cn(self):
        return value(self.entry, "cn")

    @property
    def account_name(self):
        return value(self.entry, "sAMAccountName")

    @property
    def disabled(self):
        return bool(int(value(self.entry, "userAccountControl") or 0) & 2)

    @property
    def mappings(self):
        return texts(self.entry, "altSecurityIdentities")

    @property
    def names(self):
        return {name.lower() for name in texts(self.entry, "servicePrincipalName")}


def accounts(contents, section=SECTION, ou=OU):
    """The accounts of a section in {DN: {attribute: values}}."""
    found = [Account(dn, entry, Mark.parse(value(entry, "adminDescription"))) for dn, entry in contents.items()
             if dn.lower().endswith("," + ou.lower()) and "adminDescription" in entry]
    return [account for account in found if account.mark and account.mark.section == section]


# ---- the program ----

@dataclass
class Run(placeholders.Run):
    """A run that ended, with or without --json."""

    out: str = ""

    @property
    def problems(self):
        return self.remarks("problem")

    def kinds(self):
        """How many actions of each kind there are."""
        kinds = [action["kind"] for action in self.of("action")]
        return {kind: kinds.count(kind) for kind in kinds}


class Site(Placeholders):
    """
    A configuration with a list, for a directory at `uri`. `at` is the time, None the real one. .others are more
    sections, {name: options}.
    """

    def __init__(self, directory, uri, at=START, **options):
        super().__init__(directory)
        self.at = at
        self.section, self.others = SECTION, {}
        self.options = {"server": uri, "ou": OU, "undo_directory": self.undo, **options}
        if "identity" not in options:
            self.bind_as(KEEPER)

    def bind_as(self, identity):
        password = ADMIN_PASSWORD if identity == ADMIN else PASSWORD
        self.options.update(identity=identity, password_file=self.secret_file("password", password + "\n"))

    def write(self):
        lines = ["[list]", f"filename = {self.list.path}"]
        for section, options in {self.section: self.options, **self.others}.items():
            lines.append(f"[placeholders {section}]")
            for key, given in options.items():
                for one in given if isinstance(given, (list, tuple)) else [given]:
                    lines += [f"{key} = {one}"] if one is not None else []
        self.conf.write_text("\n".join(lines) + "\n")

    # -- the list --

    @property
    def devices(self):
        return self.list.devices

    def add(self, *names, **more):
        for name in names:
            self.list.add(name, **more)

    def publish(self):
        """The list holds .devices and no others, as of now."""
        source = self.directory / "devices.json"
        source.write_text(json.dumps(list(self.devices.values())))
        done = subprocess.run([BUILD / "certdir", "list", "import", "--force", "--list", self.list.path, source],
                              capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, **clock(self.at)})
        assert done.returncode == 0, f"certdir list import: {done.returncode}\n{done.stdout}{done.stderr}"

    # -- runs --

    def start(self, command, *arguments, **options):
        """A Popen; options of it."""
        self.write()
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([BUILD / "certdir", "placeholders", command, "-c", self.conf, *arguments],
                                env={**os.environ, **clock(self.at), **self.env}, **given)

    @staticmethod
    def end(process, code=None, timeout=60):
        """`code` may be several."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        finally:
            sweep(process.pid)
        run = Run(process.returncode, [], (err or b"").decode(), (out or b"").decode())
        for line in run.out.splitlines():
            with contextlib.suppress(ValueError):
                run.lines.append(json.loads(line))
        if code is not None:
            expected = code if isinstance(code, (tuple, list, set)) else (code,)
            assert run.code in expected, f"exit code {run.code}, not {code}\n{run.out[-3000:]}{run.err[-3000:]}"
        return run

    def plan(self, *arguments, code=None, json=True):
        return self.end(self.start("plan", *(["--json"] if json else []), *arguments), code)

    def apply(self, *arguments, code=DONE, json=True):
        return self.end(self.start("apply", *(["--json"] if json else []), *arguments), code)

    def take_back(self, filename, code=DONE, dry=False):
        return self.end(self.start("undo", "--json", *(["--dry-run"] if dry else []), str(filename)), code)


def as_of_now(undo):
    """The time in an undo file is that of the server, which has the real one, as when both have the same."""
    undo = Path(undo)
    text = undo.read_text()
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    undo.write_text(re.sub("] at [^.]*", f"] at {now}", text, count=1))


def changes(filename):
    """The change records of an LDIF file as python-ldap reads them: it has to be one."""
    class Reader(ldif.LDIFParser):
        """Collects."""

        def __init__(self, text):
            super().__init__(io.BytesIO(text))
            self.records = []

        def handle(self, dn, entry):
            self.records.append((dn, entry))

        def handle_modify(self, dn, modops, controls=None):
            self.records.append((dn, modops))
    reader = Reader(Path(filename).read_bytes())
    reader.parse_change_records()
    return reader.records


# ---- what tests say often ----

def names(count, first=1):
    return [f"LAPTOP-{number:03}" for number in range(first, first + count)]


def filled(site, count=3, **more):
    """The site with so many devices in its list, and all done."""
    site.add(*names(count), **more)
    site.publish()
    assert len(site.apply().done) == count
    forget_undo(site)
    return site


def keep_only(site, keys):
    """The other devices are not in the list any more."""
    for key in set(site.devices) - set(keys):
        del site.devices[key]
    site.publish()


def forget_undo(site):
    for file in site.undo_files():
        file.unlink()


@contextlib.contextmanager
def unchanged(slapd):
    """Nothing that stands in the directory changes, operational attributes and all."""
    before = slapd.contents()
    yield before
    assert slapd.contents() == before


def says(run, *words):
    for word in words:
        assert str(word).lower() in run.said.lower(), f"{word!r} is not in:\n{run.said}"


@contextlib.contextmanager
def in_between(site, slapd):
    """The site's runs go through a proxy."""
    direct = site.options["server"]
    with LdapProxy(slapd.port) as proxy:
        site.options["server"] = proxy.uri
        yield proxy
        proxy.settle()
    site.options["server"] = direct
