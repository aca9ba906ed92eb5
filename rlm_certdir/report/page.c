/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From top to bottom. */
#include "report/page.h"

#include <string.h>

#include "report/html.h"
#include "report/style.h"

static const char *const spans[CERTDIR_FIGURES_SPANS] = {"within a day",  "2 to 7 days",    "8 to 30 days",
							 "31 to 90 days", "91 to 180 days", "more than 180 days",
							 "not known"};

/* ---- head ---- */

static void print_head(const struct certdir_figures *figures, FILE *out)
{
	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; "
		"base-uri 'none'; "
		"form-action 'none'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" "
		"content=\"noindex\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>certdir: devices and logins, ",
		certdir_page_style_hash);
	certdir_html_day(out, figures->now);
	fprintf(out,
		"</title>\n<style>%s</style>\n</head>\n<body>\n<header><h1>Devices and logins</h1>\n<p class=\"soft\">",
		certdir_page_style);
	certdir_html_time(out, figures->now);
	fputs(". List <code>", out);
	certdir_html_text(out, figures->list);
	fputs("</code>, published ", out);
	certdir_html_time(out, figures->published);
	fputs(". Days are by UTC.</p>\n</header>\n<main>\n", out);
}

static void print_foot(FILE *out)
{
	fputs("</main>\n<footer><p class=\"soft\">Written by <code>certdir report</code>. It has names of devices and "
	      "people: keep it as you keep "
	      "the list.</p></footer>\n</body>\n</html>\n",
	      out);
}

/* ---- tiles ---- */

static void print_tile(FILE *out, uint64_t number, const char *what)
{
	fputs("<li><b>", out);
	certdir_html_number(out, number);
	fprintf(out, "</b><span>%s</span></li>\n", what);
}

static uint64_t sum_days(const uint64_t days[CERTDIR_FIGURES_DAYS])
{
	uint64_t sum = 0;

	for (size_t day = 0; day < CERTDIR_FIGURES_DAYS; day++)
		sum += days[day];
	return sum;
}

static uint64_t sum_verdict(const uint64_t decisions[CERTDIR_REASONS][CERTDIR_FIGURES_DAYS],
			    enum certdir_verdict verdict)
{
	uint64_t sum = 0;

	for (unsigned r = 0; r < CERTDIR_REASONS; r++)
		if (certdir_reason_verdict((enum certdir_reason)r) == verdict)
			sum += sum_days(decisions[r]);
	return sum;
}

static uint64_t sum_all(const uint64_t decisions[CERTDIR_REASONS][CERTDIR_FIGURES_DAYS])
{
	return sum_verdict(decisions, CERTDIR_ALLOW) + sum_verdict(decisions, CERTDIR_DENY) +
	       sum_verdict(decisions, CERTDIR_UNSURE);
}

static void print_tiles(const struct certdir_figures *figures, FILE *out)
{
	fputs("<ul class=\"tiles\">\n", out);
	print_tile(out, figures->devices, "devices");
	print_tile(out, figures->enabled[CERTDIR_NO], "disabled devices");
	if (figures->has_journal) {
		print_tile(out, sum_all(figures->decided), "logins in 30 days");
		print_tile(out, sum_verdict(figures->decided, CERTDIR_DENY), "denied");
		print_tile(out, sum_verdict(figures->decided, CERTDIR_UNSURE), "undecided");
	}
	if (sum_all(figures->observed))
		print_tile(out,
			   sum_verdict(figures->observed, CERTDIR_DENY) +
				   sum_verdict(figures->observed, CERTDIR_UNSURE),
			   "only observed, and let in");
	if (figures->certificates)
		print_tile(out, figures->ends[0] + figures->ends[1] + figures->ends[2],
			   "certificates end within 30 days");
	print_tile(out, figures->twin_names, "names of several devices");
	fputs("</ul>\n", out);
}

/* ---- logins ---- */

/* What is not let in: the four most frequent reasons, and the others. */
enum { REASONS_SHOWN = 4 };

struct refusals {
	enum certdir_reason reasons[CERTDIR_REASONS]; /* that came, most first */
	uint64_t sums[CERTDIR_REASONS];
	size_t count;
	uint64_t others[CERTDIR_FIGURES_DAYS];
};

static void sort_refusals(const uint64_t decisions[CERTDIR_REASONS][CERTDIR_FIGURES_DAYS], struct refusals *refusals)
{
	memset(refusals, 0, sizeof(*refusals));
	for (unsigned r = 0; r < CERTDIR_REASONS; r++) {
		const uint64_t sum = sum_days(decisions[r]);
		size_t at = refusals->count;

		if (!sum || certdir_reason_verdict((enum certdir_reason)r) == CERTDIR_ALLOW)
			continue;
		for (; at > 0 && refusals->sums[at - 1] < sum; at--) {
			refusals->sums[at] = refusals->sums[at - 1];
			refusals->reasons[at] = refusals->reasons[at - 1];
		}
		refusals->sums[at] = sum;
		refusals->reasons[at] = (enum certdir_reason)r;
		refusals->count++;
	}
	for (size_t i = REASONS_SHOWN; i < refusals->count; i++)
		for (size_t day = 0; day < CERTDIR_FIGURES_DAYS; day++)
			refusals->others[day] += decisions[refusals->reasons[i]][day];
}

static void print_refusals_chart(const struct certdir_figures *figures, FILE *out, const char *caption,
				 const uint64_t decisions[CERTDIR_REASONS][CERTDIR_FIGURES_DAYS],
				 const struct refusals *refusals)
{
	struct certdir_html_series series[REASONS_SHOWN + 1];
	size_t count = 0;

	for (; count < REASONS_SHOWN && count < refusals->count; count++)
		series[count] = (struct certdir_html_series){certdir_reason_name(refusals->reasons[count]),
							     decisions[refusals->reasons[count]], (unsigned)count + 1};
	if (refusals->count > REASONS_SHOWN)
		series[count++] = (struct certdir_html_series){"other reasons", refusals->others, 6};
	certdir_html_days(out, caption, series, count, CERTDIR_FIGURES_DAYS, certdir_figures_first_day(figures));
}

static void print_advice(FILE *out, const struct refusals *refusals)
{
	fputs("<div class=\"card\"><table class=\"rows\"><thead><tr><th scope=\"col\">Reason</th><th scope=\"col\" "
	      "class=\"n\">Logins</th>"
	      "<th scope=\"col\">What to do</th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < refusals->count; i++) {
		fprintf(out, "<tr><th scope=\"row\" class=\"k\">%s</th><td class=\"n\" data-h=\"Logins\">",
			certdir_reason_name(refusals->reasons[i]));
		certdir_html_number(out, refusals->sums[i]);
		fputs("</td><td>", out);
		certdir_html_advice(out, certdir_reason_advice(refusals->reasons[i]));
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}

static void print_decided(const struct certdir_figures *figures, FILE *out)
{
	static const char *const labels[] = {"allowed", "denied", "undecided"};
	uint64_t days[3][CERTDIR_FIGURES_DAYS] = {{0}};
	struct certdir_html_series series[3];

	for (unsigned r = 0; r < CERTDIR_REASONS; r++)
		for (size_t day = 0; day < CERTDIR_FIGURES_DAYS; day++)
			days[certdir_reason_verdict((enum certdir_reason)r)][day] += figures->decided[r][day];
	for (unsigned v = 0; v < 3; v++)
		series[v] = (struct certdir_html_series){labels[v], days[v], v == 2 ? 4 : v + 1};
	certdir_html_days(out, "Logins a day", series, 3, CERTDIR_FIGURES_DAYS, certdir_figures_first_day(figures));
}

static void print_reason_names(FILE *out, uint32_t reasons)
{
	const char *separator = "";

	for (unsigned r = 0; r < CERTDIR_REASONS; r++)
		if (reasons >> r & 1) {
			fprintf(out, "%s%s", separator, certdir_reason_name((enum certdir_reason)r));
			separator = ", ";
		}
}

static void print_worst(const struct certdir_figures *figures, FILE *out)
{
	const struct certdir_figures_refused *worst[CERTDIR_FIGURES_LISTED];
	const size_t count = certdir_figures_worst(figures, worst);

	if (!count)
		return;
	fputs("<h2>Most often not let in</h2>\n<div class=\"card\"><table class=\"rows\"><thead><tr><th "
	      "scope=\"col\">Device or certificate</th><th "
	      "scope=\"col\" class=\"n\">Logins</th><th scope=\"col\">Why</th><th "
	      "scope=\"col\">Last</th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < count; i++) {
		fputs("<tr><th scope=\"row\">", out);
		certdir_html_text(out, worst[i]->name);
		fputs("</th><td class=\"n\" data-h=\"Logins\">", out);
		certdir_html_number(out, worst[i]->count);
		fputs("</td><td>", out);
		print_reason_names(out, worst[i]->reasons);
		fputs("</td><td data-h=\"Last\">", out);
		certdir_html_time(out, worst[i]->at);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
	if (figures->unplaced) {
		fputs("<p class=\"soft\">", out);
		certdir_html_number(out, figures->unplaced);
		fputs(" logins more had no certificate, or were of more devices than are told apart here.</p>\n", out);
	}
}

/* What the journal was, and what of it does not stand in the figures. */
static void print_journal_note(const struct certdir_figures *figures, FILE *out)
{
	static const char *const texts[] = {" of other days", " that are no lines of a journal",
					    " missing, as the disk did not take them"};
	const uint64_t numbers[] = {figures->older, figures->broken, figures->dropped};

	fputs("<p class=\"soft\">", out);
	certdir_html_number(out, figures->lines);
	fputs(" decisions were read", out);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i]) {
			fputs("; ", out);
			certdir_html_number(out, numbers[i]);
			fputs(texts[i], out);
		}
	fputs(".</p>\n", out);
}

static void print_logins(const struct certdir_figures *figures, FILE *out)
{
	struct refusals refusals;

	fputs("<section><h2>Logins of 30 days</h2>\n", out);
	if (!figures->has_journal) {
		fputs("<div class=\"card\"><p>No journal was read. With <code>journal = ${logdir}/certdir.json</code> "
		      "in certdir { }, the RADIUS server "
		      "writes one; then run <code>certdir report --log "
		      "/var/log/freeradius/certdir.json</code>.</p></div></section>\n",
		      out);
		return;
	}
	print_journal_note(figures, out);
	sort_refusals(figures->decided, &refusals);
	print_decided(figures, out);
	if (refusals.count) {
		print_refusals_chart(figures, out, "Not let in, by reason", figures->decided, &refusals);
		print_advice(out, &refusals);
	}
	if (sum_all(figures->observed)) {
		fputs("<h2>What mode = observe let in</h2>\n<p>", out);
		certdir_html_number(out, sum_all(figures->observed));
		fputs(" logins were only observed. This is what enforcing would not have let in:</p>\n", out);
		sort_refusals(figures->observed, &refusals);
		print_refusals_chart(figures, out, "Would not have been let in, by reason", figures->observed,
				     &refusals);
		print_advice(out, &refusals);
	}
	print_worst(figures, out);
	fputs("</section>\n", out);
}

/* ---- devices ---- */

static void print_bars(FILE *out, const char *caption, const struct certdir_html_bar *bars, size_t count,
		       uint64_t total)
{
	fputs("<div class=\"card\">", out);
	certdir_html_bars(out, caption, bars, count, total);
	fputs("</div>\n", out);
}

static void print_words(FILE *out, const char *caption, const struct certdir_figures_words *words, uint64_t total)
{
	struct certdir_html_bar bars[CERTDIR_FIGURES_WORDS + 1];
	size_t count = 0;

	for (size_t i = 0; i < words->count; i++) {
		const struct certdir_html_bar bar = {words->words[i].word, words->words[i].count};
		size_t at = count++;

		for (; at > 0 && bars[at - 1].value < bar.value; at--)
			bars[at] = bars[at - 1];
		bars[at] = bar;
	}
	bars[count++] = (struct certdir_html_bar){"other", words->others};
	print_bars(out, caption, bars, count, total);
}

static void print_spans(FILE *out, const char *caption, const uint64_t numbers[CERTDIR_FIGURES_SPANS], uint64_t total)
{
	struct certdir_html_bar bars[CERTDIR_FIGURES_SPANS];

	for (size_t i = 0; i < CERTDIR_FIGURES_SPANS; i++)
		bars[i] = (struct certdir_html_bar){spans[i], numbers[i]};
	print_bars(out, caption, bars, CERTDIR_FIGURES_SPANS, total);
}

static void print_fleet(const struct certdir_figures *figures, FILE *out)
{
	struct certdir_html_bar joins[CERTDIR_JOIN_TYPES];
	const struct certdir_html_bar enabled[] = {{"enabled", figures->enabled[CERTDIR_YES]},
						   {"disabled", figures->enabled[CERTDIR_NO]},
						   {"not said", figures->enabled[CERTDIR_UNKNOWN]}};
	const struct certdir_html_bar managed[] = {{"managed", figures->managed[CERTDIR_YES]},
						   {"not managed", figures->managed[CERTDIR_NO]},
						   {"not said", figures->managed[CERTDIR_UNKNOWN]}};

	for (unsigned type = 0; type < CERTDIR_JOIN_TYPES; type++)
		joins[type] = (struct certdir_html_bar){certdir_join_type_name((enum certdir_join_type)type),
							figures->joins[type]};
	fputs("<section><h2>Devices</h2>\n<div class=\"two\">\n", out);
	print_bars(out, "Joined to", joins, CERTDIR_JOIN_TYPES, figures->devices);
	print_bars(out, "Enabled", enabled, 3, figures->devices);
	print_bars(out, "Managed by an MDM", managed, 3, figures->devices);
	print_words(out, "Compliance", &figures->compliance, figures->devices);
	print_words(out, "Operating system", &figures->systems, figures->devices);
	print_spans(out, "Last seen by the directory", figures->seen, figures->devices);
	fputs("</div></section>\n", out);
}

static void print_changes(const struct certdir_figures *figures, FILE *out)
{
	static const char *const labels[CERTDIR_FIGURES_CHANGES] = {"added", "removed", "enabled or disabled",
								    "compliance", "renamed, groups"};
	struct certdir_html_series series[CERTDIR_FIGURES_CHANGES];

	for (unsigned kind = 0; kind < CERTDIR_FIGURES_CHANGES; kind++)
		series[kind] =
			(struct certdir_html_series){labels[kind], figures->changes[kind], kind == 4 ? 6 : kind + 1};
	fputs("<section><h2>Changes of the list</h2>\n", out);
	certdir_html_days(out, "Changes a day", series, CERTDIR_FIGURES_CHANGES, CERTDIR_FIGURES_DAYS,
			  certdir_figures_first_day(figures));
	fputs("<p class=\"soft\"><code>certdir list changes</code> has each of them.</p></section>\n", out);
}

static void print_twins(const struct certdir_figures *figures, FILE *out)
{
	if (!figures->twin_names)
		return;
	fputs("<section><h2>Names that several devices have</h2>\n<p>", out);
	certdir_html_number(out, figures->twin_devices);
	fputs(" devices have a name that others of their source have, too. A certificate with such a name and no id "
	      "does not tell which of them it is: put ids into certificates, or remove what is stale.</p>\n"
	      "<div class=\"card\"><table class=\"rows\"><thead><tr><th scope=\"col\">Name</th><th scope=\"col\" "
	      "class=\"n\">Devices</th>"
	      "<th scope=\"col\">Source</th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < CERTDIR_FIGURES_LISTED && figures->twins[i].count; i++) {
		fputs("<tr><th scope=\"row\">", out);
		certdir_html_text(out, figures->twins[i].name);
		fputs("</th><td class=\"n\" data-h=\"Devices\">", out);
		certdir_html_number(out, figures->twins[i].count);
		fputs("</td><td data-h=\"Source\">", out);
		certdir_html_text(out, figures->twins[i].source);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div></section>\n", out);
}

/* ---- certificates ---- */

static void print_ending(const struct certdir_figures *figures, FILE *out)
{
	if (!figures->ending_count)
		return;
	fputs("<div class=\"card\"><table class=\"rows\"><caption>The next to end</caption><thead><tr><th "
	      "scope=\"col\">Ends</th><th "
	      "scope=\"col\">Device id</th><th scope=\"col\">User</th><th "
	      "scope=\"col\">Issuer</th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < figures->ending_count; i++) {
		fputs("<tr><th scope=\"row\">", out);
		certdir_html_time(out, figures->ending[i].at);
		fputs("</th><td data-h=\"Device\">", out);
		certdir_html_text(out, figures->ending[i].id);
		fputs("</td><td data-h=\"User\">", out);
		certdir_html_text(out, figures->ending[i].whose);
		fputs("</td><td data-h=\"Issuer\">", out);
		certdir_html_text(out, figures->ending[i].issuer);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}

static void print_certificates(const struct certdir_figures *figures, FILE *out)
{
	uint64_t valid = 0;

	for (size_t i = 0; i < CERTDIR_FIGURES_SPANS; i++)
		valid += figures->ends[i];
	if (!figures->certificates)
		return;
	fputs("<section><h2>Certificates that were issued</h2>\n<p>", out);
	certdir_html_number(out, figures->certificates);
	fputs(" certificates are in the tables of the list, ", out);
	certdir_html_number(out, figures->revoked);
	fputs(" of them revoked, ", out);
	certdir_html_number(out, figures->certificates - figures->revoked - valid);
	fputs(" ended.</p>\n", out);
	print_spans(out, "Valid ones end", figures->ends, valid);
	print_ending(figures, out);
	fputs("</section>\n", out);
}

/* ---- sources ---- */

static void print_part(const struct certdir_figures *figures, FILE *out, const char *name, int64_t at, bool wanted)
{
	if (!at && !wanted)
		return;
	fprintf(out, "<li>%s: ", name);
	if (at) {
		certdir_html_span(out, figures->now - at);
		fputs(" ago", out);
	} else {
		fputs("never", out);
	}
	fputs("</li>", out);
}

static void print_source(const struct certdir_figures *figures, FILE *out, const struct certdir_list_source *source)
{
	static const char *const kinds[] = {
		[CERTDIR_SOURCE_TENANT] = "tenant", [CERTDIR_SOURCE_IMPORT] = "import", [CERTDIR_SOURCE_LDAP] = "LDAP"};

	fputs("<tr><th scope=\"row\">", out);
	certdir_html_text(out, source->name);
	fprintf(out, "</th><td>%s</td><td class=\"n\" data-h=\"Devices\">", kinds[source->kind]);
	certdir_html_number(out, source->devices);
	fputs("</td><td><ul class=\"parts\">", out);
	print_part(figures, out, "devices", source->synced, true);
	print_part(figures, out, "intune", source->intune_synced, false);
	print_part(figures, out, "users", source->users_synced, false);
	print_part(figures, out, "groups", source->groups_synced, false);
	print_part(figures, out, "certificates", source->certificates_synced, false);
	fputs("</ul></td></tr>\n", out);
}

static void print_sources(const struct certdir_figures *figures, FILE *out)
{
	fputs("<section><h2>Where the list is from</h2>\n<div class=\"card\"><table class=\"rows\"><thead><tr><th "
	      "scope=\"col\">Source</th><th "
	      "scope=\"col\">Kind</th><th scope=\"col\" class=\"n\">Devices</th><th scope=\"col\">Last listed "
	      "whole</th></tr></thead><tbody>\n",
	      out);
	for (size_t i = 0; i < figures->source_count; i++)
		print_source(figures, out, &figures->sources[i]);
	fputs("</tbody></table></div></section>\n", out);
}

void certdir_page_print(const struct certdir_figures *figures, FILE *out)
{
	print_head(figures, out);
	print_tiles(figures, out);
	print_logins(figures, out);
	print_fleet(figures, out);
	print_changes(figures, out);
	print_twins(figures, out);
	print_certificates(figures, out);
	print_sources(figures, out);
	print_foot(out);
}
