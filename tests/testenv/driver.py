# SPDX-License-Identifier: GPL-2.0-or-later
"""
Small C programs of the tests (tests/drivers), built against the core library, for what no command of certdir shows, and what is
preloaded into others. CERTDIR_DRIVER_CFLAGS and CERTDIR_DRIVER_WRAPPER run the programs under sanitizers or valgrind.
"""

import os
import shlex
import subprocess

from testenv.radiusd import BUILD, PREFIX, REPO, SYSTEM_LIBDIR

DRIVERS = REPO / "tests/drivers"
LIBRARIES = ["-ljansson", "-lcurl", "-lyajl", "-lldap", "-llber", "-lgssapi_krb5", "-lkrb5", "-lresolv", "-lcrypto", "-lsqlite3",
             "-lpthread", "-lunistring"]


def build_driver(directory, name):
    """tests/drivers/NAME.c as a program."""
    program = directory / name
    flags = shlex.split(os.environ.get("CERTDIR_DRIVER_CFLAGS", ""))
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-g", *flags, "-I", REPO / "rlm_certdir", "-o", program,
                    DRIVERS / f"{name}.c", BUILD / "libcertdir.a", *LIBRARIES], check=True)
    return program


def build_server_driver(directory, name, *objects):
    """tests/drivers/NAME.c as a program with the server's libraries, and with those of the module's files that know the server."""
    program = directory / name
    flags = shlex.split(os.environ.get("CERTDIR_DRIVER_CFLAGS", ""))
    prefix = ["-isystem", f"{PREFIX}/include"] if PREFIX else []
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-DIS_MODULE=1", "-DNDEBUG", "-Wall", "-Wextra", "-g", *flags, "-I",
                    REPO / "rlm_certdir", "-isystem", REPO / "rlm_certdir/compat", *prefix, "-include", "freeradius/build.h",
                    "-include", "freeradius/features.h", "-o", program, DRIVERS / f"{name}.c",
                    *(BUILD / f"rlm_certdir/{one}.o" for one in objects), BUILD / "libcertdir.a", f"-L{SYSTEM_LIBDIR}",
                    f"-Wl,-rpath,{SYSTEM_LIBDIR}", "-lfreeradius-server", "-lfreeradius-radius", "-ltalloc", *LIBRARIES], check=True)
    return program


def build_preload(directory, name):
    """tests/drivers/NAME.c as a library for LD_PRELOAD."""
    library = directory / f"{name}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, DRIVERS / f"{name}.c", "-ldl"], check=True)
    return library


def driver_wrapper():
    return shlex.split(os.environ.get("CERTDIR_DRIVER_WRAPPER", ""))
