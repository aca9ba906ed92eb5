/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of issued certificates of one source, exchanged for another: for imports and syncs alike. */
#ifndef CERTDIR_LIST_ISSUED_H
#define CERTDIR_LIST_ISSUED_H

#include "list/writer.h"

/* Begins one of the source, inside the transaction that the exchange is to be part of. */
bool certdir_list_issued_begin(struct certdir_list_writer *writer, int64_t source, struct certdir_error *error);
/*
 * Puts a new row. *taken is false, with the reason in `error`, when it cannot be stored as it is: neither thumbprint nor serial number with
 * an issuer that is a distinguished name, a GUID that is none, a text that is no clean one. False with `error`: the transaction has failed.
 */
bool certdir_list_issued_put(struct certdir_list_writer *writer, const struct certdir_issued *row, bool *taken,
			     struct certdir_error *error);
/*
 * Compares what the source had with what was put, after the last row. Lost are certificates that are valid at `now` and were not put; kept
 * is not counted yet.
 */
bool certdir_list_issued_compare(struct certdir_list_writer *writer, int64_t now,
				 struct certdir_list_issued_counts *counts, struct certdir_error *error);
/*
 * Exchanges them, after that. What is lost stays if it is revoked, or `keep` says so for all of it, as of `known_at` unless it was kept
 * before. Counts what is kept and corrects what follows from it. Removes the temporary tables.
 */
bool certdir_list_issued_exchange(struct certdir_list_writer *writer, bool keep, int64_t now, int64_t known_at,
				  struct certdir_list_issued_counts *counts, struct certdir_error *error);

#endif
