/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures as a page of HTML. */
#ifndef CERTDIR_REPORT_PAGE_H
#define CERTDIR_REPORT_PAGE_H

#include <stdio.h>

#include "report/figures.h"

/* Writes it, in UTF-8: it asks for nothing from outside and runs no script. Whether it was written, ferror(3) tells of `out`. */
void certdir_page_print(const struct certdir_figures *figures, FILE *out);

#endif
