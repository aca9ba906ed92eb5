# SPDX-License-Identifier: GPL-2.0-or-later
"""Small C programs of the tests, built against the core library, for what no command of certdir shows."""

import os
import shlex
import subprocess

from testenv.radiusd import BUILD, REPO


def build_ldap_driver(directory, name):
    """tests/integration/NAME.c as a program. CERTDIR_LDAP_CFLAGS and CERTDIR_LDAP_WRAPPER run it under sanitizers."""
    program = directory / name
    flags = shlex.split(os.environ.get("CERTDIR_LDAP_CFLAGS", ""))
    subprocess.run(
        ["cc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-g", *flags, "-I", REPO / "rlm_certdir",
         "-o", program, REPO / f"tests/integration/{name}.c", BUILD / "libcertdir.a",
         "-ljansson", "-lldap", "-llber", "-lgssapi_krb5", "-lkrb5", "-lresolv", "-lcrypto", "-lsqlite3", "-lpthread",
         "-lunistring"],
        check=True)
    return program
