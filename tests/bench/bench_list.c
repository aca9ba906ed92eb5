/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long publishing a device list and looking something up in it takes.
 *
 *	bench_list [DEVICES [FILE]]
 *
 * Publishes a list of DEVICES (1000) made-up devices; then one device more, against copying the file with cp, without and
 * with an fsync at the end; then 1 and 1,000 changed devices of a list that is in use, as a sync writes and a server reads them; then times random lookups of devices that exist: by Entra id and name with the device read
 * whole, and through the directory as a login does it, by an id and then by all ids learnt, with 1 and with 8 threads. Then
 * the list gets a table with a certificate of each device, and logins are by one that it has, and by an id beside one that it has not. A
 * decision is all that a login costs but reading the certificate.
 */
#include "checker.h"
#include "directory/list.h"
#include "list/writer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOKUPS = 200000, THREADS = 8, COPIES = 5 };

static uint64_t devices = 1000;
static struct certdir_list_snapshot *snapshot;
static struct certdir_directory *directory;

static double seconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now(void)
{
	return seconds(CLOCK_MONOTONIC);
}

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "bench_list: %s\n", text);
	exit(1);
}

/* splitmix64: the n-th device's ids, spread like real ones. */
static uint64_t mix(uint64_t n)
{
	n += UINT64_C(0x9e3779b97f4a7c15);
	n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ^ n >> 31;
}

static void guid(uint64_t n, uint64_t kind, char out[37])
{
	uint64_t a = mix(n * 4 + kind), b = mix(a);

	(void)snprintf(out, 37, "%08x-%04x-%04x-%04x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
		       (unsigned)a & 0xffff, (unsigned)(b >> 48), b & UINT64_C(0xffffffffffff));
}

static void publish(const char *filename)
{
	static struct certdir_group groups[2] = {
		{.id = (char *)"11111111-1111-1111-1111-111111111111", .name = (char *)"Wi-Fi staff"},
		{.id = (char *)"22222222-2222-2222-2222-222222222222", .name = (char *)"All devices"}};
	char entra[37], intune[37], object[37], name[32], serial[32], dns[64], *names[1] = {dns};
	struct certdir_list_writer *writer;
	struct certdir_error error;

	writer = certdir_list_write_begin(filename, true, NULL, &error);
	if (!writer || !certdir_list_write_source(writer, "bench", NULL, (int64_t)time(NULL), &error))
		die(error.text);
	for (uint64_t n = 0; n < devices; n++) {
		struct certdir_device device = {.object_id = object,
						.entra_device_id = entra,
						.intune_device_id = intune,
						.name = name,
						.serial_number = serial,
						.owner = (char *)"somebody@example.com",
						.ownership = (char *)"company",
						.operating_system = (char *)"Windows",
						.compliance = (char *)"compliant",
						.dns_names = names,
						.dns_name_count = 1,
						.groups = groups,
						.group_count = n % 3,
						.enabled = CERTDIR_YES,
						.managed = CERTDIR_YES,
						.join_type = CERTDIR_JOIN_ENTRA,
						.last_seen = 1700000000,
						.registered = 1600000000};

		guid(n, 0, entra);
		guid(n, 1, intune);
		guid(n, 2, object);
		(void)snprintf(name, sizeof(name), "LAPTOP-%07" PRIu64, n);
		(void)snprintf(serial, sizeof(serial), "SN%010" PRIX64, mix(n) >> 24);
		(void)snprintf(dns, sizeof(dns), "laptop-%07" PRIu64 ".corp.example.com", n);
		if (!certdir_list_write_device(writer, &device, &error))
			die(error.text);
	}
	if (!certdir_list_write_publish(writer, &error))
		die(error.text);
}

/* ---- one change ---- */

/* The most memory that this process has had at a time, in MiB. */
static double peak(void)
{
	FILE *in = fopen("/proc/self/status", "r");
	char line[256];
	double kib = 0;

	while (in && fgets(line, sizeof(line), in))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtod(line + 6, NULL);
	if (in)
		(void)fclose(in);
	return kib / 1024;
}

/* What `work` took, in seconds, and the memory it needed: in a process of its own, whose heap is empty at the start. */
static double apart(void (*work)(const char *filename), const char *filename, double *memory)
{
	double figures[2] = {0, 0};
	int ends[2], status;
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		die("no process to be had");
	if (child == 0) {
		double start = now();

		work(filename);
		figures[0] = now() - start;
		figures[1] = peak();
		_exit(write(ends[1], figures, sizeof(figures)) != sizeof(figures));
	}
	if (waitpid(child, &status, 0) != child || status != 0 || read(ends[0], figures, sizeof(figures)) < 0)
		die("a measurement failed");
	(void)close(ends[0]);
	(void)close(ends[1]);
	if (memory)
		*memory = figures[1];
	return figures[0];
}

static void change_one(const char *filename)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_begin(filename, false, NULL, &error);
	char sql[300], entra[37], object[37];

	guid((uint64_t)(now() * 1e9), 0, entra);
	guid((uint64_t)(now() * 1e9), 2, object);
	(void)snprintf(sql, sizeof(sql),
		       "BEGIN;INSERT INTO device(source,entra_device_id,object_id,name,serial_number) "
		       "VALUES(1,'%s','%s','NEW-%.8s','%.13s');COMMIT",
		       entra, object, entra, object);
	if (!writer || !certdir_list_writer_run(writer, sql, &error) || !certdir_list_write_publish(writer, &error))
		die(error.text);
}

static void copy_with_cp(const char *filename, bool durable)
{
	char command[400];
	int fd;

	(void)snprintf(command, sizeof(command), "rm -f '%s.copy'; exec cp '%s' '%s.copy'", filename, filename,
		       filename);
	if (system(command) != 0)
		die("cp failed");
	(void)snprintf(command, sizeof(command), "%s.copy", filename);
	fd = open(command, O_RDONLY);
	if (fd < 0 || (durable && fsync(fd) != 0))
		die("the copy cannot be synced");
	(void)close(fd);
}

static void copy_plain(const char *filename)
{
	copy_with_cp(filename, false);
}

static void copy_durably(const char *filename)
{
	copy_with_cp(filename, true);
}

/* Each in turn, so that all have the same neighbours; the quickest of each counts, since nothing makes one quicker than it is. */
static void measure_one_change(const char *filename)
{
	static void (*const works[])(const char *) = {copy_plain, copy_durably, change_one};
	double best[3] = {1e9, 1e9, 1e9}, memory = 0;
	char copy[300];

	for (int i = 0; i < COPIES; i++)
		for (int which = 0; which < 3; which++) {
			double took, had;

			sync(); /* what others have written must not fall to this one's fsync */
			took = apart(works[which], filename, &had);
			if (took < best[which])
				best[which] = took;
			if (which == 2 && had > memory)
				memory = had;
		}
	(void)snprintf(copy, sizeof(copy), "%s.copy", filename);
	(void)unlink(copy);
	printf("one change published in %.3f s, peak %.1f MiB; cp %.3f s (ratio %.2f), cp and fsync %.3f s (ratio "
	       "%.2f)\n",
	       best[2], memory, best[0], best[2] / best[0], best[1], best[2] / best[1]);
}

/* ---- a change of a list that is in use ---- */

struct cost {
	double cpu; /* seconds */
	double written; /* bytes */
};

static double written(void)
{
	FILE *in = fopen("/proc/self/io", "r");
	char line[64];
	double bytes = 0;

	while (in && fgets(line, sizeof(line), in))
		if (strncmp(line, "wchar:", 6) == 0)
			bytes = strtod(line + 6, NULL);
	if (in)
		(void)fclose(in);
	return bytes;
}

static void change_some(const char *filename, uint64_t count, uint64_t seed)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_begin(filename, false, NULL, &error);

	if (!writer || !certdir_list_writer_run(writer, "BEGIN", &error))
		die(error.text);
	for (uint64_t i = 0; i < count; i++) {
		char sql[80];

		(void)snprintf(sql, sizeof(sql), "UPDATE device SET last_seen=last_seen+1 WHERE id=%" PRIu64,
			       mix(seed + i) % devices + 1);
		if (!certdir_list_writer_run(writer, sql, &error))
			die(error.text);
	}
	if (!certdir_list_writer_run(writer, "COMMIT", &error) || !certdir_list_write_publish(writer, &error))
		die(error.text);
}

/* By a process of its own, as a sync is. */
static struct cost change_apart(const char *filename, uint64_t count, uint64_t seed)
{
	struct cost cost = {0, 0};
	int ends[2], status;
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		die("no process to be had");
	if (child == 0) {
		cost.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
		cost.written = written();
		change_some(filename, count, seed);
		cost.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cost.cpu;
		cost.written = written() - cost.written;
		_exit(write(ends[1], &cost, sizeof(cost)) != sizeof(cost));
	}
	if (waitpid(child, &status, 0) != child || status != 0 || read(ends[0], &cost, sizeof(cost)) != sizeof(cost))
		die("a measurement failed");
	(void)close(ends[0]);
	(void)close(ends[1]);
	return cost;
}

/* Of all other threads: this one makes processes, which costs as much as there is memory to give them. */
static double cpu_of_others(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID) - seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void measure_in_use(const char *filename, uint64_t count)
{
	const struct certdir_list_config config = {.filename = filename};
	struct certdir_error error;
	struct certdir_directory *used = certdir_list_directory_open(&config, true, &error);

	if (!used)
		die(error.text);
	for (uint64_t turn = 0; turn < 4; turn++) {
		const uint64_t before = certdir_directory_list_edition(used);
		const double cpu = cpu_of_others();
		const struct cost cost = change_apart(filename, count, (uint64_t)(now() * 1e9));

		while (certdir_directory_list_edition(used) == before)
			(void)usleep(100000);
		printf("%5" PRIu64 " changed: writer %4.0f ms of CPU and %6.2f MB written, server %4.0f ms of CPU\n",
		       count, cost.cpu * 1e3, cost.written / 1e6, (cpu_of_others() - cpu) * 1e3);
	}
	used->type->close(used);
}

/* ---- lookups ---- */

static void *read_devices(void *context)
{
	uint64_t seed = *(uint64_t *)context;
	struct certdir_error error;
	struct certdir_list_reader *reader = certdir_list_reader_get(snapshot, &error);
	const struct certdir_list_source *source;
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	const char *only_against;
	char entra[37], name[32];
	bool more;

	if (!reader)
		die(error.text);
	for (int i = 0; i < LOOKUPS; i++) {
		uint64_t n = (seed = mix(seed)) % devices;
		struct certdir_device device;

		guid(n, 0, entra);
		(void)snprintf(name, sizeof(name), "laptop-%07" PRIu64, n);
		if (certdir_list_find(reader, NULL, CERTDIR_ID_ENTRA, entra, rows, &more, &error) != 1 ||
		    certdir_list_find(reader, NULL, CERTDIR_ID_NAME, name, rows, &more, &error) != 1 ||
		    !certdir_list_device(reader, rows[0], &device, &source, &only_against, &error))
			die("a device is missing");
		certdir_device_clear(&device);
	}
	certdir_list_reader_put(reader);
	return NULL;
}

static void *find_ids(void *context)
{
	uint64_t seed = *(uint64_t *)context;
	struct certdir_error error;
	struct certdir_list_reader *reader = certdir_list_reader_get(snapshot, &error);
	int64_t rows[CERTDIR_LIST_FIND_MAX];
	char entra[37];
	bool more;

	if (!reader)
		die(error.text);
	for (int i = 0; i < LOOKUPS; i++) {
		guid((seed = mix(seed)) % devices, 0, entra);
		if (certdir_list_find(reader, NULL, CERTDIR_ID_ENTRA, entra, rows, &more, &error) != 1)
			die("a device is missing");
	}
	certdir_list_reader_put(reader);
	return NULL;
}

static void *search(void *context)
{
	uint64_t seed = *(uint64_t *)context;
	char entra[37];

	for (int i = 0; i < LOOKUPS; i++) {
		struct certdir_sought first = {.type = CERTDIR_ID_ENTRA, .value = entra}, learnt[2];
		struct certdir_answer answer = {0};

		guid((seed = mix(seed)) % devices, 0, entra);
		directory->type->search(directory, &first, 1, &answer);
		if (answer.count != 1)
			die("a device is missing");
		learnt[0] = (struct certdir_sought){.type = CERTDIR_ID_GUID,
						    .value = answer.records[0].device.intune_device_id};
		learnt[1] =
			(struct certdir_sought){.type = CERTDIR_ID_GUID, .value = answer.records[0].device.object_id};
		directory->type->search(directory, learnt, 2, &answer);
		if (answer.count != 1)
			die("a device is missing");
		certdir_answer_clear(&answer);
	}
	return NULL;
}

/* ---- issued certificates ---- */

static void thumbprint(uint64_t n, char out[41])
{
	const uint64_t a = mix(n * 4 + 3), b = mix(a), c = mix(b);

	(void)snprintf(out, 41, "%016" PRIx64 "%016" PRIx64 "%08x", a, b, (unsigned)c);
}

static void issue(const char *filename)
{
	struct certdir_error error;
	struct certdir_list_writer *writer = certdir_list_write_begin(filename, false, NULL, &error);
	struct certdir_list_issued_counts counts;
	const int64_t at = (int64_t)time(NULL);
	char thumb[41], serial[41], intune[37];
	bool taken;

	if (!writer || !certdir_list_write_certificates_begin(writer, "issued", NULL, &error))
		die(error.text);
	for (uint64_t n = 0; n < devices; n++) {
		const struct certdir_issued row = {.thumbprint = thumb,
						   .issuer = (char *)"CN=Contoso Issuing CA, O=Contoso, C=US",
						   .serial = serial,
						   .intune_device_id = intune,
						   .upn = (char *)"somebody@example.com",
						   .status = (char *)"issued",
						   .not_before = at - 86400,
						   .not_after = at + 86400 * 365};

		thumbprint(n, thumb);
		(void)snprintf(serial, sizeof(serial), "1A%016" PRIX64, mix(n));
		guid(n, 1, intune);
		if (!certdir_list_write_certificate(writer, &row, &taken, &error) || !taken)
			die(error.text);
	}
	if (!certdir_list_write_certificates_end(writer, at, at, &counts, &error) ||
	    !certdir_list_write_publish(writer, &error))
		die(error.text);
}

/* Device n's login by a certificate that is in the table, or by its Entra id with one that is not. */
static void log_in(uint64_t n, bool issued)
{
	char thumb[41], entra[37];
	struct certdir_certificate certificate = {.thumbprint = thumb, .serial = (char *)"00"};
	struct certdir_sought sought = {.type = CERTDIR_ID_CERTIFICATE, .value = thumb, .certificate = &certificate};
	struct certdir_answer answer = {0};
	struct certdir_sought ids[3];

	thumbprint(issued ? n : n + devices, thumb);
	directory->type->search(directory, &sought, 1, &answer);
	if (issued != (answer.count == 1))
		die("the table says something else");
	guid(n, 0, entra);
	ids[0] = (struct certdir_sought){.type = CERTDIR_ID_GUID,
					 .value = issued ? answer.records[0].device.intune_device_id : entra};
	directory->type->search(directory, ids, 1, &answer);
	if (answer.count != 1u + issued)
		die("a device is missing");
	ids[0].value = answer.records[issued].device.object_id;
	ids[1] = (struct certdir_sought){.type = CERTDIR_ID_GUID,
					 .value = issued ? entra : answer.records[0].device.intune_device_id};
	directory->type->search(directory, ids, 2, &answer);
	certdir_answer_clear(&answer);
}

static void *log_in_by_certificate(void *context)
{
	uint64_t seed = *(uint64_t *)context;

	for (int i = 0; i < LOOKUPS; i++)
		log_in((seed = mix(seed)) % devices, true);
	return NULL;
}

static void *log_in_by_id(void *context)
{
	uint64_t seed = *(uint64_t *)context;

	for (int i = 0; i < LOOKUPS; i++)
		log_in((seed = mix(seed)) % devices, false);
	return NULL;
}

/* ---- decisions ---- */

/* All that a login is but the certificate's bytes: device n is to be let in by `id`, with a certificate that the table has or not. */
static void decide(uint64_t n, bool id, bool issued)
{
	struct certdir_checker checker = {.directories = {directory},
					  .directory_count = 1,
					  .accepted =
						  CERTDIR_BIT(CERTDIR_ID_CERTIFICATE) | CERTDIR_BIT(CERTDIR_ID_ENTRA),
					  .policy = {.join_types = UINT32_MAX}};
	const struct certdir_login login = {.now = (int64_t)time(NULL)};
	char thumb[41], entra[37];
	struct certdir_check check;

	memset(&check, 0, sizeof(check));
	thumbprint(issued ? n : n + devices, thumb);
	guid(n, 0, entra);
	check.certificate.thumbprint = thumb;
	check.certificate.serial = (char *)"00";
	check.certificate.issuer = (char *)"CN=Contoso Issuing CA";
	if (id)
		check.certificate.identities[check.certificate.count++] =
			(struct certdir_identity){CERTDIR_ID_ENTRA, entra, "subject.cn", CERTDIR_RANK_ID, false};
	certdir_check_names(&check, &checker, &login);
	if (check.decision.reason != CERTDIR_ALLOWED)
		die(check.decision.detail);
	for (size_t i = id; i < check.certificate.count; i++)
		free(check.certificate.identities[i].value); /* the thumbprint's, which the flow added */
	certdir_check_clear(&check);
}

static void decide_many(void *context, bool id, bool issued)
{
	uint64_t seed = *(uint64_t *)context;

	for (int i = 0; i < LOOKUPS; i++)
		decide((seed = mix(seed)) % devices, id, issued);
}

static void *decide_by_id(void *context)
{
	decide_many(context, true, false);
	return NULL;
}

static void *decide_by_certificate(void *context)
{
	decide_many(context, false, true);
	return NULL;
}

static void *decide_by_both(void *context)
{
	decide_many(context, true, true);
	return NULL;
}

/* ---- measuring ---- */

static void measure(const char *what, void *(*work)(void *), unsigned threads)
{
	pthread_t ids[THREADS];
	uint64_t seeds[THREADS];
	double start = now(), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), took;

	for (unsigned i = 0; i < threads; i++) {
		seeds[i] = i;
		if (pthread_create(&ids[i], NULL, work, &seeds[i]) != 0)
			die("no threads");
	}
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(ids[i], NULL);
	took = now() - start;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%-42s %u thread%s %7.0f ns of CPU each, %9.0f a second\n", what, threads, threads == 1 ? " " : "s",
	       cpu * 1e9 / LOOKUPS / threads, threads * LOOKUPS / took);
}

static void load(const struct certdir_list_config *config)
{
	struct certdir_error error;
	const double start = now();

	snapshot = certdir_list_load(config->filename, &error);
	if (!snapshot)
		die(error.text);
	printf("loaded and verified in %.3f s\n", now() - start);
	directory = certdir_list_directory_open(config, false, &error);
	if (!directory)
		die(error.text);
}

static void unload(void)
{
	directory->type->close(directory);
	certdir_list_release(snapshot);
}

static void remove_beside(const char *filename, const char *suffix)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%s%s", filename, suffix);
	(void)unlink(name);
}

int main(int argc, char **argv)
{
	char filename[64];
	const char *name = argc > 2 ? argv[2] : filename;
	struct certdir_list_config config = {.filename = name};
	struct stat status;
	double memory;

	if (argc > 1 && (devices = strtoull(argv[1], NULL, 10)) == 0)
		die("DEVICES is a number");
	(void)snprintf(filename, sizeof(filename), "/tmp/bench_list.%ld.db", (long)getpid());
	printf("%" PRIu64 " devices published in %.2f s", devices, apart(publish, name, &memory));
	printf(", peak %.1f MiB", memory);
	if (stat(name, &status) == 0)
		printf(", %.1f MB", (double)status.st_size / 1e6);
	printf("\n");
	measure_one_change(name);
	measure_in_use(name, 1);
	measure_in_use(name, devices < 1000 ? devices : 1000);
	load(&config);
	for (unsigned threads = 1; threads <= THREADS; threads += THREADS - 1) {
		measure("find by Entra id", find_ids, threads);
		measure("find by Entra id, by name, read device", read_devices, threads);
		measure("search of a directory as a login does it", search, threads);
		measure("decision by an id, no table", decide_by_id, threads);
	}
	unload();
	printf("a certificate of each added in %.2f s", apart(issue, name, &memory));
	printf(", peak %.1f MiB", memory);
	if (stat(name, &status) == 0)
		printf(", %.1f MB", (double)status.st_size / 1e6);
	printf("\n");
	load(&config);
	for (unsigned threads = 1; threads <= THREADS; threads += THREADS - 1) {
		measure("search by an id, certificate unknown", log_in_by_id, threads);
		measure("search by the certificate", log_in_by_certificate, threads);
		measure("decision by an id, certificate unknown", decide_by_id, threads);
		measure("decision by the certificate", decide_by_certificate, threads);
		measure("decision by the certificate, and an id", decide_by_both, threads);
	}
	unload();
	(void)unlink(name);
	remove_beside(name, ".last");
	remove_beside(name, ".last.changes");
	remove_beside(name, ".changes");
	remove_beside(name, ".lock");
	return 0;
}
