/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/html.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "text/timestamp.h"
#include "text/utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void certdir_html_text(FILE *out, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		uint32_t character;
		const size_t taken = certdir_utf8_read(text, length, &character), step = taken ? taken : 1;

		if (!taken || certdir_utf8_hidden(character))
			fputs(replacement, out);
		else if (entity(*text))
			fputs(entity(*text), out);
		else
			(void)fwrite(text, taken, 1, out);
		text += step;
		length -= step;
	}
}

void certdir_html_advice(FILE *out, const char *text)
{
	bool typed = false;

	for (; *text; text++)
		if (*text == '`') {
			fputs(typed ? "</code>" : "<code>", out);
			typed = !typed;
		} else {
			certdir_html_text(out, (const char[]){*text, '\0'});
		}
}

void certdir_html_number(FILE *out, uint64_t number)
{
	if (number >= 1000) {
		certdir_html_number(out, number / 1000);
		fprintf(out, ",%03" PRIu64, number % 1000);
	} else {
		fprintf(out, "%" PRIu64, number);
	}
}

void certdir_html_day(FILE *out, int64_t seconds)
{
	char text[CERTDIR_TIMESTAMP_SIZE];

	certdir_timestamp_print(seconds, text);
	fprintf(out, "%.10s", text);
}

void certdir_html_time(FILE *out, int64_t seconds)
{
	char text[CERTDIR_TIMESTAMP_SIZE];

	if (seconds && certdir_timestamp_show(seconds, text))
		fprintf(out, "%.16s UTC", text);
	else
		fputs("never", out);
}

void certdir_html_span(FILE *out, int64_t seconds)
{
	static const struct {
		int64_t most, unit;
		const char *one, *many;
	} units[] = {
		{7200, 60, "minute", "minutes"}, {172800, 3600, "hour", "hours"}, {INT64_MAX, 86400, "day", "days"}};
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (seconds >= units[i].most)
		i++;
	certdir_html_number(out, (uint64_t)(seconds / units[i].unit));
	fprintf(out, " %s", seconds / units[i].unit == 1 ? units[i].one : units[i].many);
}

/* ---- bars ---- */

static void print_share(FILE *out, uint64_t value, uint64_t total)
{
	if (total == 0)
		return;
	if (value > 0 && value * 100 < total)
		fputs("&lt;1 %", out);
	else
		fprintf(out, "%" PRIu64 " %%", value * 100 / total);
}

void certdir_html_bars(FILE *out, const char *caption, const struct certdir_html_bar *bars, size_t count,
		       uint64_t total)
{
	uint64_t most = 1;

	for (size_t i = 0; i < count; i++)
		most = bars[i].value > most ? bars[i].value : most;
	fputs("<table class=\"bars\"><caption>", out);
	certdir_html_text(out, caption);
	fputs("</caption><tbody>\n", out);
	for (size_t i = 0; i < count; i++) {
		if (!bars[i].value)
			continue;
		fputs("<tr><th scope=\"row\">", out);
		certdir_html_text(out, bars[i].label);
		/* A bar of a hundredth can still be seen. */
		fprintf(out,
			"</th><td class=\"bar\"><svg aria-hidden=\"true\" focusable=\"false\"><rect class=\"c1\" "
			"width=\"%" PRIu64 "%%\" height=\"100%%\"/></svg></td><td class=\"n\">",
			bars[i].value * 99 / most + 1);
		certdir_html_number(out, bars[i].value);
		fputs("</td><td class=\"n share\">", out);
		print_share(out, bars[i].value, total);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
}

/* ---- columns ---- */

enum { STEP = 10, GAP = 2, HEIGHT = 100 };

struct columns {
	const struct certdir_html_series *series;
	size_t count, days;
	int64_t first;
	uint64_t top; /* of the axis */
};

static uint64_t sum_of(const struct columns *columns, size_t day)
{
	uint64_t sum = 0;

	for (size_t s = 0; s < columns->count; s++)
		sum += columns->series[s].values[day];
	return sum;
}

/* A number that people say, and so is the half of it. */
static uint64_t round_up(uint64_t most)
{
	static const uint64_t steps[] = {2, 4, 6, 8, 10, 12, 16};
	enum { STEPS = sizeof(steps) / sizeof(steps[0]) };
	uint64_t unit = 1;

	for (;; unit *= 10)
		for (size_t i = 0; i < STEPS; i++)
			if (most <= steps[i] * unit)
				return steps[i] * unit;
}

static void print_day_title(FILE *out, const struct columns *columns, size_t day)
{
	certdir_html_day(out, columns->first + (int64_t)day * 86400);
	for (size_t s = 0; s < columns->count; s++) {
		fputs(s ? ", " : ": ", out);
		certdir_html_text(out, columns->series[s].label);
		putc(' ', out);
		certdir_html_number(out, columns->series[s].values[day]);
	}
}

/* In thousandths, so that no locale can write a comma into a number. */
static void print_rect(FILE *out, unsigned color, size_t day, uint64_t y, uint64_t height)
{
	fprintf(out,
		"<rect class=\"c%u\" x=\"%zu\" width=\"%d\" y=\"%" PRIu64 ".%03" PRIu64 "\" height=\"%" PRIu64
		".%03" PRIu64 "\"/>",
		color, day * STEP + GAP / 2, STEP - GAP, y / 1000, y % 1000, height / 1000, height % 1000);
}

static void print_column(FILE *out, const struct columns *columns, size_t day)
{
	uint64_t below = 0;

	fprintf(out, "<g><title>");
	print_day_title(out, columns, day);
	fprintf(out, "</title><rect class=\"hit\" x=\"%zu\" width=\"%d\" y=\"0\" height=\"%d\"/>", day * STEP, STEP,
		HEIGHT);
	for (size_t s = 0; s < columns->count; s++) {
		const uint64_t value = columns->series[s].values[day];
		const uint64_t height = value * HEIGHT * 1000 / columns->top;

		below += value;
		if (height)
			print_rect(out, columns->series[s].color, day,
				   HEIGHT * 1000 - below * HEIGHT * 1000 / columns->top, height);
	}
	fputs("</g>\n", out);
}

static void print_legend(FILE *out, const struct columns *columns)
{
	fputs("<ul class=\"legend\">", out);
	for (size_t s = 0; s < columns->count; s++) {
		uint64_t sum = 0;

		for (size_t day = 0; day < columns->days; day++)
			sum += columns->series[s].values[day];
		fprintf(out,
			"<li><svg aria-hidden=\"true\" focusable=\"false\"><rect class=\"c%u\" width=\"100%%\" "
			"height=\"100%%\"/></svg>",
			columns->series[s].color);
		certdir_html_text(out, columns->series[s].label);
		fputs(" <b>", out);
		certdir_html_number(out, sum);
		fputs("</b></li>", out);
	}
	fputs("</ul>\n", out);
}

static void print_axis(FILE *out, const struct columns *columns)
{
	fputs("<div class=\"x\" aria-hidden=\"true\">", out);
	for (size_t i = 0; i < 3; i++) {
		fputs("<span>", out);
		certdir_html_day(out, columns->first + (int64_t)((columns->days - 1) * i / 2) * 86400);
		fputs("</span>", out);
	}
	fputs("</div>\n", out);
}

static void print_numbers(FILE *out, const struct columns *columns)
{
	fputs("<details><summary>Numbers</summary><div class=\"wide\"><table><thead><tr><th scope=\"col\">Day</th>",
	      out);
	for (size_t s = 0; s < columns->count; s++) {
		fputs("<th scope=\"col\" class=\"n\">", out);
		certdir_html_text(out, columns->series[s].label);
		fputs("</th>", out);
	}
	fputs("</tr></thead><tbody>\n", out);
	for (size_t day = columns->days; day-- > 0;) {
		fputs("<tr><th scope=\"row\">", out);
		certdir_html_day(out, columns->first + (int64_t)day * 86400);
		fputs("</th>", out);
		for (size_t s = 0; s < columns->count; s++) {
			fputs("<td class=\"n\">", out);
			certdir_html_number(out, columns->series[s].values[day]);
			fputs("</td>", out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div></details>\n", out);
}

static void print_plot(FILE *out, const struct columns *columns, const char *caption)
{
	fputs("<div class=\"plot\"><div class=\"y\" aria-hidden=\"true\"><span>", out);
	certdir_html_number(out, columns->top);
	fputs("</span><span>", out);
	certdir_html_number(out, columns->top / 2);
	fprintf(out,
		"</span><span>0</span></div><svg class=\"days\" role=\"img\" viewBox=\"0 0 %zu %d\" "
		"preserveAspectRatio=\"none\" "
		"aria-label=\"",
		columns->days * STEP, HEIGHT);
	certdir_html_text(out, caption);
	fputs(": a column for each day; the numbers stand below\">\n", out);
	for (size_t day = 0; day < columns->days; day++)
		print_column(out, columns, day);
	fputs("</svg></div>\n", out);
	print_axis(out, columns);
}

void certdir_html_days(FILE *out, const char *caption, const struct certdir_html_series *series, size_t count,
		       size_t days, int64_t first)
{
	struct columns columns = {.series = series, .count = count, .days = days, .first = first};
	uint64_t most = 0;

	for (size_t day = 0; day < days; day++)
		most = sum_of(&columns, day) > most ? sum_of(&columns, day) : most;
	columns.top = round_up(most);
	fputs("<figure><figcaption>", out);
	certdir_html_text(out, caption);
	fputs("</figcaption>\n", out);
	print_legend(out, &columns);
	print_plot(out, &columns, caption);
	print_numbers(out, &columns);
	fputs("</figure>\n", out);
}
