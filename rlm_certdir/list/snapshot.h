/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One edition of the list, verified, in memory: what find.c and device.c look into. Everybody else sees list.h. */
#ifndef CERTDIR_LIST_SNAPSHOT_H
#define CERTDIR_LIST_SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>

#include "list/image.h"
#include "list/sources.h"

struct certdir_list_snapshot {
	atomic_size_t references;
	struct certdir_list_image image;
	struct certdir_list_sources sources;
	int64_t published;
	bool has_waiting; /* what there is none of is not looked for */
	bool has_former_names;
	bool has_dns_names;
	bool has_groups;
	bool has_values;
	bool has_certificates;
	pthread_mutex_t mutex; /* guards idle */
	struct certdir_list_reader *idle;
};

#endif
