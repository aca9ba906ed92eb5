#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Gathers what the site is made of in DIR: README.md as its first page, docs/, and the man pages as HTML. Usage: docs/site.sh DIR
set -eu

dir=$1
rm -rf "$dir"
mkdir -p "$dir/man"
cp docs/*.md docs/*.svg SECURITY.md CHANGELOG.md "$dir"
# What stands beside README.md in the checkout stands beside the pages here.
sed 's,](docs/,](,g' README.md >"$dir/index.md"
sed -i 's,](\.\./README\.md,](index.md,g' "$dir"/*.md
sed -i 's,](docs/,](,g' "$dir/SECURITY.md"
for page in man/*.[15]; do
	name=$(basename "$page")
	{
		printf '# %s(%s)\n\n<div>\n' "${name%.*}" "${name##*.}"
		mandoc -T html -O fragment "$page" | sed '/^<table class="\(head\|foot\)">/,/^<\/table>/d'
		printf '</div>\n'
	} >"$dir/man/$name.md"
done
