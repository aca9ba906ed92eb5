/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of an HTML page. Names come from devices and may be anything: nothing of them becomes markup. */
#ifndef CERTDIR_REPORT_HTML_H
#define CERTDIR_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

/* A text, for an element's content or a quoted attribute. What is no UTF-8, or does not show as itself on a line, becomes U+FFFD. */
void certdir_html_text(FILE *out, const char *text);
/* A sentence of our own, in which `what is typed` stands so. */
void certdir_html_advice(FILE *out, const char *text);
/* 1234567 as 1,234,567. */
void certdir_html_number(FILE *out, uint64_t number);
/* "2026-11-30" and "2026-11-30 10:00 UTC" of Unix seconds; "never" of 0. */
void certdir_html_day(FILE *out, int64_t seconds);
void certdir_html_time(FILE *out, int64_t seconds);
/* "3 hours", "12 days" of seconds. */
void certdir_html_span(FILE *out, int64_t seconds);

/* A bar of a chart: what it is called, and how much. */
struct certdir_html_bar {
	const char *label;
	uint64_t value;
};
/* A table with a bar in each row; those of 0 are left out. `total`: what the shares are of. */
void certdir_html_bars(FILE *out, const char *caption, const struct certdir_html_bar *bars, size_t count,
		       uint64_t total);

/* What stands on each other in the columns of a chart: one number for each day. */
struct certdir_html_series {
	const char *label;
	const uint64_t *values;
	unsigned color; /* 1 .. 6 */
};
/* A chart of columns from `first` (Unix seconds) on, with its numbers in a table that can be unfolded. */
void certdir_html_days(FILE *out, const char *caption, const struct certdir_html_series *series, size_t count,
		       size_t days, int64_t first);

#endif
