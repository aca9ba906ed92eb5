/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intune's profiles, as `certdir profiles` judges them: what will go wrong with the certificates that they make. */
#include "cli/doctor.h"
#include "cli/profiles_gather.h"
#include "cli/words.h"

enum { NAMED = 10 };

struct gathering {
	const struct certdir_cli_options *options;
	struct raddb_file *raddb; /* or NULL */
	int64_t seconds;
	struct certdir_cli_profiles gathered;
	int status;
};

/* A server's configuration that cannot be entered has a check of its own. */
static void gather(void *context)
{
	struct gathering *gathering = context;

	gathering->status = certdir_cli_profiles_gather(&gathering->gathered, gathering->options, gathering->seconds);
	if (!gathering->status && gathering->raddb && raddb_file_place(gathering->raddb) &&
	    raddb_file_enter(gathering->raddb))
		certdir_cli_profiles_server(&gathering->gathered, gathering->raddb);
}

static void tell_faults(const char *tenant, const struct certdir_profiles_report *report,
			struct certdir_doctor_findings *findings)
{
	char remedy[CERTDIR_TEXT_MAX];
	size_t told = 0;

	certdir_say(remedy, "certdir profiles %s shows all of them", tenant);
	for (size_t i = 0; i < report->count; i++) {
		const struct certdir_profiles_finding *finding = &report->findings[i];

		if (!finding->note && told++ < NAMED)
			certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "profiles", remedy, "%s: \"%s\" %s", tenant,
					   finding->profile->name, finding->text);
	}
	if (told > NAMED)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, "profiles", remedy,
				   "%s: %zu more faults of profiles", tenant, told - NAMED);
}

static void tell(const char *tenant, const struct certdir_profiles *profiles,
		 const struct certdir_profiles_report *report, struct certdir_doctor_findings *findings)
{
	const size_t notes = report->count - report->faults;
	char remark[CERTDIR_TEXT_MAX] = "";

	if (report->faults)
		tell_faults(tenant, report, findings);
	if (notes)
		certdir_say(remark, "; certdir profiles %s has %zu note%s on them", tenant, notes,
			    certdir_cli_plural(notes));
	if (profiles->incomplete)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "profiles", "", "%s: %s: %s", tenant,
				   profiles->unread_count ? profiles->unread[0].name : "some profiles",
				   profiles->unread_count ? profiles->unread[0].why : "Graph does not show them");
	else if (!report->faults)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "profiles", "",
				   "%s: %zu profile%s of certificates and networks, nothing wrong%s", tenant,
				   profiles->count, certdir_cli_plural(profiles->count), remark);
}

void certdir_doctor_profiles(const struct certdir_doctor *doctor, const char *tenant, int64_t seconds,
			     struct certdir_doctor_findings *findings)
{
	char name[CERTDIR_TEXT_MAX], *operands[] = {name, NULL}, said[CERTDIR_TEXT_MAX];
	const struct certdir_cli_options options = {.conf = doctor->options->conf, .operands = operands};
	struct gathering gathering = {.options = &options, .raddb = doctor->raddb, .seconds = seconds};
	struct certdir_profiles_report report;

	certdir_say(name, "%s", tenant);
	certdir_doctor_listen(gather, &gathering, said);
	if (gathering.status) {
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "profiles", "", "%s: %s", tenant, said);
	} else {
		if (certdir_cli_profiles_judge(&gathering.gathered, &report))
			tell(tenant, &gathering.gathered.profiles, &report, findings);
		certdir_report_clear(&report);
	}
	certdir_cli_profiles_clear(&gathering.gathered);
}
