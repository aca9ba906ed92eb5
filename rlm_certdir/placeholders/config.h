/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [placeholders NAME] of certdir.conf: which devices get an entry, where, and how it looks. */
#ifndef CERTDIR_PLACEHOLDERS_CONFIG_H
#define CERTDIR_PLACEHOLDERS_CONFIG_H

#include "conf/conf.h"
#include "ldap/connection.h"
#include "plan/plan.h"

/* The strong forms that certificates can be mapped with. */
enum certdir_mapping_form {
	CERTDIR_MAPPING_SKI,
	CERTDIR_MAPPING_SHA1_PUKEY,
	CERTDIR_MAPPING_ISSUER_SERIAL,
	CERTDIR_MAPPING_FORMS
};
const char *certdir_mapping_form_name(enum certdir_mapping_form form); /* "ski", .. as in certdir.conf */

/* Which devices of the list get an entry. */
struct certdir_selection {
	uint32_t join_types; /* CERTDIR_BIT(type) */
	bool require_enabled, require_managed, require_compliant;
	const char **groups; /* names or ids, any of them; NULL-terminated; NULL = not asked */
	const char **operating_systems; /* the same, without regard to case */
};

/* group "Wi-Fi staff" = CN=..: devices that are in a group of the list, and the target that their accounts are members of. */
struct certdir_group_rule {
	const char *name; /* of the group, or its id */
	size_t target; /* index */
};

/* A group of the directory that accounts are put into and taken out of. */
struct certdir_target {
	const char *dn;
	const char *option; /* that names it first: `member_of`, `group "Wi-Fi staff"` */
};

/* ou_of_group "Wi-Fi staff" = OU=.., ou_of_tenant "contoso" = OU=..: whose accounts stand there. */
struct certdir_place {
	bool tenant;
	const char *name; /* of the group or the tenant, or its id */
	const char *ou; /* one of the config's ous */
	int line;
};

struct certdir_placeholders_config {
	struct certdir_plan_rules rules;
	int line;
	struct certdir_ldap_config ldap; /* password is not set: certdir_placeholders_plan() reads the file */
	const char *password_file;
	const char **ous; /* `ou` and those of the places, each once */
	size_t ou_count;
	struct certdir_place *places; /* the first that fits counts */
	size_t place_count;
	struct certdir_selection selection;
	struct certdir_template cn; /* of the entry, from `name = ..` */
	const struct certdir_template
		*adopt; /* what accounts are called that are to become ours; NULL unless that is the task */
	const char *member_of; /* DN of a group that all are in, or NULL; then it is the first target */
	struct certdir_group_rule *groups; /* in the order of the file */
	size_t group_count;
	struct certdir_target *targets; /* each group once */
	size_t target_count;
	const char **certificates; /* files and directories, NULL-terminated, or NULL */
	bool issued; /* the list is to have tables of issued certificates; set by who knows its tenants */
	const char *certificate_issuer; /* DN for lists of certificates without an issuer, or NULL */
	uint32_t mapping; /* CERTDIR_BIT(form) of each form that a certificate is mapped with */
	int64_t max_age; /* seconds that the list may be old */
	const char *undo_directory;
	void *owned; /* what the pointers above point to, as far as it is not the conf's */
};

struct certdir_placeholders_configs {
	struct certdir_placeholders_config *sections;
	size_t count;
};

/* Takes every [placeholders ..] out of `conf`, which must outlive it. False with `error`, nothing is owned. */
bool certdir_placeholders_config_read(struct certdir_conf *conf, struct certdir_placeholders_configs *configs,
				      struct certdir_error *error);
void certdir_placeholders_config_clear(struct certdir_placeholders_configs *configs);

#endif
