# SPDX-License-Identifier: GPL-2.0-or-later
# fish: certdir itself knows what can come next; files are offered beside it.
complete -c certdir -a '(certdir complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
