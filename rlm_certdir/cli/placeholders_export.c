/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/placeholders_export.h"

#include <stdio.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/json.h"
#include "import/csv.h"

void certdir_cli_placeholders_export_header(void)
{
	fputs("device_id,sid,name\r\n", stdout);
}

/* Why the account's SID must not be written into a certificate, or NULL. */
static const char *why_not(const struct certdir_accounts *accounts, size_t at)
{
	const struct certdir_account *account = &accounts->own[at];
	const char *key = account->mark->key;

	if (!account->sid)
		return "has no SID that can be read";
	if (account->life)
		return "is a real computer by now: who has its SID in a certificate can log in as that";
	if ((at > 0 && strcmp(accounts->own[at - 1].mark->key, key) == 0) ||
	    (at + 1 < accounts->own_count && strcmp(accounts->own[at + 1].mark->key, key) == 0))
		return "is one of several accounts of its device";
	return NULL;
}

static void print_row(const struct certdir_account *account)
{
	const char *const fields[] = {account->mark->key, account->sid, account->cn};

	for (size_t i = 0; i < 3; i++) {
		if (i > 0)
			putchar(',');
		certdir_csv_print(stdout, fields[i]);
	}
	fputs("\r\n", stdout);
}

static bool print_account(const struct certdir_placeholders_config *config, const struct certdir_account *account,
			  bool json)
{
	if (json)
		return certdir_cli_json_print(json_pack("{s:s,s:s,s:s,s:s,s:s}", "type", "sid", "section",
							config->rules.name, "device_id", account->mark->key, "sid",
							account->sid, "name", account->cn));
	print_row(account);
	return true;
}

enum certdir_cli_placeholders_exit
certdir_cli_placeholders_export_section(const struct certdir_placeholders_config *config, bool json)
{
	struct certdir_placeholders placeholders;
	const struct certdir_accounts *accounts = &placeholders.accounts;
	struct certdir_error error;
	bool ok;

	if (config->rules.kind != CERTDIR_PLACEHOLDER_COMPUTER) {
		fprintf(stderr, "certdir: %s: left out: the entries of kind = device have no SIDs\n",
			config->rules.name);
		return CERTDIR_CLI_PLACEHOLDERS_NOTHING;
	}
	ok = certdir_placeholders_look(&placeholders, config, &error);
	if (!ok)
		(void)certdir_cli_fail(CERTDIR_CLI_PLACEHOLDERS_FAILED, NULL, "%s: %s", config->rules.name, error.text);
	for (size_t i = 0; ok && i < accounts->own_count; i++) {
		const char *why = why_not(accounts, i);

		if (why)
			fprintf(stderr, "certdir: %s: left out: %s %s\n", config->rules.name, accounts->own[i].dn, why);
		else
			ok = print_account(config, &accounts->own[i], json);
	}
	certdir_placeholders_close(&placeholders);
	return ok ? CERTDIR_CLI_PLACEHOLDERS_NOTHING : CERTDIR_CLI_PLACEHOLDERS_FAILED;
}
