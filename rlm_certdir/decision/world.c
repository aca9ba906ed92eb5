/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records -> devices: what shares an id is one, over any number of steps, in and across directories. */
#include "decision/world.h"

#include <string.h>
#include <strings.h>

#include "text/timestamp.h"

enum {
	IDS_MAX = 5 + 32 /* ids of one record that are looked at */
};

bool certdir_conclude(struct certdir_decision *decision, enum certdir_reason reason, const char *format, ...)
{
	va_list ap;

	decision->reason = reason;
	va_start(ap, format);
	certdir_vsay(decision->detail, format, ap);
	va_end(ap);
	return false;
}

/* ---- ids ---- */

/* Kinds of ids: of one kind a device has one value. GUIDs of unknown kind link, but do not tell apart. */
enum id_kind { NO_ID, ENTRA, INTUNE, OBJECT, SID, UDID, ANY_GUID };

struct id {
	enum id_kind kind;
	const char *value;
};

static size_t put_id(struct id *ids, size_t count, enum id_kind kind, const char *value)
{
	if (value && *value && count < IDS_MAX)
		ids[count++] = (struct id){kind, value};
	return count;
}

static size_t ids_of(const struct certdir_record *record, struct id ids[IDS_MAX])
{
	static const enum id_kind kinds[CERTDIR_ID_TYPES] = {[CERTDIR_ID_ENTRA] = ENTRA,
							     [CERTDIR_ID_INTUNE] = INTUNE,
							     [CERTDIR_ID_GUID] = ANY_GUID,
							     [CERTDIR_ID_SID] = SID,
							     [CERTDIR_ID_UDID] = UDID};
	const struct certdir_device *device = &record->device;
	size_t count = 0;

	count = put_id(ids, count, ENTRA, device->entra_device_id);
	count = put_id(ids, count, INTUNE, device->intune_device_id);
	count = put_id(ids, count, OBJECT, device->object_id);
	count = put_id(ids, count, SID, device->sid);
	count = put_id(ids, count, UDID, device->udid);
	for (size_t i = 0; i < record->value_count; i++)
		if (kinds[record->values[i].type] != NO_ID)
			count = put_id(ids, count, kinds[record->values[i].type], record->values[i].value);
	return count;
}

static bool same_id(const struct id *a, const struct id *b)
{
	return (a->kind == SID) == (b->kind == SID) && strcmp(a->value, b->value) == 0;
}

static bool has_id(const struct certdir_record *record, const struct id *id)
{
	struct id ids[IDS_MAX];
	const size_t count = ids_of(record, ids);

	for (size_t i = 0; i < count; i++)
		if (same_id(&ids[i], id))
			return true;
	return false;
}

bool certdir_is_filler(const struct certdir_world *world, const char *value)
{
	size_t carriers = 0;

	for (size_t i = 0; i < world->known->filler_count; i++)
		if (strcmp(world->known->fillers[i], value) == 0)
			return true;
	for (size_t v = 0; v < world->count && world->count > CERTDIR_CARRIERS_MAX; v++) {
		struct id ids[IDS_MAX];
		const size_t count = ids_of(world->views[v].record, ids);
		bool has = false;

		for (size_t i = 0; i < count; i++)
			has |= strcmp(ids[i].value, value) == 0;
		carriers += has;
	}
	return carriers > CERTDIR_CARRIERS_MAX;
}

static bool share_id(const struct certdir_world *world, const struct certdir_record *a, const struct certdir_record *b)
{
	struct id ids[IDS_MAX];
	const size_t count = ids_of(a, ids);

	for (size_t i = 0; i < count; i++)
		if (has_id(b, &ids[i]) && !certdir_is_filler(world, ids[i].value))
			return true;
	return false;
}

static bool values_differ(const struct certdir_record *a, const struct certdir_record *b)
{
	struct id left[IDS_MAX], right[IDS_MAX];
	const size_t lefts = ids_of(a, left), rights = ids_of(b, right);

	for (size_t i = 0; i < lefts; i++)
		for (size_t j = 0; j < rights; j++)
			if (left[i].kind == right[j].kind && left[i].kind != ANY_GUID &&
			    strcmp(left[i].value, right[j].value) != 0)
				return true;
	return false;
}

static bool serials_differ(const struct certdir_record *a, const struct certdir_record *b)
{
	return a->device.serial_number && b->device.serial_number &&
	       strcmp(a->device.serial_number, b->device.serial_number) != 0;
}

/* ---- parts and their ages ---- */

const char *certdir_part_name(const struct certdir_world *world, enum certdir_part part)
{
	static const char *const names[CERTDIR_PARTS] = {"devices", "Intune", "groups", "certificates"};

	return part == CERTDIR_PART_OF_DEVICES && world->known->persons ? "users" : names[part];
}

/* Seconds that a "yes" is good, 0 = for ever. */
static int64_t limit_of(const struct certdir_world *world, const struct certdir_source *source,
			const struct certdir_directory *directory, enum certdir_part part)
{
	const int64_t limit = certdir_source_limit(source, part, directory->max_age);

	return limit && world->stale_is_fresh && limit < world->policy->stale_for ? world->policy->stale_for : limit;
}

/* `said`: when the source last said so, 0 = never, or now in a directory that is live. */
static bool is_fresh(const struct certdir_world *world, const struct certdir_source *source,
		     const struct certdir_directory *directory, enum certdir_part part, int64_t said, int64_t *age)
{
	const int64_t limit = limit_of(world, source, directory, part);

	*age = 0;
	if (source->kind == CERTDIR_SOURCE_LDAP && !source->listed && said == 0)
		return true;
	*age = world->now - said;
	/* A clock that is far ahead would keep its part young for ever. */
	if (said == 0 || *age < -CERTDIR_AHEAD) {
		*age = -1;
		return false;
	}
	if (*age < 0)
		*age = 0;
	return limit == 0 || *age <= limit;
}

bool certdir_source_fresh(const struct certdir_world *world, const struct certdir_source *source,
			  const struct certdir_directory *directory, enum certdir_part part, int64_t *age)
{
	if (source->kind != CERTDIR_SOURCE_TENANT && part != CERTDIR_PART_OF_CERTIFICATES)
		part = CERTDIR_PART_OF_DEVICES;
	return is_fresh(world, source, directory, part, source->synced[part], age);
}

bool certdir_fresh_since(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part,
			 int64_t as_of, int64_t *age)
{
	const struct certdir_directory *directory = world->known->directories[view->directory];

	return as_of ? is_fresh(world, view->source, directory, part, as_of, age)
		     : certdir_source_fresh(world, view->source, directory, part, age);
}

int64_t certdir_yes_since(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part)
{
	const int64_t limit = limit_of(world, view->source, world->known->directories[view->directory], part);

	return limit ? world->now - limit : 0;
}

/* Since when the record itself is not confirmed any more, or 0. */
static int64_t as_of(const struct certdir_view *view, enum certdir_part part)
{
	return part == CERTDIR_PART_OF_DEVICES	? view->record->device.own.as_of
	       : part == CERTDIR_PART_OF_INTUNE ? view->record->device.intune.as_of
						: 0;
}

bool certdir_part_fresh(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part,
			int64_t *age)
{
	return certdir_fresh_since(world, view, part, as_of(view, part), age);
}

int64_t certdir_part_age(const struct certdir_world *world, const struct certdir_view *view, enum certdir_part part)
{
	int64_t age;

	(void)certdir_part_fresh(world, view, part, &age);
	return age;
}

/* ---- filling ---- */

static const char *tenant_of(const struct certdir_record *record, const struct certdir_source *source)
{
	return record && record->device.tenant ? record->device.tenant : source->tenant;
}

bool certdir_is_foreign(const struct certdir_certificate *certificate, const struct certdir_source *source,
			const struct certdir_record *record)
{
	const char *tenant = tenant_of(record, source);

	return certificate->tenant && tenant && strcasecmp(certificate->tenant, tenant) != 0;
}

static void take_records(struct certdir_world *world, size_t d)
{
	const struct certdir_answer *answer = &world->known->answers[d];

	for (size_t r = 0; r < answer->count && world->count < CERTDIR_VIEWS_MAX; r++) {
		const struct certdir_record *record = &answer->records[r];
		const struct certdir_source *source = &answer->sources[record->source];

		if (certdir_is_foreign(world->known->certificate, source, record))
			continue;
		world->views[world->count] = (struct certdir_view){
			.record = record,
			.source = source,
			.directory = d,
			.device = world->count,
			.only_against = record->only_against,
		};
		world->count++;
	}
}

/* Whether a source is a synced tenant of that id, whose devices are up to date. */
static bool is_tenant(const struct certdir_world *world, const struct certdir_source *source, size_t directory,
		      const char *tenant)
{
	int64_t age;

	return source->kind == CERTDIR_SOURCE_TENANT && source->tenant && strcasecmp(source->tenant, tenant) == 0 &&
	       certdir_source_fresh(world, source, world->known->directories[directory], CERTDIR_PART_OF_DEVICES, &age);
}

/* Whether such a tenant has no device with the Entra id of an import's row. */
static bool tenant_lacks(const struct certdir_world *world, const char *tenant, const char *entra_device_id)
{
	bool is_synced = false;

	for (size_t d = 0; d < world->known->count; d++) {
		const struct certdir_answer *answer = &world->known->answers[d];

		for (size_t s = 0; (world->use >> d & 1) && s < answer->source_count; s++)
			is_synced |= is_tenant(world, &answer->sources[s], d, tenant);
	}
	for (size_t v = 0; is_synced && v < world->count; v++) {
		int64_t age;
		const struct certdir_view *view = &world->views[v];
		const struct certdir_device *device = &view->record->device;

		/* What Intune still has of it is not the tenant's word, nor is what the sync keeps for too long by now. */
		if (device->own.is && device->entra_device_id &&
		    strcmp(device->entra_device_id, entra_device_id) == 0 &&
		    is_tenant(world, view->source, view->directory, tenant) &&
		    certdir_part_fresh(world, view, CERTDIR_PART_OF_DEVICES, &age))
			return false;
	}
	return is_synced;
}

/* An export of yesterday must not keep alive what its tenant has deleted since. */
static void silence_outdated(struct certdir_world *world)
{
	for (size_t v = 0; v < world->count; v++) {
		struct certdir_view *view = &world->views[v];
		const char *tenant = tenant_of(view->record, view->source), *id = view->record->device.entra_device_id;

		if (view->source->kind == CERTDIR_SOURCE_IMPORT && !view->only_against && tenant && id &&
		    tenant_lacks(world, tenant, id))
			view->only_against = "imported, and its tenant does not have it any more";
	}
}

void certdir_devices_join(struct certdir_world *world, size_t a, size_t b)
{
	for (size_t v = 0; v < world->count; v++)
		if (world->views[v].device == b)
			world->views[v].device = a;
}

void certdir_world_fill(struct certdir_world *world)
{
	world->count = 0;
	for (size_t d = 0; d < world->known->count; d++)
		if ((world->use >> d & 1) && world->known->in_scope[d])
			take_records(world, d);
	silence_outdated(world);
	for (size_t a = 0; a < world->count; a++)
		for (size_t b = a + 1; b < world->count; b++)
			if (world->views[a].device != world->views[b].device &&
			    share_id(world, world->views[a].record, world->views[b].record))
				certdir_devices_join(world, world->views[a].device, world->views[b].device);
	world->deciding = certdir_deciding(world->known, &world->rank);
}

/* ---- devices ---- */

static bool has_any(const struct certdir_record *record, enum certdir_identity_type type)
{
	if (type == CERTDIR_ID_SID	? record->device.sid != NULL
	    : type == CERTDIR_ID_SERIAL ? record->device.serial_number != NULL
					: record->device.dns_name_count > 0)
		return true;
	for (size_t i = 0; i < record->value_count; i++)
		if (record->values[i].type == type)
			return true;
	return false;
}

bool certdir_device_has(const struct certdir_world *world, size_t device, enum certdir_identity_type type)
{
	FOR_EACH_VIEW_OF(world, device, view)
		if (has_any(view->record, type))
			return true;
	return false;
}

enum certdir_carries certdir_view_carries(const struct certdir_view *view, const struct certdir_identity *id)
{
	return certdir_record_carries(view->record, view->source->kind, id->type, id->value);
}

enum certdir_carries certdir_device_carries(const struct certdir_world *world, size_t device,
					    const struct certdir_identity *id)
{
	enum certdir_carries most = CERTDIR_CARRIES_NOT;

	FOR_EACH_VIEW_OF(world, device, view) {
		const enum certdir_carries carries = certdir_view_carries(view, id);

		if (carries > most)
			most = carries;
	}
	return most;
}

const char *certdir_device_silenced(const struct certdir_world *world, size_t device)
{
	const char *why = NULL;

	FOR_EACH_VIEW_OF(world, device, view) {
		if (!view->only_against)
			return NULL;
		why = why ? why : view->only_against;
	}
	return why;
}

/* Whether `differs` holds between some record of a and some record of b. */
static bool any_pair(const struct certdir_world *world, size_t a, size_t b,
		     bool (*differs)(const struct certdir_record *, const struct certdir_record *))
{
	FOR_EACH_VIEW_OF(world, a, view)
		FOR_EACH_VIEW_OF(world, b, other)
			if (differs(view->record, other->record))
				return true;
	return false;
}

bool certdir_devices_differ(const struct certdir_world *world, size_t a, size_t b, bool serials)
{
	return any_pair(world, a, b, values_differ) || (serials && any_pair(world, a, b, serials_differ));
}

bool certdir_devices_share_source(const struct certdir_world *world, size_t a, size_t b)
{
	FOR_EACH_VIEW_OF(world, a, view)
		FOR_EACH_VIEW_OF(world, b, other)
			if (view->source == other->source)
				return true;
	return false;
}

/* ---- found again ---- */

static enum certdir_identity_type type_of(const struct certdir_known *known, enum id_kind kind)
{
	static const enum certdir_identity_type types[] = {
		[ENTRA] = CERTDIR_ID_ENTRA, [INTUNE] = CERTDIR_ID_INTUNE, [OBJECT] = CERTDIR_ID_GUID,
		[SID] = CERTDIR_ID_SID,	    [UDID] = CERTDIR_ID_UDID,	  [ANY_GUID] = CERTDIR_ID_GUID};

	if (known->persons)
		return kind == SID ? CERTDIR_ID_USER_SID : CERTDIR_ID_USER_ID;
	return types[kind];
}

/* The first id of a record that its own directory finds it by. */
static bool first_id(const struct certdir_world *world, const struct certdir_view *view, struct certdir_sought *found)
{
	struct id ids[IDS_MAX];
	const size_t count = ids_of(view->record, ids);

	for (size_t i = 0; i < count; i++) {
		const enum certdir_identity_type type = type_of(world->known, ids[i].kind);

		*found = (struct certdir_sought){.type = type, .value = ids[i].value};
		if (certdir_keeps(world->known->answers[view->directory].keeps, type) &&
		    !certdir_is_filler(world, ids[i].value) &&
		    certdir_record_carries(view->record, view->source->kind, type, ids[i].value) == CERTDIR_CARRIES_YES)
			return true;
	}
	return false;
}

/* Of the records that are joined by ids: whether none of those before it in the decision is. */
static bool is_first_of_linked(const struct certdir_world *world, const struct certdir_decision *decision,
			       const struct certdir_view *view)
{
	for (size_t r = 0; decision->records[r] != view->record; r++)
		FOR_EACH_VIEW_OF(world, view->device, other)
			if (other->record == decision->records[r] && !other->record->issued)
				return false;
	return true;
}

static const struct certdir_view *view_of(const struct certdir_world *world, const struct certdir_record *record)
{
	for (size_t v = 0; v < world->count; v++)
		if (world->views[v].record == record)
			return &world->views[v];
	return NULL;
}

static size_t add_id(struct certdir_sought *ids, size_t count, const struct certdir_sought *id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i].type == id->type && strcmp(ids[i].value, id->value) == 0)
			return count;
	ids[count] = *id;
	return count + 1;
}

size_t certdir_decision_ids(const struct certdir_known *known, const struct certdir_decision *decision,
			    struct certdir_sought ids[CERTDIR_DEVICE_RECORDS_MAX], size_t *needed)
{
	static const struct certdir_policy any;
	struct certdir_world world; /* large, and filled only as far as its counts say */
	size_t count = 0;

	world.known = known;
	world.policy = &any;
	world.use = UINT32_MAX;
	world.now = 0;
	world.stale_is_fresh = false;
	certdir_world_fill(&world);
	for (int first = 1; first >= 0; first--) {
		for (size_t r = 0; r < decision->record_count; r++) {
			const struct certdir_view *view = view_of(&world, decision->records[r]);
			struct certdir_sought id;

			if (!view || view->record->issued || is_first_of_linked(&world, decision, view) != first)
				continue;
			if (!first_id(&world, view, &id))
				return 0;
			count = add_id(ids, count, &id);
		}
		*needed = first ? count : *needed;
	}
	return count;
}

/* ---- "no" ---- */

enum certdir_reason certdir_view_no(const struct certdir_world *world, const struct certdir_view *view,
				    char detail[CERTDIR_TEXT_MAX])
{
	const struct certdir_device *device = &view->record->device;
	char expired[CERTDIR_TIMESTAMP_SIZE];

	if (view->record->issued) {
		if (!view->record->issued->revoked)
			return CERTDIR_ALLOWED;
		certdir_say(detail, "the certificate is %.100s in \"%s\"",
			    view->record->issued->status ? view->record->issued->status : "revoked",
			    view->source->name);
		return CERTDIR_REVOKED;
	}
	if (certdir_management(device->management_state) == CERTDIR_MANAGEMENT_RETIRED) {
		certdir_say(detail, "%s is %s in \"%s\"", device->id, device->management_state, view->source->name);
		return CERTDIR_RETIRED;
	}
	if (device->enabled == CERTDIR_NO) {
		certdir_say(detail, "%s is disabled in \"%s\"", device->id, view->source->name);
		return CERTDIR_DISABLED;
	}
	if (device->expires && device->expires <= world->now) {
		certdir_timestamp_print(device->expires, expired);
		certdir_say(detail, "the account %s expired at %s", device->id, expired);
		return CERTDIR_DISABLED;
	}
	return CERTDIR_ALLOWED;
}
