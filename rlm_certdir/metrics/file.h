/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of metrics that a thread writes anew every 15 seconds: the node exporter's textfile collector reads it, and nobody waits. */
#ifndef CERTDIR_METRICS_FILE_H
#define CERTDIR_METRICS_FILE_H

#include "metrics/metric.h"

struct certdir_metrics_file;

/*
 * Starts the thread, which writes `filename` (mode 0644) at once, then every 15 seconds, and at the end: to another name and
 * renamed, so that who reads it has all of one time. `print` is called by that thread. What cannot be written is told in the log, once
 * until it is well again. `filename` and `context` are borrowed. NULL with `error` when memory or threads are out.
 */
struct certdir_metrics_file *certdir_metrics_file_open(const char *filename,
						       void (*print)(void *context, struct certdir_exposition *to),
						       void *context, struct certdir_error *error);
/* Writes it once more, and ends the thread. NULL is none. */
void certdir_metrics_file_close(struct certdir_metrics_file *file);

#endif
