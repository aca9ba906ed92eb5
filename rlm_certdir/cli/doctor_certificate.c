/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What EAP-TLS shows to devices and trusts them by. Looked at as the server's user. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authorities.h"
#include "cli/doctor.h"
#include "cli/words.h"
#include "identity/certificate.h"
#include "identity/pem.h"
#include "import/input.h"

#define SERVER_AUTH "1.3.6.1.5.5.7.3.1"

enum { SOON = 30 * 86400 };

/* The file of a chain, of which the first certificate is the server's. */
struct chain {
	struct certdir_certificate own;
	size_t count;
};

static void take_certificate(void *context, const unsigned char *der, size_t length)
{
	struct chain *chain = context;
	struct certdir_error error;

	/* What certdir would refuse of a client is of no harm here: dates and purposes are there. */
	if (chain->count++ == 0)
		(void)certdir_certificate_parse(&chain->own, der, length, NULL, &error);
}

static bool has_purpose(const char *ekus, const char *purpose)
{
	const char *at = ekus ? strstr(ekus, purpose) : NULL;

	return at && (at[strlen(purpose)] == ' ' || at[strlen(purpose)] == '\0');
}

static void check_dates(const struct certdir_certificate *own, const char *file, int64_t now,
			struct certdir_doctor_findings *findings)
{
	static const char renew[] = "renew the server's certificate and restart the server";
	char date[CERTDIR_CLI_DATE_SIZE];

	if (now > own->not_after)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "expiry", renew,
				   "%s expired on %s: no device accepts this server", file,
				   certdir_cli_date(own->not_after, date));
	else if (now < own->not_before)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "expiry", "look at this machine's clock: date",
				   "%s is not valid before %s", file, certdir_cli_date(own->not_before, date));
	else
		certdir_doctor_say(findings,
				   own->not_after - now < SOON ? CERTDIR_DOCTOR_WARNING : CERTDIR_DOCTOR_RIGHT,
				   "expiry", own->not_after - now < SOON ? renew : "", "%s expires on %s", file,
				   certdir_cli_date(own->not_after, date));
}

static void check_purpose(const struct certdir_certificate *own, const char *file,
			  struct certdir_doctor_findings *findings)
{
	if (has_purpose(own->ekus, SERVER_AUTH))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "purpose", "", "%s is for server authentication",
				   file);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "purpose",
				   "issue one with extendedKeyUsage = serverAuth",
				   "%s is not for server authentication: Windows does not accept this server", file);
}

static void check_certificate(const char *file, int64_t now, struct certdir_doctor_findings *findings)
{
	struct chain chain = {.count = 0};
	struct certdir_error error;
	size_t length;
	char *bytes = certdir_input_read(file, &length, &error);

	if (bytes && certdir_pem_each(bytes, length, take_certificate, &chain, &error) && chain.count) {
		check_dates(&chain.own, file, now, findings);
		check_purpose(&chain.own, file, findings);
	} else {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "expiry", "write the name of a PEM file there",
				   "%s has no certificate that can be read", file);
	}
	certdir_certificate_clear(&chain.own);
	free(bytes);
}

/* ---- keys, CAs ---- */

static void check_key(const char *file, struct certdir_doctor_findings *findings)
{
	char remedy[CERTDIR_TEXT_MAX];

	/* One that is not there is told of by `files`. */
	if (!file || (access(file, F_OK) != 0 && errno == ENOENT))
		return;
	certdir_say(remedy, "chmod o-rwx %s", file);
	if (certdir_doctor_others(file))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "key", remedy,
				   "%s is a private key: anybody can use it", file);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "key", "", "%s is not for everybody", file);
}

/* More of them than a company has are the wiring's to tell. */
static void check_authorities(const char *file, struct certdir_doctor_findings *findings)
{
	const size_t count = file ? certdir_authorities_in_file(file) : 0;

	if (!file)
		return;
	if (!count)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "authorities",
				   "write the devices' CA into it, as PEM", "%s has no CA", file);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "authorities", "", "%s has %zu CA%s", file, count,
				   certdir_cli_plural(count));
}

/* ---- versions, resumption ---- */

static bool is_old(const char *version)
{
	return version && (strcmp(version, "1.0") == 0 || strcmp(version, "1.1") == 0);
}

static void check_versions(const struct raddb_tls *tls, struct certdir_doctor_findings *findings)
{
	if (is_old(tls->most))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "versions", "tls_max_version = \"1.2\"",
				   "tls_max_version = %s: Windows 11 and others do not log in any more", tls->most);
	else if (is_old(tls->least))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WARNING, "versions", "tls_min_version = \"1.2\"",
				   "tls_min_version = %s: TLS of that version is broken", tls->least);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "versions", "", "TLS %s to %s",
				   tls->least ? tls->least : "1.2", tls->most ? tls->most : "1.2");
}

static void check_tls(const struct raddb_tls *tls, int64_t now, struct certdir_doctor_findings *findings)
{
	const bool readable = certdir_doctor_readable(tls->certificate_file, "files", findings) &
			      certdir_doctor_readable(tls->private_key_file, "files", findings) &
			      certdir_doctor_readable(tls->ca_file, "files", findings);

	if (readable)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "files", "",
				   "the server's user can read certificate, key and CAs");
	if (tls->certificate_file && (readable || certdir_authorities_in_file(tls->certificate_file)))
		check_certificate(tls->certificate_file, now, findings);
	check_key(tls->private_key_file, findings);
	if (readable)
		check_authorities(tls->ca_file, findings);
	check_versions(tls, findings);
	if (tls->sessions && certdir_doctor_writable(tls->sessions, "resumption", findings))
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "resumption", "", "sessions are kept in %s",
				   tls->sessions);
}

static void look_at_tls(const struct certdir_doctor *doctor, const void *subject,
			struct certdir_doctor_findings *findings)
{
	if (certdir_doctor_become_server(doctor, "files", findings))
		check_tls(subject, doctor->now, findings);
}

static void take_tls(void *context, const struct raddb_tls *tls)
{
	struct raddb_tls *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	*copy = *tls;
	certdir_doctor_add(context, "certificate", tls->certificate_file, look_at_tls, copy);
}

void certdir_doctor_certificates(const struct certdir_doctor *doctor, struct certdir_doctor_jobs *jobs)
{
	if (doctor->raddb)
		raddb_file_each_tls(doctor->raddb, take_tls, jobs);
}
