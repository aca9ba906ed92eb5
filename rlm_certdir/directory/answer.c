/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "directory/directory.h"

void certdir_record_clear(struct certdir_record *record)
{
	certdir_device_clear(&record->device);
	for (size_t v = 0; v < record->value_count; v++)
		free(record->values[v].value);
	free(record->values);
	if (record->issued)
		certdir_issued_clear(record->issued);
	free(record->issued);
	memset(record, 0, sizeof(*record));
}

static void forget_records(struct certdir_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		certdir_record_clear(&answer->records[i]);
	free(answer->records);
	answer->records = NULL;
	answer->count = 0;
}

void certdir_answer_clear(struct certdir_answer *answer)
{
	forget_records(answer);
	free(answer->sources);
	if (answer->release)
		answer->release(answer->held);
	memset(answer, 0, sizeof(*answer));
}

void certdir_answer_fail(struct certdir_answer *answer, enum certdir_answer_state state, const char *why)
{
	forget_records(answer);
	answer->state = state;
	certdir_say(answer->detail, "%s", why);
}

struct certdir_record *certdir_answer_add(struct certdir_answer *answer)
{
	struct certdir_record *record;

	if (answer->count == CERTDIR_RECORDS_MAX) {
		answer->full = true;
		return NULL;
	}
	record = certdir_array_next(&answer->records, answer->count, sizeof(*record));
	if (record)
		answer->count++;
	else
		certdir_answer_fail(answer, CERTDIR_ANSWER_UNAVAILABLE, "out of memory");
	return record;
}
