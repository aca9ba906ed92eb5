/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over certdir.conf, as `certdir sync` and `certdir placeholders` read it. What is refused is refused in a sentence that
 * names the file; what is taken, is taken the same way a second time.
 */
#include "conf/conf.h"
#include "holds.h"
#include "placeholders/config.h"
#include "sync/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The number of sections, or -1 with `error`. */
static long read_conf(const char *name, struct certdir_error *error)
{
	static const char *const kinds[] = {"list", "tenant", "placeholders", NULL};
	struct certdir_placeholders_configs placeholders = {0};
	struct certdir_sync_config config = {0};
	struct certdir_conf *conf;
	long sections;
	bool ok;

	*error = (struct certdir_error){.text = ""};
	conf = certdir_conf_load(name, error);
	if (!conf)
		return -1;
	ok = certdir_sync_config_read(conf, &config, error);
	ok &= certdir_placeholders_config_read(conf, &placeholders, error);
	ok &= certdir_conf_finish(conf, kinds, error);
	sections = ok ? (long)conf->count : -1;
	certdir_placeholders_config_clear(&placeholders);
	certdir_sync_config_clear(&config);
	certdir_conf_free(conf);
	return sections;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct certdir_error first, second;
	char name[32];
	int file = memfd_create("conf", MFD_CLOEXEC);
	long sections;

	HOLDS(file >= 0 && write(file, data, size) == (ssize_t)size && fchmod(file, 0600) == 0);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	sections = read_conf(name, &first);
	HOLDS((sections >= 0) == !first.text[0]);
	HOLDS(sections >= 0 || strstr(first.text, name));
	HOLDS(read_conf(name, &second) == sections && strcmp(first.text, second.text) == 0);
	(void)close(file);
	return 0;
}
