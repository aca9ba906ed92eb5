/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of a directory that remembers, a store of them, and a fake directory behind it. */
#ifndef MEMORY_FIXTURE_H
#define MEMORY_FIXTURE_H

#include "directory/memory.h"
#include "directory/memory_file.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ENTRA "0a1b2c3d-0000-4000-8000-00000000000f"
#define SID "S-1-5-21-1-2-3-1104"

struct device {
	const char *id;
	const char *sid;
	const char *name;
	enum certdir_tristate enabled;
};

void make_record(struct certdir_record *record, const struct device *device);

struct certdir_reply *told_of(const struct device *devices, size_t count, size_t values);
struct certdir_question question_of(enum certdir_identity_type type, const char *value);

void store_put(struct certdir_store *store, enum certdir_identity_type type, const char *value,
	       const struct device *devices, size_t count);

/* -1: nothing is known; else whether the first record is enabled. */
int store_get(struct certdir_store *store, enum certdir_identity_type type, const char *value);

struct certdir_store *new_store(size_t answers, size_t bytes);

extern const struct device pc01;
extern const struct device pc01_disabled;
extern const struct device pc02;

/* Says what it is told to say, and counts how often it is asked. */
struct fake {
	struct certdir_directory base;
	pthread_mutex_t lock;
	pthread_cond_t go;
	bool held; /* searches wait until it is not */
	atomic_uint asked;
	bool down;
	const char *group; /* of each device, or NULL */
	bool partial; /* groups cannot be asked for */
	struct device devices[4];
	size_t count;
};

extern struct fake fake;

void fake_reset(const struct device *device);

struct certdir_directory *open_memory(uint32_t remember, bool stale, const char *filename);

struct said {
	enum certdir_answer_state state;
	size_t count;
	enum certdir_tristate enabled;
	int64_t age; /* -1: as of now */
	bool many;
	size_t groups; /* of the first record */
	int64_t group_as_of; /* of its first one, 0 = as old as the record */
};

struct said memory_ask(struct certdir_directory *memory, const char *name);

#endif
