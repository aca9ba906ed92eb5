/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list -> which device shall have which entry. */
#ifndef CERTDIR_PLACEHOLDERS_WANTED_H
#define CERTDIR_PLACEHOLDERS_WANTED_H

#include "list/list.h"
#include "placeholders/config.h"
#include "plan/plan.h"

/*
 * Whether the list may be acted on: not empty, no source older than max_age, and every part that the selection asks for (Intune,
 * groups) was synced, and none longer ago than that; and it knows every group by which accounts get groups and places, since one that
 * nobody synced, or that has another name now, is not one that nobody is in. False with `error`: what is wrong and what to do.
 */
bool certdir_wanted_list_usable(const struct certdir_placeholders_config *config, struct certdir_list_snapshot *list,
				int64_t now, struct certdir_error *error);

/*
 * Reads every device of `reader`'s list. `domain` ("corp.example") fills {domain}. Of several with one id those of a synced tenant count
 * before imports; two of the same kind get a `problem`. But a "no" of any of them (disabled, retired) counts, as it does in a login:
 * the device shall have no enabled entry then. Memory is the arena's. False with `error`.
 */
bool certdir_wanted_read(const struct certdir_placeholders_config *config, struct certdir_list_reader *reader,
			 const char *domain, int64_t now, struct certdir_arena *arena,
			 struct certdir_wanted_list *wanted, struct certdir_error *error);

/* The device with this key, or NULL. */
struct certdir_wanted *certdir_wanted_find(const struct certdir_wanted_list *wanted, const char *key);

/*
 * What leaves out a device of a source of the list at Unix time `now`, and why_not as in certdir_wanted, static or the arena's; NULL
 * when nothing does. Pure.
 */
enum certdir_left_out certdir_selection_judge(const struct certdir_selection *selection,
					      const struct certdir_device *device,
					      const struct certdir_list_source *from, int64_t now,
					      struct certdir_arena *arena, const char **why_not);

/* Whether that is a "no", which no other record of the device outweighs. */
bool certdir_left_out_is_no(enum certdir_left_out left_out);

#endif
