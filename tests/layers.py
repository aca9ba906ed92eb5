# SPDX-License-Identifier: GPL-2.0-or-later
"""Fails when a room reaches where it must not: reads #include lines, linked libraries and exported symbols.

usage: layers.py build/rlm_certdir.so
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent / "rlm_certdir"

# What a header belongs to. A header that fits nowhere is the C library or our own.
LIBRARIES = {
    "freeradius": r"freeradius/|freeradius-devel/|talloc\.h|raddb(_section|_directories|_sessions)?\.h|wiring_calls\.h|eap_tls_(session|resumption)\.h|(accounting|request|reply|decision_line|das(_clients|_packet)?)\.h",
    "openssl": r"openssl/",
    "ldap": r"(ldap|lber)\.h|sasl/",
    "kerberos": r"gssapi/|krb5\.h",
    "pcre": r"pcre2\.h",
    "unistring": r"uni(case|ctype|type|norm|str|width)\.h",
    "sqlite": r"sqlite3\.h",
    "curl": r"curl/",
    "jansson": r"jansson\.h",
    "yajl": r"yajl/",
    "archive": r"archive(_entry)?\.h",
}

# Who may include what. Everything else may include none of them.
ALLOWED = {
    "freeradius": r"(rlm_certdir|accounting|request|reply|decision_line|das|das_clients|das_packet|raddb|raddb_section|raddb_directories|raddb_sessions|eap_tls_session|eap_tls_resumption|wiring|wiring_calls)\.[ch]|compat/.*|cli/raddb_file\.c",
    "openssl": r"identity/.*|list/(seal|keys)\.c|journal/json\.c|sessions/class\.c|sync/(assertion|credential|spool)\.c|eap_tls_(session|resumption)\.c|rlm_certdir\.c|compat/freeradius/eap\.h",
    "ldap": r"ldap/.*",
    "kerberos": r"ldap/kerberos\.[ch]",
    "pcre": r"identity/form\.c",
    "unistring": r"plan/fold\.c|cli/columns\.c",
    "sqlite": r"(list|tenant)/.*|sessions/store\.c",
    "curl": r"sync/(http|link)\.c",
    "jansson": r"sync/.*|import/.*|cli/.*",
    "yajl": r"sync/page\.c|cli/replay_line\.c",
    "archive": r"import/zip\.c",
}

# Our own rooms, in the order of the flow: a room includes itself and what stands here. All but base/ may include the ground floor.
GROUND = {"base", "text", "conf"}
ROOMS = {
    "base": {"base"},
    "text": {"text", "base"},
    "conf": GROUND,
    "identity": {"identity"} | GROUND,
    "ldap": {"ldap"} | GROUND,
    "list": {"list"} | GROUND,
    "asking": {"asking"} | GROUND,
    "tenant": {"tenant", "list"} | GROUND,
    "directory": {"directory", "ldap", "identity", "list", "asking"} | GROUND,
    "decision": {"decision", "directory"} | GROUND,
    "sessions": {"sessions", "list"} | GROUND,
    "journal": {"journal", "base", "text"},
    "metrics": {"metrics", "base", "text"},
    "report": {"report", "list", "base", "text"},
    "profiles": {"profiles", "identity"} | GROUND,
    "sync": {"sync", "profiles", "tenant", "directory", "identity", "ldap", "list", "asking"} | GROUND,
    "import": {"import", "identity", "list"} | GROUND,
    "plan": {"plan", "base", "text"},
    "placeholders": {"placeholders", "plan", "directory", "ldap", "decision", "list", "identity"} | GROUND,
}

# Single headers of rooms that are else out of reach. The plan is pure: of the others it knows marks, and changes of entries as data.
# sync/ reads a report that is a file. placeholders/ asks which device a certificate means, as a login would; the others at the top are what that flow is made of.
BESIDE = {"plan": {"directory/mark.h", "ldap/change.h"}, "placeholders": {"checker.h"}, "sync": {"import/issued.h", "import/zip.h"}}
# Rooms that have one door.
DOORS = {"plan": "plan/plan.h"}

MODULE_NEEDS = r"lib(sqlite3|ldap-2\.\d|ldap|lber-2\.\d|lber|gssapi_krb5|krb5|resolv|pcre2-8|ssl|crypto|pthread|c)\.so.*|ld-linux.*"


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


def breaches():
    files = sorted(p for p in TOP.rglob("*.[ch]"))
    if len(files) < 20:
        yield f"only {len(files)} source files found below {TOP}"
    for path in files:
        name = path.relative_to(TOP).as_posix()
        room = name.split("/")[0] if "/" in name else None
        for header in includes(path):
            for library, pattern in LIBRARIES.items():
                if re.match(pattern, header) and not re.fullmatch(ALLOWED[library], name):
                    yield f"{name} includes {header}: {library} has no business there"
            other = header.split("/")[0] if "/" in header else None
            if header in BESIDE.get(room, ()):
                continue
            if other in DOORS and room != other and header != DOORS[other]:
                yield f"{name} includes {header}: others know {other}/ by {DOORS[other]} alone"
            if room in ROOMS and other in {*ROOMS, "cli"} and other not in ROOMS[room]:
                yield f"{name} includes {header}: {room}/ must not know {other}/"
            if room in ROOMS and other is None and (TOP / header).is_file():
                yield f"{name} includes {header}: no room knows the flow it stands in"


def circles(below):
    """Headers that include themselves by way of others, each circle once."""
    done = set()

    def follow(name, way):
        if name in way:
            yield way[way.index(name):]
        elif name not in done:
            for header in below.get(name, ()):
                yield from follow(header, [*way, name])
            done.add(name)

    for name in below:
        yield from follow(name, [])


def header_circles():
    below = {path.relative_to(TOP).as_posix(): includes(path) for path in sorted(TOP.rglob("*.h"))}
    for circle in circles(below):
        yield f"a circle of headers: {' includes '.join([*circle, circle[0]])}"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked(module):
    needed = re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", module))
    if not needed:
        yield f"{module}: readelf shows no linked libraries"
    for library in needed:
        if not re.fullmatch(MODULE_NEEDS, library):
            yield f"{module} links {library}"
    exported = [line.split()[-1] for line in run("nm", "-D", "--defined-only", module).splitlines()]
    if exported != ["rlm_certdir"]:
        yield f"{module} exports {exported}, not rlm_certdir alone"


def main():
    found = list(breaches()) + list(header_circles()) + list(linked(sys.argv[1]))
    for breach in found:
        print(breach, file=sys.stderr)
    if not found:
        print("layers: every room keeps to itself")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
