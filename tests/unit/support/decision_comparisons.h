/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold between two worlds of the model, of which one is the other with something changed: more, less, older, in another order. */
#ifndef DECISION_COMPARISONS_H
#define DECISION_COMPARISONS_H

#include "decision_properties.h"

extern struct model first; /* the world as it was made, while `model` is changed */
extern struct verdict was; /* and how it was judged */

/* Whether a directory that could not tell, or could not tell any more, is the reason. */
bool is_failure(enum certdir_reason reason);

/* `model` is changed between them, and is what it was again. */
void begin(void);
void end(void);
void judge_changed(void);

/* Puts items of an array into another order. */
void shuffle(void *items, size_t count, size_t size);

/* Rule 8: a part that is older. */
void age_lets_nobody_in(void);

void check_comparisons(void);

#endif
