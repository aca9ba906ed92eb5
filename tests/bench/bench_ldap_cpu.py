# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a lookup in LDAP costs radiusd and slapd beside rlm_ldap: the same search with the same filter for the same attributes, in the
same run. The filter and the attributes are those that certdir was seen to ask for. What certdir remembers costs no search and is left
out, and a queue before the directory, too: half of the workers, each of whom has a connection in either module, are
busy, which is what certdir lets in. The request's name is where certdir reads it in all of them.
"""

import os
import random
from statistics import median

import bench
from testenv.devices import DOMAIN
from testenv.radiusd import Radiusd, shipped_module
from testenv.rlm_ldap import rlm_ldap, searches
from testenv.slapd import SUFFIX, Slapd
from testenv.supplicant import radclient
from testenv.worlds import ldap_options

DEVICES = 1000
WORKERS = 16
LOAD = {"window": WORKERS // 2, "threads": WORKERS}
AIM = 0.8
COMPUTERS, GROUPS = f"ou=Computers,{SUFFIX}", f"ou=Groups,{SUFFIX}"


def names(_):
    return bench.name(random.randrange(DEVICES))


def computer(number):
    """What a domain join and some weeks of use leave of a computer in Active Directory, but for a SID: with one, there would be two searches."""
    name = bench.name(number)
    full = f"{name.lower()}.{DOMAIN}"
    services = [f"{kind}/{host}" for kind in ("HOST", "RestrictedKrbHost", "TERMSRV", "WSMAN") for host in (name, full)]
    return f"cn={name},{COMPUTERS}", {
        "objectClass": "computer", "cn": name, "sAMAccountName": f"{name}$", "userAccountControl": 4096, "accountExpires": 2**63 - 1,
        "dNSHostName": full, "servicePrincipalName": services, "operatingSystem": "Windows 11 Enterprise", "displayName": f"{name}$",
        "objectGUID": number.to_bytes(16, "big"), "whenCreated": "20240102030405Z", "uSNChanged": 100000 + number,
        "lastLogonTimestamp": 133700000000000000, "objectCategory": "CN=Computer,CN=Schema,CN=Configuration,DC=corp,DC=example"}


def fill(slapd):
    slapd.add_entry(COMPUTERS, objectClass="organizationalUnit", ou="Computers")
    entries = [computer(number) for number in range(DEVICES)]
    slapd.add_entries(entries)
    everybody = [dn for dn, _ in entries]
    slapd.add_entries((f"cn={group},{GROUPS}", {"objectClass": "group", "cn": group, "member": everybody})
                      for group in ("Wi-Fi staff", "Laptops", "BitLocker"))


def certdir(slapd, **options):
    module = shipped_module({"certificate": "attributes", "directories": "ldap", **ldap_options(slapd), **options})
    return {"module": module, "authorize": f"{bench.NAME}certdir\n\t\t{bench.ACCEPT}"}


def observed(pki, directory):
    """The filter, for any device, and the attributes of what certdir asks of an LDAP directory, as slapd's own log has them."""
    directory.mkdir()
    with Slapd(directory / "slapd", debug="256") as slapd:
        slapd.add_computer("LAPTOP-0")
        with Radiusd(directory, pki.trust, **certdir(slapd)) as server:
            radclient(server, {"User-Name": "LAPTOP-0"})
        search, = [found for found in searches(slapd.log()) if "laptop-0" in found[0].lower()]
    return search[0].replace("laptop-0", "%{User-Name}").replace("LAPTOP-0", "%{User-Name}"), search[1]


def run(pki, rounds, count):
    """Prints the table and whether the aim was met."""
    search_filter, attributes = observed(pki, bench.DIRECTORY / "observed")
    print(f"\nthe search: {search_filter} {' '.join(attributes)}")
    stock = {"authorize": f"{bench.NAME}ldap\n\t\t{bench.ACCEPT}", **LOAD}
    running = []
    with Slapd(bench.DIRECTORY / "slapd") as slapd:
        fill(slapd)
        try:
            running += [bench.Policy("nothing", pki, names, f"{bench.NAME}{bench.ACCEPT}", **LOAD)]
            running += [bench.Policy("certdir", pki, names, slapd=slapd, **LOAD, **certdir(slapd, **{"ldap.options.remember": 0}))]
            running += [bench.Policy("rlm_ldap same search", pki, names, slapd=slapd, **stock,
                                     modules={"ldap": rlm_ldap(slapd.uri, search_filter, attributes, connections=WORKERS)})]
            running += [bench.Policy("rlm_ldap account alone", pki, names, slapd=slapd, **stock,
                                     modules={"ldap": rlm_ldap(slapd.uri, connections=WORKERS)})]
            for turn in range(rounds + 1):
                for policy in running:
                    policy.measure(count)
                    if not turn:  # the first one warms
                        policy.figures, policy.slapd_figures = [], []
        finally:
            for policy in running:
                policy.server.kill()
    table(running, rounds, count)


def table(running, rounds, count):
    nothing, ours, same, _ = running
    print(f"CPU per request in microseconds, medians of {rounds} rounds of {count:,} ({os.cpu_count()} cores)")
    print(f"{'':<24} {'radiusd':>8} {'range':>13} {'- nothing':>10} {'slapd':>7}")
    for policy in running:
        spread = f"{min(policy.figures):.1f}-{max(policy.figures):.1f}"
        slapd = f"{median(policy.slapd_figures):7.1f}" if policy.slapd else ""
        print(f"{policy.title:<24} {median(policy.figures):8.1f} {spread:>13} {policy.over(nothing)[0]:10.1f} {slapd}")
    rounds = list(zip(ours.figures, same.figures, nothing.figures))
    lookup = median((mine - base) / (theirs - base) for mine, theirs, base in rounds)
    _, whole = ours.over(same)
    print(f"{'met   ' if lookup <= AIM else 'MISSED'}  a lookup costs {lookup:.2f} of what the same search costs with rlm_ldap (aim: {AIM}); "
          f"a whole request {whole:.2f}; slapd {median(a / b for a, b in zip(ours.slapd_figures, same.slapd_figures)):.2f}")
