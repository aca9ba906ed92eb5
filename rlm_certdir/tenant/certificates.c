/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of issued certificates. */
#include "list/issued.h"
#include "tenant/state.h"

bool certdir_tenant_certificates_begin(struct certdir_tenant *tenant, struct certdir_error *error)
{
	if (!certdir_tenant_begin(tenant, CERTDIR_PART_CERTIFICATES, error))
		return false;
	if (certdir_list_issued_begin(tenant->writer, tenant->source, error))
		return true;
	certdir_tenant_part_abandon(tenant);
	return false;
}

bool certdir_tenant_certificates_put(struct certdir_tenant *tenant, const struct certdir_issued *row, bool *taken,
				     struct certdir_error *error)
{
	*taken = false;
	return certdir_tenant_in(tenant, CERTDIR_PART_CERTIFICATES, error) &&
	       certdir_list_issued_put(tenant->writer, row, taken, error);
}

/* SHRUNK with `error`: what is lost was kept. */
static enum certdir_tenant_ended exchange(struct certdir_tenant *tenant, struct certdir_list_issued_counts *counts,
					  struct certdir_error *error)
{
	const int64_t now = tenant->options.now;
	enum certdir_tenant_ended ended;

	if (!certdir_list_issued_compare(tenant->writer, now, counts, error))
		return CERTDIR_ENDED_FAILED;
	ended = certdir_tenant_guard(tenant, counts->before, counts->lost, "issued certificates",
				     "in Intune whether they are gone", error);
	if (!certdir_list_issued_exchange(tenant->writer, ended == CERTDIR_ENDED_SHRUNK, now,
					  tenant->state.certificates_synced, counts, error))
		return CERTDIR_ENDED_FAILED;
	return ended;
}

enum certdir_tenant_ended certdir_tenant_certificates_end(struct certdir_tenant *tenant, int64_t as_of,
							  struct certdir_tenant_counts *counts,
							  struct certdir_error *error)
{
	enum certdir_tenant_ended ended = CERTDIR_ENDED_FAILED;
	struct certdir_list_issued_counts issued;

	if (!certdir_tenant_in(tenant, CERTDIR_PART_CERTIFICATES, error))
		return ended;
	ended = exchange(tenant, &issued, error);
	if (ended != CERTDIR_ENDED_FAILED) {
		*counts = (struct certdir_tenant_counts){.before = issued.before,
							 .added = issued.added,
							 .changed = issued.changed,
							 .lost = issued.lost,
							 .kept = issued.kept,
							 .after = issued.after};
		if (!certdir_list_writer_do(
			    tenant->writer,
			    "UPDATE source SET certificates_synced=?2,certificates=?3,certificates_interval=?4 WHERE "
			    "id=?1",
			    SQL_VALUES(SQL_NUMBER(tenant->source), SQL_NUMBER(as_of), SQL_NUMBER((int64_t)issued.after),
				       SQL_TIME(tenant->options.certificates_interval)),
			    error))
			ended = CERTDIR_ENDED_FAILED;
	}
	return certdir_tenant_finish(tenant, ended, error);
}
