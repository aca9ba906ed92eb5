/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity_fixture.h"

const char *identities_text(const struct certdir_certificate *certificate)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < certificate->count; i++) {
		const struct certdir_identity *identity = &certificate->identities[i];

		used += (size_t)snprintf(text + used, sizeof text - used, "%s=%s:%s%s;",
					 certdir_identity_type_name(identity->type), identity->value,
					 certdir_rank_name(identity->rank), identity->exact ? "=" : "");
		assert_in_range(used, 1, sizeof text - 1);
	}
	return text;
}
