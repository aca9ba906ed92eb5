/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of its own for each test, and lists made in a line. */
#ifndef LIST_FIXTURE_H
#define LIST_FIXTURE_H

#include "list/list.h"
#include "list/seal.h"
#include "list/writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define G1 "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
#define G2 "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define G3 "9b2d5f7e-8a31-4c7b-b0de-5a6f0c3e9d42"
#define TENANT_A "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define TENANT_B "11111111-2222-3333-4444-555555555555"
#define SID1 "S-1-5-21-1004336348-1177238915-682003330-1133"

extern char fixture_directory[64];
extern char fixture_file[96];

int fixture_setup(void **state);
int fixture_teardown(void **state);

struct certdir_list_writer *fixture_begin(bool fresh, const char *source, const char *tenant, int64_t synced);

void fixture_add(struct certdir_list_writer *writer, const struct certdir_device *device);

/* Rows that imports cannot write: what a sync makes. */
void fixture_run(struct certdir_list_writer *writer, const char *sql);

void fixture_publish(struct certdir_list_writer *writer);

/* `count` devices "PC-0".. that all say of which edition they are. */
void fixture_edition(int edition, int count);

/* So many with a kilobyte of text each: from 4200 on the list is one that has a file of changes. */
void fixture_large(int count);

struct certdir_list_snapshot *fixture_load(void);
struct certdir_list_reader *fixture_reader(struct certdir_list_snapshot *snapshot);

/* The whole of a file, malloc'ed. */
unsigned char *fixture_read(size_t *size);

/* Writes over the file in place, as cp does. */
void fixture_overwrite(const void *bytes, size_t size);

/* The size of the image of a sealed file. */
size_t fixture_image(const unsigned char *file, size_t size);

/* Writes an image over the file and seals it truly, whatever it is. */
void fixture_seal(const unsigned char *image, size_t size);

#endif
