/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a list and a journal come to: counted one device, change and decision after the other, in memory of a fixed size. Pure: the time is
 * a parameter.
 */
#ifndef CERTDIR_REPORT_FIGURES_H
#define CERTDIR_REPORT_FIGURES_H

#include "list/list.h"

enum {
	CERTDIR_FIGURES_DAYS = 30, /* by UTC, today is the last */
	CERTDIR_FIGURES_WORDS = 24, /* words told apart; more are "other" */
	CERTDIR_FIGURES_LISTED = 20, /* rows of a table of the worst */
	CERTDIR_FIGURES_REFUSED = 1 << 16, /* refused devices told apart */
	CERTDIR_FIGURES_NAME = 128 /* bytes of a name that is kept, with its NUL */
};

/* Words of a directory, each with how often it came. */
struct certdir_figures_words {
	struct {
		char word[CERTDIR_FIGURES_NAME];
		uint64_t count;
	} words[CERTDIR_FIGURES_WORDS];
	size_t count;
	uint64_t others;
};

/* Spans of time that things are counted by, before now or after: a day, a week, 30, 90, 180 days, more; and not known. */
enum { CERTDIR_FIGURES_SPANS = 7 };

enum certdir_figures_change {
	CERTDIR_FIGURES_ADDED,
	CERTDIR_FIGURES_REMOVED,
	CERTDIR_FIGURES_ENABLED,
	CERTDIR_FIGURES_COMPLIANCE,
	CERTDIR_FIGURES_OTHER, /* renamed, groups */
	CERTDIR_FIGURES_CHANGES
};

/* A device, or a certificate that belongs to none, that was not let in. */
struct certdir_figures_refused {
	uint64_t key; /* 0 = this place is free */
	uint64_t count;
	uint32_t reasons; /* bit r: for reason r */
	enum certdir_reason last; /* of the newest login */
	int64_t at; /* when that was, Unix seconds */
	char *name; /* owned */
};

/* A name that several devices of one source have. */
struct certdir_figures_twins {
	char name[CERTDIR_FIGURES_NAME], source[CERTDIR_FIGURES_NAME];
	uint64_t count;
};

/* A certificate that ends soon. */
struct certdir_figures_ending {
	int64_t at; /* Unix seconds */
	char whose[CERTDIR_FIGURES_NAME], id[CERTDIR_FIGURES_NAME], issuer[CERTDIR_FIGURES_NAME];
};

/* A line of a journal. Texts may be any, and are cut where they are longer than what is kept. */
struct certdir_figures_decision {
	int64_t at; /* Unix seconds */
	enum certdir_reason reason;
	bool observed; /* mode = observe: let in all the same */
	const char *id, *name, *subject; /* the device's, if it was found, and its certificate's; "" = none */
};

struct certdir_figures {
	int64_t now; /* Unix seconds */
	const char *list; /* its file name, borrowed */
	int64_t published; /* when that was, Unix seconds */
	const struct certdir_list_source *sources; /* borrowed */
	size_t source_count;

	uint64_t devices, enabled[3], managed[3], joins[CERTDIR_JOIN_TYPES], seen[CERTDIR_FIGURES_SPANS];
	struct certdir_figures_words compliance, systems;
	struct certdir_figures_twins twins[CERTDIR_FIGURES_LISTED]; /* most first */
	struct certdir_figures_twins same; /* the name that is being counted, as devices come by name */
	uint64_t twin_names, twin_devices;

	uint64_t certificates, revoked, ends[CERTDIR_FIGURES_SPANS];
	struct certdir_figures_ending ending[CERTDIR_FIGURES_LISTED]; /* those that end first, in their order */
	size_t ending_count;

	uint64_t changes[CERTDIR_FIGURES_CHANGES][CERTDIR_FIGURES_DAYS];

	bool has_journal;
	uint64_t decided[CERTDIR_REASONS][CERTDIR_FIGURES_DAYS], observed[CERTDIR_REASONS][CERTDIR_FIGURES_DAYS];
	uint64_t lines, older, broken, dropped;
	struct certdir_figures_refused *refused; /* CERTDIR_FIGURES_REFUSED places; owned */
	size_t refused_count;
	uint64_t unplaced; /* logins of devices for which there was no place */
};

/* False when memory is out. */
bool certdir_figures_init(struct certdir_figures *figures, int64_t now);
void certdir_figures_clear(struct certdir_figures *figures);

/* Devices have to come by name, as certdir_list_each() gives them; certdir_figures_count_end() follows the last. */
void certdir_figures_count_device(struct certdir_figures *figures, const struct certdir_device *device,
				  const struct certdir_list_source *source);
void certdir_figures_count_end(struct certdir_figures *figures);
void certdir_figures_count_certificate(struct certdir_figures *figures, const struct certdir_list_issued *row);
void certdir_figures_count_change(struct certdir_figures *figures, const struct certdir_list_change *change);
/* False when memory is out. */
bool certdir_figures_count_decision(struct certdir_figures *figures, const struct certdir_figures_decision *decision);

/* The beginning of the first of its days. */
int64_t certdir_figures_first_day(const struct certdir_figures *figures);
/* Those refused most first; at most CERTDIR_FIGURES_LISTED. Returns how many. */
size_t certdir_figures_worst(const struct certdir_figures *figures,
			     const struct certdir_figures_refused *worst[CERTDIR_FIGURES_LISTED]);

#endif
