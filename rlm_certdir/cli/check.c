/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certdir check: what would the server decide about this certificate, and why? */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/failure.h"
#include "cli/judge.h"
#include "cli/words.h"
#include "identity/pem.h"
#include "import/input.h"

struct run {
	const struct certdir_cli_options *options;
	const struct certdir_cli_judge *judge;
	const char *file;
	bool denied, unsure, failed;
};

/* Of a certificate that certdir would allow: why it is never asked. What the server does before comes first. */
static void foresee(const struct run *run, struct certdir_check *check, int64_t now)
{
	const struct certdir_certificate *certificate = &check->certificate;
	struct certdir_decision *decision = &check->decision;
	size_t f = 0;
	char when[CERTDIR_CLI_DATE_SIZE];

	while (f < run->judge->finding_count && !run->judge->findings[f].error)
		f++;
	if (certdir_reason_verdict(decision->reason) != CERTDIR_ALLOW)
		return;
	if (now > certificate->not_after)
		certdir_say(decision->detail,
			    "certdir would allow it, but it expired on %s, and the TLS handshake refuses it",
			    certdir_cli_date(certificate->not_after, when));
	else if (now < certificate->not_before)
		certdir_say(decision->detail,
			    "certdir would allow it, but it is not valid before %s, and the TLS handshake refuses it "
			    "(is the clock right?)",
			    certdir_cli_date(certificate->not_before, when));
	else if (!certificate->client_auth)
		certdir_say(decision->detail, "certdir would allow it, but its extended key usage is not for client "
					      "authentication, and the TLS handshake refuses it");
	else if (f < run->judge->finding_count)
		certdir_say(decision->detail,
			    "certdir would allow it, but radiusd does not start with this configuration: see %s[%d]",
			    run->judge->findings[f].file, run->judge->findings[f].line);
	else
		return;
	decision->reason = CERTDIR_UNSEEN;
}

static void check_one(void *context, const unsigned char *der, size_t length)
{
	struct run *run = context;
	const char *user = run->options->user_name;
	const struct certdir_login login = {user, user ? strlen(user) : 0, (int64_t)time(NULL)};
	const struct explain_subject subject = {.file = run->file,
						.der = der,
						.length = length,
						.checker = run->judge->checker,
						.findings = run->judge->findings,
						.finding_count = run->judge->finding_count,
						.observes = run->judge->observes,
						.name = run->options->name,
						.now = login.now};
	struct certdir_check check;

	certdir_check_der(&check, run->judge->checker, der, length, &login);
	foresee(run, &check, login.now);
	if (!run->options->json)
		explain_text(&subject, &check);
	else if (!explain_json(&subject, &check))
		run->failed = true;
	run->denied |= certdir_reason_verdict(check.decision.reason) == CERTDIR_DENY;
	run->unsure |= certdir_reason_verdict(check.decision.reason) == CERTDIR_UNSURE;
	certdir_check_clear(&check);
}

/* ---- the certificates that were named ---- */

/* Read before anything else: the server's user, whom `check` becomes, may not be able to. */
struct operand {
	const char *name;
	char *bytes; /* NULL: `error` says why */
	size_t length;
	struct certdir_error error;
};

/* NULL when memory is out. Ends with one without a name. */
static struct operand *read_operands(char **names)
{
	struct operand *operands;
	size_t count = 0;

	while (names[count])
		count++;
	operands = calloc(count + 1, sizeof(*operands));
	for (size_t i = 0; operands && i < count; i++) {
		operands[i].name = names[i];
		operands[i].bytes = certdir_input_read(names[i], &operands[i].length, &operands[i].error);
	}
	return operands;
}

static void free_operands(struct operand *operands)
{
	for (size_t i = 0; operands && operands[i].name; i++)
		free(operands[i].bytes);
	free(operands);
}

static void check_operand(struct run *run, struct operand *operand)
{
	run->file = operand->name;
	if (operand->bytes && certdir_pem_each(operand->bytes, operand->length, check_one, run, &operand->error))
		return;
	run->failed = true;
	if (!operand->bytes)
		(void)certdir_cli_fail(EX_DATAERR, operand->name, "%s", operand->error.text);
	else
		(void)certdir_cli_fail(EX_DATAERR, operand->name, "%s: %s", operand->name, operand->error.text);
	if (run->options->json)
		(void)certdir_cli_failure_print(EX_DATAERR);
}

/* What a directory has to say while it is opened stands in the explanation, too. */
static void keep_quiet(enum certdir_log_level level, const char *text)
{
	(void)level, (void)text;
}

static int check_operands(struct run *run, struct operand *operands)
{
	if (!run->options->json)
		explain_findings(run->judge->findings, run->judge->finding_count);
	for (; operands->name; operands++)
		check_operand(run, operands);
	return run->failed ? EX_DATAERR : run->denied ? 1 : run->unsure ? 2 : 0;
}

int certdir_cli_check(const struct certdir_cli_options *options)
{
	struct certdir_cli_judge judge;
	struct run run = {.options = options, .judge = &judge};
	struct operand *operands;
	int status;

	/* Neither an LDAP server that ends the connection nor the watchdog that does must end the program. */
	(void)signal(SIGPIPE, SIG_IGN);
	certdir_log_set(keep_quiet);
	operands = read_operands(options->operands);
	if (!operands)
		return certdir_cli_fail(EX_OSERR, NULL, "out of memory");
	status = certdir_cli_judge_open(&judge, options, 3600);
	if (!status) {
		status = check_operands(&run, operands);
		certdir_cli_judge_close(&judge);
	}
	free_operands(operands);
	return status;
}
