#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh CHECKER...: what a machine can tell without running anything. All that were asked for run; the first failure is no end.
#   format    clang-format on all C
#   shell     shellcheck on all shell programs
#   man       mandoc on the man pages
#   cppcheck  cppcheck on the core, with what its system headers hide left out
#   tidy      clang-tidy on the core and the CLI, by .clang-tidy; some minutes
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

sources=(rlm_certdir/*.[ch] rlm_certdir/*/*.[ch] rlm_certdir/compat/freeradius/*.h tests/*/*.[ch] tests/unit/support/*.[ch])
[ ${#sources[@]} -gt 100 ] || { echo "check.sh: only ${#sources[@]} C files were found" >&2; exit 1; }

check_format() {
	clang-format --dry-run -Werror "${sources[@]}"
}

# What is left out: SC2015 (A && B || die is meant so), SC2016 (another shell or program expands it), SC1091 (files that are not
# followed), SC2154 (their variables).
check_shell() {
	local programs
	mapfile -t programs < <(grep -rlE '^#!/bin/(ba)?sh' .ci docker docs packaging raddb-snippets tests --include=run --include='*.sh' --include='certdir-*' \
		--include=entrypoint --include='*.postinst' --include='*.p*rm')
	[ ${#programs[@]} -gt 5 ] || { echo "check.sh: only ${#programs[@]} shell programs were found" >&2; return 1; }
	shellcheck --exclude=SC2015,SC2016,SC1091,SC2154 "${programs[@]}"
}

# The pages have no date: a package's build would have to change it each time.
check_man() {
	! mandoc -T lint -W warning man/*.[15] | grep -v 'missing date, using "": TH'
}

# It does not see the system's headers, so their macros are told.
check_cppcheck() {
	cppcheck --quiet -j"$(nproc)" --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
		-Irlm_certdir '-DCC_HINT(x)=' -DUNUSED= --include=/usr/include/jansson.h \
		--include="/usr/include/$(gcc -print-multiarch)/sys/queue.h" \
		--suppress=missingInclude --suppress=missingIncludeSystem --suppressions-list=tests/cppcheck.txt \
		-i rlm_certdir/compat rlm_certdir
}

# It is told how each file is compiled. FreeRADIUS's headers are not clean, so what sees them (-isystem) is left out.
check_tidy() {
	make --silent compile_commands.json || return 1
	sed -n '/-isystem/d; s/.*"-c","\([^"]*\)"\]}$/\1/p' compile_commands.json | grep -v cli/raddb_file.c |
		xargs -P"$(nproc)" -n4 clang-tidy --quiet -p . 2>/dev/null
}

failed=()
for checker in "$@"; do
	if "check_$checker"; then echo "$checker: clean"; else failed+=("$checker"); fi
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}" >&2; exit 1; }
