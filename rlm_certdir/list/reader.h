/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to an image in memory. SQLite reads pages straight from the shared bytes and never writes to them. */
#ifndef CERTDIR_LIST_READER_H
#define CERTDIR_LIST_READER_H

#include "list/database.h"
#include "list/image.h"
#include "list/list.h"
#include "list/sql.h"

/* For one thread at a time. */
struct certdir_list_reader {
	const struct certdir_list_image *image;
	struct certdir_list_snapshot *snapshot; /* that the image is of; NULL for a reader of an image alone */
	struct certdir_list_reader *next; /* among the idle ones of the snapshot */
	struct certdir_sql sql;
	struct certdir_list_steps steps; /* that are left to it */
};

/* Opens a connection to the image, which is borrowed. NULL with `error`. */
struct certdir_list_reader *certdir_list_reader_open(const struct certdir_list_image *image,
						     struct certdir_error *error);
void certdir_list_reader_close(struct certdir_list_reader *reader);

/* Thousands of SQLite's instructions that one lookup in the image may take. */
int64_t certdir_list_reader_steps(const struct certdir_list_image *image);
/* Gives the reader what a person may ask of all devices. */
void certdir_list_reader_allow(struct certdir_list_reader *reader);
/*
 * Begins one lookup, so that a login ends. Returns what the reader has left for all of them, which the caller puts back into
 * reader->steps when the lookup has ended.
 */
struct certdir_list_steps certdir_list_reader_begin(struct certdir_list_reader *reader);
/* Says why reading has failed. Always false. */
bool certdir_list_reader_fail(struct certdir_list_reader *reader, struct certdir_error *error);
/* The same where memory is out. */
bool certdir_list_reader_no_memory(const struct certdir_list_reader *reader, struct certdir_error *error);

#endif
