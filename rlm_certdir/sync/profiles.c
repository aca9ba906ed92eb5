/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sync/profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "sync/profile_json.h"

enum {
	PAGES_MAX = 1000,
	PROFILES_MAX =
		10000, /* each is looked at beside each other: this takes seconds, and no tenant has a tenth of it */
	ANSWER_MAX = CERTDIR_HTTP_STREAM_MAX
};

struct reading {
	struct certdir_profiles *profiles;
	const struct certdir_profiles_source *source;
	bool *refused; /* Graph does not take the last question, and may take others */
	struct certdir_error *error;
};

/* An answer, and whether there is one. */
struct answer {
	char *bytes;
	size_t length;
	json_t *root; /* NULL: there is none */
};

static void clear_answer(struct answer *answer)
{
	free(answer->bytes);
	json_decref(answer->root);
	*answer = (struct answer){0};
}

/* ---- from Graph ---- */

static void begin(void *context)
{
	clear_answer(context);
}

static bool take(void *context, const char *bytes, size_t length, bool *retry, struct certdir_error *error)
{
	struct answer *answer = context;
	char *longer =
		length <= ANSWER_MAX - answer->length ? realloc(answer->bytes, answer->length + length + 1) : NULL;

	*retry = false;
	if (!longer) {
		certdir_error_set(error, "an answer of Graph is too large, or memory is out");
		return false;
	}
	memcpy(longer + answer->length, bytes, length);
	answer->bytes = longer;
	answer->length += length;
	return true;
}

/* Graph ends a body that it cannot finish in the middle. */
static bool end(void *context, bool *retry, struct certdir_error *error)
{
	struct answer *answer = context;
	json_error_t where;

	answer->root = json_loadb(answer->bytes ? answer->bytes : "", answer->length, 0, &where);
	*retry = true;
	if (!answer->root)
		certdir_error_set(error, "an answer of Graph is no whole JSON: %s", where.text);
	return answer->root != NULL;
}

/* A relation that leads nowhere has no content; its file says so, or it would be one that was not saved. */
static const char none[] = "{\"value\":null}";

static bool save(const struct reading *reading, const char *path, const char *bytes, size_t length)
{
	const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = file >= 0 && certdir_file_write(file, bytes, length);

	if (file >= 0 && close(file) != 0)
		ok = false;
	if (ok)
		return true;
	certdir_error_set(reading->error, "%s cannot be written: %s%s", path, strerror(errno),
			  errno == EEXIST ? ": save into an empty directory" : "");
	if (file >= 0)
		(void)unlink(path); /* nobody is to read half an answer */
	return false;
}

static bool ask(const struct reading *reading, const char *path, const char *url, struct answer *answer)
{
	const struct certdir_profiles_source *source = reading->source;
	const struct certdir_http_sink sink = {answer, begin, take, end};
	const enum certdir_graph_outcome outcome =
		certdir_graph_get(source->graph, url, CERTDIR_PROFILES_PERMISSION, false, &sink, reading->error);
	const bool empty = outcome == CERTDIR_GRAPH_EMPTY || outcome == CERTDIR_GRAPH_NOT_FOUND;

	*reading->refused = outcome == CERTDIR_GRAPH_REFUSED || outcome == CERTDIR_GRAPH_DENIED;
	/* What Graph does not know is no lack. */
	reading->profiles->incomplete |= outcome == CERTDIR_GRAPH_DENIED;
	if (outcome != CERTDIR_GRAPH_OK && !empty)
		return false;
	if (empty) {
		clear_answer(answer);
		answer->root = json_loads(none, 0, NULL);
	}
	return !path ||
	       save(reading, path, answer->bytes ? answer->bytes : none, answer->bytes ? answer->length : strlen(none));
}

/* ---- from a file ---- */

static bool load(const struct reading *reading, const char *path, struct answer *answer)
{
	const int file = open(path, O_RDONLY | O_CLOEXEC);
	json_error_t where;
	bool ok = true;

	if (file < 0 && errno == ENOENT)
		return true;
	answer->bytes = file >= 0 ? certdir_file_load(file, ANSWER_MAX, &answer->length) : NULL;
	if (!answer->bytes) {
		certdir_error_set(reading->error, "cannot read %s: %s", path, strerror(errno));
		ok = false;
	} else {
		/* Windows puts a byte order mark before what it saves. */
		const size_t mark = answer->length >= 3 && memcmp(answer->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

		answer->root = json_loadb(answer->bytes + mark, answer->length - mark, 0, &where);
		if (!answer->root)
			certdir_error_set(reading->error, "%s is no whole answer of Graph: line %d: %s; save it again",
					  path, where.line, where.text);
		ok = answer->root != NULL;
	}
	if (file >= 0)
		(void)close(file);
	return ok;
}

/* ---- an answer ---- */

/* *answer has no root where there is no such file. `url` and `name` are freed. */
static bool get(const struct reading *reading, char *name, char *url, struct answer *answer)
{
	const char *directory = reading->source->directory;
	char *path = directory && name ? certdir_print("%s/%s.json", directory, name) : NULL;
	bool ok = false;

	*answer = (struct answer){0};
	*reading->refused = false;
	certdir_error_set(reading->error, "out of memory");
	if (name && url && (path || !directory))
		ok = reading->source->graph ? ask(reading, path, url, answer) : load(reading, path, answer);
	if (ok && answer->root && !json_is_object(answer->root)) {
		certdir_error_set(reading->error, "%s%s.json is no answer of Graph: it is no object",
				  directory ? directory : "", directory ? "/" : name);
		ok = false;
	}
	free(path);
	free(name);
	free(url);
	return ok;
}

static char *url_of(const struct reading *reading, const char *path)
{
	return reading->source->graph ? certdir_print("%s/beta/deviceManagement/%s", reading->source->host, path)
				      : strdup("");
}

/* Calls `each` for every object of a collection, page by page. *there: whether it is there at all. */
static bool list(const struct reading *reading, const char *name, const char *path, bool *there,
		 bool (*each)(const struct reading *reading, void *context, const json_t *object), void *context)
{
	char *url = url_of(reading, path);
	bool ok = true, more = true;

	*there = false;
	for (unsigned page = 1; ok && more; page++) {
		struct answer answer;
		const json_t *value, *link;

		ok = get(reading, page == 1 ? strdup(name) : certdir_print("%s.%u", name, page), url, &answer);
		url = NULL;
		value = json_object_get(answer.root, "value");
		link = json_object_get(answer.root, "@odata.nextLink");
		if (ok && (page > 1 || answer.root) && (!json_is_array(value) || page == PAGES_MAX)) {
			certdir_error_set(reading->error, "%s, page %u: %s", name, page,
					  page == PAGES_MAX ? "the listing has no end"
					  : answer.root	    ? "no answer of Graph: it has no \"value\""
							    : "it is missing: save all pages");
			ok = false;
		}
		*there |= answer.root != NULL;
		for (size_t i = 0; ok && i < json_array_size(value); i++)
			ok = each(reading, context, json_array_get(value, i));
		more = json_is_string(link);
		if (ok && more)
			url = strdup(json_string_value(link));
		clear_answer(&answer);
	}
	free(url);
	return ok;
}

/* ---- device configurations ---- */

static bool add_unread(const struct reading *reading, const char *name, const char *why)
{
	struct certdir_profiles *profiles = reading->profiles;
	struct certdir_profile_unread *unread =
		certdir_array_next(&profiles->unread, profiles->unread_count, sizeof(*unread));

	if (!unread || !name || !why) {
		certdir_error_set(reading->error, "out of memory");
		return false;
	}
	*unread = (struct certdir_profile_unread){name, why};
	profiles->unread_count++;
	return true;
}

static bool take_profile(const struct reading *reading, void *context, const json_t *object)
{
	struct certdir_profiles *profiles = reading->profiles;
	struct certdir_profile *profile = certdir_array_next(&profiles->items, profiles->count, sizeof(*profile));
	const char *why = NULL;

	(void)context;
	certdir_error_set(reading->error, "out of memory");
	if (!profile)
		return false;
	if (!certdir_profile_json_read(profile, object, &profiles->arena, &why, reading->error)) {
		certdir_profile_clear(profile);
		return false;
	}
	/* One that moved to another page while they were listed comes twice. */
	if (profile->kind == CERTDIR_PROFILE_OTHER || certdir_profiles_find(profiles, profile->id)) {
		certdir_profile_clear(profile);
		return true;
	}
	if (++profiles->count <= PROFILES_MAX)
		return !why || add_unread(reading, profile->name, why);
	certdir_error_set(reading->error,
			  "there are more than %d profiles of certificates and networks: that is no tenant's answer",
			  PROFILES_MAX);
	return false;
}

/* ---- their relations ---- */

/* An object, an object in "value", or an array of them there: ids in the order in which they come. */
static const char *const *ids_of(const struct reading *reading, const json_t *root, size_t *count)
{
	const json_t *value = json_object_get(root, "value");
	const size_t most = json_is_array(value) ? json_array_size(value) : 1;
	const char **ids = certdir_arena_alloc(&reading->profiles->arena, (most + 1) * sizeof(*ids));

	*count = 0;
	for (size_t i = 0; ids && i < most; i++) {
		const json_t *one = json_is_array(value)    ? json_array_get(value, i)
				    : json_is_object(value) ? value
							    : root;
		const char *id = certdir_profile_json_id(json_object_get(one, "id"), &reading->profiles->arena);

		if (id)
			ids[(*count)++] = id;
	}
	return ids;
}

/* Tells that Graph does not give a part of a profile, which is no reason not to tell of the others. False: another failure, or memory is out. */
static bool add_refused(const struct reading *reading, const char *name, const char *part)
{
	const bool refused = *reading->refused;

	*reading->refused = false;
	return refused &&
	       add_unread(reading, name,
			  certdir_arena_print(&reading->profiles->arena, "its %s: %s", part, reading->error->text));
}

/*
 * NULL with `error` when it cannot be read; *known stays as it is, or becomes false where it was not saved, or Graph does not give it, which
 * is told then.
 */
static const char *const *relation(const struct reading *reading, const struct certdir_profile *profile,
				   const char *name, size_t *count, bool *known)
{
	const char *const *ids = NULL;
	struct answer answer;
	char *path = certdir_print("deviceConfigurations/%s/microsoft.graph.%s/%s", profile->id, profile->type, name);
	char *url = path ? url_of(reading, path) : NULL;

	free(path);
	if (get(reading, certdir_print("%s.%s", profile->id, name), url, &answer) ||
	    add_refused(reading, profile->name, name)) {
		ids = ids_of(reading, answer.root, count);
		*known = *known && answer.root;
		if (!ids)
			certdir_error_set(reading->error, "out of memory");
	}
	clear_answer(&answer);
	return ids;
}

/*
 * The roots that a network profile trusts. Beta has one relation of some types, the other of others, and both of some, of which the first that
 * leads anywhere counts: another type is told that it is no segment of its path. (msgraph-metadata, schemas/type-mappings)
 */
static bool relate_roots(const struct reading *reading, struct certdir_profile *profile)
{
	static const char *const names[] = {"rootCertificatesForServerValidation",
					    "rootCertificateForServerValidation"};
	const bool wifi = !strcasestr(profile->type, "Wired"), windows = profile->platform == CERTDIR_PLATFORM_WINDOWS,
		   ios = wifi && profile->platform == CERTDIR_PLATFORM_IOS;
	const bool both = wifi && (profile->platform == CERTDIR_PLATFORM_MACOS ||
				   profile->platform == CERTDIR_PLATFORM_ANDROID_CORPORATE);
	const bool has[] = {windows || ios || both, !windows && !ios};
	bool known = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!has[i] || profile->root_count)
			continue;
		profile->roots = relation(reading, profile, names[i], &profile->root_count, &known);
		if (!profile->roots)
			return false;
	}
	profile->related = known || profile->root_count;
	return true;
}

static bool relate(const struct reading *reading, struct certdir_profile *profile)
{
	const char *const *identities;
	size_t count = 0;

	if (profile->kind != CERTDIR_PROFILE_SCEP && !(profile->kind == CERTDIR_PROFILE_NETWORK && profile->tls))
		return true;
	profile->related = true;
	if (profile->kind == CERTDIR_PROFILE_SCEP) {
		profile->roots = relation(reading, profile, "rootCertificate", &profile->root_count, &profile->related);
		return profile->roots != NULL;
	}
	if (!relate_roots(reading, profile))
		return false;
	identities =
		relation(reading, profile, "identityCertificateForClientAuthentication", &count, &profile->related);
	profile->identity = identities && count ? identities[0] : NULL;
	return identities != NULL;
}

/* ---- settings catalog ---- */

enum { DEPTH_MAX = 16 };

/* Whether a setting, or one within it, is about certificates or networks that take them. */
static bool concerns(const json_t *setting, unsigned depth)
{
	static const char *const words[] = {"scep", "pkcs",  "pfx",   "acme",	  "wifi",
					    "wlan", "wired", "dot1x", "ethernet", "rootcatrusted"};
	const char *id = json_string_value(json_object_get(setting, "settingDefinitionId")), *key;
	json_t *value;
	size_t i;

	for (size_t w = 0; id && w < sizeof(words) / sizeof(words[0]); w++)
		if (strcasestr(id, words[w]))
			return true;
	if (depth == 0)
		return false;
	json_object_foreach((json_t *)setting, key, value)
	{
		if (concerns(value, depth - 1))
			return true;
	}
	json_array_foreach((json_t *)setting, i, value)
	{
		if (concerns(value, depth - 1))
			return true;
	}
	return false;
}

static bool take_setting(const struct reading *reading, void *context, const json_t *object)
{
	bool *found = context;

	(void)reading;
	*found = *found || concerns(object, DEPTH_MAX);
	return true;
}

static bool take_policy(const struct reading *reading, void *context, const json_t *object)
{
	struct certdir_arena *arena = &reading->profiles->arena;
	const char *id = certdir_profile_json_id(json_object_get(object, "id"), arena);
	const char *name = certdir_profile_json_text(json_object_get(object, "name"), arena);
	char *path, *file;
	bool ok = false, there = false, found = false;

	(void)context;
	if (!id) {
		certdir_error_set(reading->error, "configurationPolicies: a policy without an id");
		return false;
	}
	path = certdir_print("configurationPolicies('%s')/settings", id);
	file = certdir_print("%s.settings", id);
	certdir_error_set(reading->error, "out of memory");
	if (path && file)
		ok = list(reading, file, path, &there, take_setting, &found);
	if (!ok)
		ok = add_refused(reading, name ? name : id, "settings");
	else if (!there)
		ok = add_unread(reading, name ? name : id,
				"a policy of the settings catalog, whose settings were not saved");
	else if (found)
		ok = add_unread(reading, name ? name : id,
				"a policy of the settings catalog for certificates or networks: look at it in Intune");
	free(file);
	free(path);
	return ok;
}

/* ---- all ---- */

static bool make_directory(const struct reading *reading)
{
	const char *directory = reading->source->directory;

	if (!reading->source->graph || !directory || mkdir(directory, 0700) == 0 || errno == EEXIST)
		return true;
	certdir_error_set(reading->error, "%s cannot be made: %s", directory, strerror(errno));
	return false;
}

bool certdir_profiles_read(struct certdir_profiles *profiles, const struct certdir_profiles_source *source,
			   struct certdir_error *error)
{
	bool there, refused = false;
	const struct reading reading = {profiles, source, &refused, error};

	*profiles = (struct certdir_profiles){0};
	if (!make_directory(&reading) || !list(&reading, "deviceConfigurations",
					       "deviceConfigurations?$expand=assignments", &there, take_profile, NULL))
		return false;
	if (!there) {
		certdir_error_set(error,
				  "%s has no deviceConfigurations.json: save one with certdir profiles --save DIR",
				  source->directory);
		return false;
	}
	for (size_t i = 0; i < profiles->count; i++)
		if (!relate(&reading, &profiles->items[i]))
			return false;
	return list(&reading, "configurationPolicies", "configurationPolicies?$select=id,name", &there, take_policy,
		    NULL);
}
