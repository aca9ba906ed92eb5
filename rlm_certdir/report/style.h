/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CERTDIR_REPORT_STYLE_H
#define CERTDIR_REPORT_STYLE_H

/* The page's only style sheet, and its SHA-256 in base64, by which the page's Content-Security-Policy takes it and no other. */
extern const char certdir_page_style[], certdir_page_style_hash[];

#endif
