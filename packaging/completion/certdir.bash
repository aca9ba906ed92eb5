# SPDX-License-Identifier: GPL-2.0-or-later
# bash: certdir itself knows what can come next; where that is nothing, files are offered.
_certdir() {
	local IFS=$'\n'
	mapfile -t COMPREPLY < <(compgen -W "$(certdir complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -o bashdefault -F _certdir certdir
