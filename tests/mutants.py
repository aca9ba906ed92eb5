# SPDX-License-Identifier: GPL-2.0-or-later
"""
Breaks the C in one place after the other and runs the tests that must notice. What nobody notices is not tested.

usage: mutants.py DIRECTORY [WORD...]   DIRECTORY is for the copy; only mutants with a WORD in their file's name or their tests'

tests/mutants.toml has them: file (below rlm_certdir/), tests (of tests/unit, or "test_X.py::test_y" of tests/integration), old and
new text. Text that is not found exactly once is an error: the code has moved, and its mutant has to move with it.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

TOP = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 300  # seconds: a mutant that loops is noticed, too


def copy(directory):
    shutil.rmtree(directory, ignore_errors=True)
    for name in ("rlm_certdir", "tests", "raddb-snippets"):
        shutil.copytree(TOP / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "CHANGELOG.md"):  # which says the version; with another one all would be built anew
        shutil.copy(TOP / name, directory)
    for name in ("flags", "libcertdir.a", "rlm_certdir", "tests"):  # what was built already; make looks at the times
        built = TOP / "build" / name
        if built.is_dir():
            shutil.copytree(built, directory / "build" / name)
        elif built.exists():
            (directory / "build").mkdir(exist_ok=True)
            shutil.copy2(built, directory / "build")


def make(directory, *targets):
    return subprocess.run(["make", "-s", f"-j{os.cpu_count()}", *targets], cwd=directory, check=False, capture_output=True, text=True)


def is_integration(test):
    return ".py" in test


def command(test):
    if is_integration(test):
        return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/integration/{test}"]
    return [f"build/tests/{test}"]


def notices(directory, tests):
    """Whether one of these tests fails."""
    environment = {**os.environ, "CERTDIR_TEST_CERTS": "build/certs", "CERTDIR_BUILD": str(directory / "build")}
    for test in tests:
        try:
            if subprocess.run(command(test), cwd=directory, check=False, capture_output=True, timeout=PATIENCE,
                              env=environment).returncode:
                return True
        except subprocess.TimeoutExpired:
            return True
    return False


def programs(mutants):
    return sorted({"all" if is_integration(test) else f"build/tests/{test}" for mutant in mutants for test in mutant["tests"]})


def misplaced(mutants):
    for mutant in mutants:
        count = (TOP / "rlm_certdir" / mutant["file"]).read_text().count(mutant["old"])
        if count != 1:
            yield f"{mutant['file']}: {mutant['old']!r} stands there {count} times, not once"


def try_one(directory, mutant):
    """None when a test fails, else what is wrong."""
    source = directory / "rlm_certdir" / mutant["file"]
    before = source.read_text()
    source.write_text(before.replace(mutant["old"], mutant["new"]))
    try:
        built = make(directory, *programs([mutant]))
        if built.returncode:
            return f"does not compile:\n{built.stderr[-2000:]}"
        return None if notices(directory, mutant["tests"]) else f"no test of {', '.join(mutant['tests'])} notices"
    finally:
        source.write_text(before)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    directory, words = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    table = tomllib.loads((TOP / "tests/mutants.toml").read_text())["mutant"]
    mutants = [mutant for mutant in table
               if not words or any(word in " ".join([mutant["file"], *mutant["tests"]]) for word in words)]
    problems = list(misplaced(mutants))
    if problems or not mutants:
        sys.exit("\n".join(problems) or "mutants.py: no mutant is called so")
    copy(directory)
    built = make(directory, "certificates", *programs(mutants))
    if built.returncode:
        sys.exit(f"what is not broken does not compile:\n{built.stderr[-2000:]}")
    for test in sorted({test for mutant in mutants for test in mutant["tests"]}):
        if notices(directory, [test]):
            sys.exit(f"{test} fails without a mutant")
    survivors = 0
    for mutant in mutants:
        wrong = try_one(directory, mutant)
        print(f"{'SURVIVES' if wrong else 'noticed ':8} {mutant['file']}: {mutant['old']!r} -> {mutant['new']!r}"
              + (f": {wrong}" if wrong else ""), flush=True)
        survivors += bool(wrong)
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants were noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
