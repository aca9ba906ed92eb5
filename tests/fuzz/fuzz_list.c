/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over a device list with a true seal: an honest list whose pages the input changes. What is not our schema any more is
 * refused; with all else, loading, finding, reading, verifying and printing end, and give text or an error.
 *
 * The input is a row of changes: page (1 byte), place in it (2 bytes), how many bytes (1), the bytes; or with 255 for the
 * number, the page that is put there whole.
 */
#include "holds.h"
#include "list/list.h"
#include "list/seal.h"
#include "list/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static unsigned char *honest;
static size_t honest_size;

static const char rows[] =
	"INSERT INTO source(id,name,kind,tenant,synced,devices,identities) VALUES(2,'contoso','tenant',"
	"'72f988bf-86f1-41af-91ab-2d7cd011db47',1,40,'entra_device_id common_name');"
	"WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<40) INSERT INTO "
	"device(source,name,object_id,"
	"entra_device_id,serial_number,sid,compliance,enabled,owner) SELECT 2,'PC-'||(i%50),hex(zeroblob(8))||i,"
	"printf('3f2504e0-4f89-11d3-9a0c-%012d',i),'SN'||i,'S-1-5-21-1-2-3-'||i,'compliant',1,hex(zeroblob(i*5)) FROM "
	"n;"
	"INSERT INTO dns_name SELECT id,'pc-'||id||'.corp.example' FROM device;"
	"INSERT INTO former_name SELECT id,'old-'||id,1 FROM device;"
	"INSERT INTO grp(id,source,object_id,name) VALUES(1,2,'g','staff');"
	"INSERT INTO device_group(device,grp) SELECT id,1 FROM device;"
	"INSERT INTO intune_waiting(source,entra_device_id,intune_name) SELECT 2,'w'||id,'wait-'||id FROM device;"
	"INSERT INTO change(at,source,device,name,what) SELECT id,'contoso',entra_device_id,name,'added' FROM device";

static void make_honest(void)
{
	char name[] = "/tmp/fuzz_list.XXXXXX", list[64];
	struct certdir_list_writer *writer;
	struct certdir_error error;
	FILE *in;

	HOLDS(mkdtemp(name));
	(void)snprintf(list, sizeof(list), "%s/list", name);
	writer = certdir_list_write_begin(list, true, NULL, &error);
	HOLDS(writer && certdir_list_writer_run(writer, rows, &error) && certdir_list_write_publish(writer, &error));
	in = fopen(list, "rb");
	HOLDS(in && fseek(in, 0, SEEK_END) == 0);
	honest_size = (size_t)ftell(in) / PAGE * PAGE;
	honest = malloc(honest_size);
	rewind(in);
	HOLDS(honest && fread(honest, 1, honest_size, in) == honest_size);
	(void)fclose(in);
	(void)unlink(list);
	(void)unlink(strcat(list, ".lock"));
	(void)rmdir(name);
}

static void change(unsigned char *image, const unsigned char *data, size_t size)
{
	const size_t pages = honest_size / PAGE;

	while (size >= 4) {
		unsigned char *page = image + data[0] % pages * PAGE;
		size_t at = ((size_t)data[1] << 8 | data[2]) % PAGE, count = data[3];

		if (count == 255) {
			memmove(page, honest + at % pages * PAGE, PAGE);
			count = 0;
		}
		data += 4;
		size -= 4;
		count = count > size ? size : count;
		count = count > PAGE - at ? PAGE - at : count;
		memcpy(page + at, data, count);
		data += count;
		size -= count;
	}
}

static bool look_at(void *context, int64_t row, const struct certdir_device *device,
		    const struct certdir_list_source *source)
{
	(void)context;
	(void)row;
	HOLDS(device->id && source->name);
	return true;
}

static bool look_at_change(void *context, const struct certdir_list_change *made)
{
	(void)context;
	return !made->name || strlen(made->name) < SIZE_MAX;
}

static void hear(void *context, const char *text)
{
	(void)context;
	HOLDS(!text || strlen(text) < SIZE_MAX);
}

static void look_up(struct certdir_list_reader *reader)
{
	static const char *const values[CERTDIR_ID_TYPES] = {
		[CERTDIR_ID_ENTRA] = "3f2504e0-4f89-11d3-9a0c-000000000007",
		[CERTDIR_ID_SID] = "S-1-5-21-1-2-3-9",
		[CERTDIR_ID_DNS] = "pc-3.corp.example",
		[CERTDIR_ID_NAME] = "pc-3",
		[CERTDIR_ID_SERIAL] = "SN4",
	};
	int64_t found[CERTDIR_LIST_FIND_MAX];
	const struct certdir_list_source *source;
	struct certdir_device device;
	struct certdir_error error;
	const char *against;
	bool more;

	for (int type = 0; type < CERTDIR_ID_TYPES; type++) {
		int count = values[type] ? certdir_list_find(reader, NULL, (enum certdir_identity_type)type,
							     values[type], found, &more, &error)
					 : 0;

		HOLDS(count <= CERTDIR_LIST_FIND_MAX);
		for (int i = 0; i < count; i++)
			if (certdir_list_device(reader, found[i], &device, &source, &against, &error)) {
				HOLDS(device.id && source->name);
				certdir_device_clear(&device);
			}
	}
	(void)certdir_list_find(reader, "72f988bf-86f1-41af-91ab-2d7cd011db47", CERTDIR_ID_NAME, "old-5", found, &more,
				&error);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct certdir_list_snapshot *snapshot;
	struct certdir_list_reader *reader;
	struct certdir_list_numbers numbers;
	struct certdir_list_shared shared;
	struct certdir_error error;
	unsigned char *image;
	char name[32];
	int file;

	if (!honest)
		make_honest();
	image = malloc(honest_size);
	HOLDS(image);
	memcpy(image, honest, honest_size);
	change(image, data, size);
	file = memfd_create("list", MFD_CLOEXEC);
	HOLDS(file >= 0 && write(file, image, honest_size) == (ssize_t)honest_size);
	free(image);
	HOLDS(certdir_list_seal_append(file, 0, NULL, "list", &error));
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	snapshot = certdir_list_load(name, &error);
	HOLDS(snapshot || size > 0);
	reader = snapshot ? certdir_list_reader_get(snapshot, &error) : NULL;
	if (reader) {
		look_up(reader);
		(void)certdir_list_each(reader, look_at, NULL, &error);
		(void)certdir_list_changes(reader, 0, look_at_change, NULL, &error);
		(void)certdir_list_numbers(reader, 2, &numbers, &error);
		(void)certdir_list_shared(reader, &shared, &error);
		(void)certdir_list_verify(reader, hear, NULL, &error);
	}
	certdir_list_reader_put(reader);
	certdir_list_release(snapshot);
	(void)close(file);
	return 0;
}
