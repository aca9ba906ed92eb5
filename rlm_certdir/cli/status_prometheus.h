/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status as metrics: https://prometheus.io/docs/instrumenting/exposition_formats/, text format 0.0.4. */
#ifndef CERTDIR_CLI_STATUS_PROMETHEUS_H
#define CERTDIR_CLI_STATUS_PROMETHEUS_H

#include "cli/status_gather.h"

/* Prints all of it on stdout; false when that failed. */
bool certdir_cli_status_print_prometheus(const struct certdir_cli_status *status);

#endif
