/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gets a profile. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "profiles/check.h"

/* ---- a device ---- */

static bool begins(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* What Entra ID, Intune and exports of others call systems: "Windows", "iPhone", "IPad", "MacMDM", "AndroidEnterprise". */
static bool runs_on(const struct certdir_profile *profile, const struct certdir_device *device)
{
	const char *system = device->operating_system ? device->operating_system : "";
	const char *ownership = device->ownership ? device->ownership : "";

	switch (profile->platform) {
	case CERTDIR_PLATFORM_WINDOWS:
		return begins(system, "win");
	case CERTDIR_PLATFORM_IOS:
		return begins(system, "ios") || begins(system, "iphone") || begins(system, "ipad");
	case CERTDIR_PLATFORM_MACOS:
		return begins(system, "mac");
	case CERTDIR_PLATFORM_ANDROID:
		return begins(system, "android");
	case CERTDIR_PLATFORM_ANDROID_CORPORATE:
		return begins(system, "android") && strcasecmp(ownership, "personal") != 0;
	case CERTDIR_PLATFORM_ANDROID_WORK:
		return begins(system, "android") && strcasecmp(ownership, "company") != 0;
	case CERTDIR_PLATFORM_UNKNOWN:
		break;
	}
	return false;
}

static bool is_member(const struct certdir_device *device, const char *group)
{
	for (size_t i = 0; group && i < device->group_count; i++)
		if (device->groups[i].id && strcasecmp(device->groups[i].id, group) == 0)
			return true;
	return false;
}

static enum certdir_meant means(const struct certdir_profile_target *target, const struct certdir_device *device)
{
	enum certdir_meant meant = CERTDIR_MEANT_NOT;

	switch (target->kind) {
	case CERTDIR_TARGET_ALL_DEVICES:
		meant = CERTDIR_MEANT_YES;
		break;
	case CERTDIR_TARGET_ALL_USERS:
		meant = device->owner ? CERTDIR_MEANT_YES : CERTDIR_MEANT_NOT;
		break;
	case CERTDIR_TARGET_GROUP:
		meant = is_member(device, target->group) ? CERTDIR_MEANT_YES
			: target->known			 ? CERTDIR_MEANT_NOT
							 : CERTDIR_MEANT_PERHAPS;
		break;
	case CERTDIR_TARGET_EXCLUDED:
		break;
	case CERTDIR_TARGET_OTHER:
		meant = CERTDIR_MEANT_PERHAPS;
	}
	return meant && target->filtered ? CERTDIR_MEANT_PERHAPS : meant;
}

enum certdir_meant certdir_target_means(const struct certdir_profile *profile, const struct certdir_device *device)
{
	enum certdir_meant meant = CERTDIR_MEANT_NOT, most = CERTDIR_MEANT_YES;

	/* Intune gives profiles to what it manages alone. */
	if (!runs_on(profile, device) || (!device->intune_device_id && device->managed != CERTDIR_YES))
		return CERTDIR_MEANT_NOT;
	for (size_t i = 0; i < profile->target_count; i++) {
		const struct certdir_profile_target *target = &profile->targets[i];
		const enum certdir_meant by = means(target, device);

		meant = by > meant ? by : meant;
		if (target->kind != CERTDIR_TARGET_EXCLUDED)
			continue;
		if (is_member(device, target->group))
			return CERTDIR_MEANT_NOT;
		if (!target->known)
			most = CERTDIR_MEANT_PERHAPS;
	}
	return meant < most ? meant : most;
}

/* ---- two profiles ---- */

static bool has(const struct certdir_profile *profile, enum certdir_profile_target_kind kind, const char *group)
{
	for (size_t i = 0; i < profile->target_count; i++)
		if (profile->targets[i].kind == kind &&
		    (!group || (profile->targets[i].group && strcmp(profile->targets[i].group, group) == 0)))
			return true;
	return false;
}

/*
 * Why who is meant by `target` does not get `needed`, or NULL. A group that the list has devices in is among all devices; one that it does
 * not know may be among what goes to all, and is told of by itself.
 */
static const char *miss(const struct certdir_profile_target *target, const struct certdir_profile *needed)
{
	const bool devices = has(needed, CERTDIR_TARGET_ALL_DEVICES, NULL);
	const bool users = has(needed, CERTDIR_TARGET_ALL_USERS, NULL);

	switch (target->kind) {
	case CERTDIR_TARGET_ALL_DEVICES:
		return devices ? NULL
		       : users ? "goes to all users and not to all devices"
			       : "does not go to all devices";
	case CERTDIR_TARGET_ALL_USERS:
		return users ? NULL : devices ? "goes to all devices and not to all users" : "does not go to all users";
	case CERTDIR_TARGET_GROUP:
		return !target->group || devices || (users && !target->known) ||
				       has(needed, CERTDIR_TARGET_GROUP, target->group)
			       ? NULL
			       : "does not go to group";
	case CERTDIR_TARGET_EXCLUDED:
	case CERTDIR_TARGET_OTHER:
		break;
	}
	return NULL;
}

/* The same of all that `profile` goes to; *group is the one that is meant, or NULL. */
static const char *miss_any(const struct certdir_profile *profile, const struct certdir_profile *needed,
			    const char **group)
{
	const char *why = NULL;

	for (size_t i = 0; !why && i < profile->target_count; i++) {
		why = miss(&profile->targets[i], needed);
		*group = profile->targets[i].group;
	}
	for (size_t i = 0; !why && i < needed->target_count; i++) {
		*group = needed->targets[i].group;
		if (needed->targets[i].kind == CERTDIR_TARGET_EXCLUDED && *group &&
		    !has(profile, CERTDIR_TARGET_EXCLUDED, *group))
			why = "leaves out group";
	}
	return why;
}

/* Whether the list tells every device that a profile goes to: users may come with others than are theirs. */
static bool is_countable(const struct certdir_profile *profile)
{
	for (size_t i = 0; i < profile->target_count; i++) {
		const struct certdir_profile_target *target = &profile->targets[i];

		if (target->filtered ||
		    (target->kind != CERTDIR_TARGET_ALL_DEVICES && !(target->group && target->known)))
			return false;
	}
	return true;
}

/*
 * Tells what `needed`, number i of those that the profile needs, lacks. A group that lies within another is in order today: only the list
 * can tell.
 */
static void compare(const struct certdir_profile_check *check, size_t i, const struct certdir_profile *needed)
{
	const bool root = needed->kind == CERTDIR_PROFILE_ROOT;
	const struct certdir_hits *lacking = &check->lacking[i];
	const char *group = NULL, *why = miss_any(check->profile, needed, &group);

	if (why && check->world->has_list && !lacking->sure && !lacking->perhaps && is_countable(check->profile))
		certdir_check_add(
			check, true, root ? "root-assignment" : "certificate-assignment", NULL,
			"needs the %s profile \"%s\", which %s%s%s: no device of the list is without it today; "
			"assigned to the same groups, both stay together",
			root ? "root" : "certificate", needed->name, why, group ? " " : "", group ? group : "");
	else if (why)
		certdir_check_add(
			check, false, root ? "root-assignment" : "certificate-assignment",
			lacking->sure ? lacking : NULL,
			"needs the %s profile \"%s\", which %s%s%s: %s wait for it for ever; assign both to the same "
			"groups",
			root ? "root" : "certificate", needed->name, why, group ? " " : "", group ? group : "",
			lacking->sure ? certdir_check_devices(check, lacking, "") : "devices that get this one alone");
}

static bool has_group(const struct certdir_profile *profile, const char *group)
{
	return has(profile, CERTDIR_TARGET_GROUP, group) || has(profile, CERTDIR_TARGET_EXCLUDED, group);
}

/* A group that the list does not know is told once: at the first profile that names it. */
static void tell_group(const struct certdir_profile_check *check, const struct certdir_profile_target *target)
{
	size_t others = 0;
	char *more;

	for (const struct certdir_profile *one = check->profiles->items; one < check->profile; one++)
		if (has_group(one, target->group))
			return;
	for (const struct certdir_profile *one = check->profile + 1;
	     one < check->profiles->items + check->profiles->count; one++)
		others += has_group(one, target->group);
	more = others ? certdir_print(" (%zu more profiles name it)", others) : NULL;
	certdir_check_add(
		check, true, "group", NULL,
		"%s group %s%s, of which the list has no devices, so that nobody can count there: if it is one "
		"of devices, add it to `groups` in certdir.conf and sync; if it is one of users, profiles that "
		"this one needs have to go to these users, too",
		target->kind == CERTDIR_TARGET_EXCLUDED ? "leaves out" : "is assigned to", target->group,
		more ? more : "");
	free(more);
}

static void tell_targets(const struct certdir_profile_check *check)
{
	const struct certdir_profile *profile = check->profile;
	bool filtered = false, other = false, assigned = false;

	for (size_t i = 0; i < profile->target_count; i++) {
		const struct certdir_profile_target *target = &profile->targets[i];

		filtered |= target->filtered;
		other |= target->kind == CERTDIR_TARGET_OTHER;
		assigned |= target->kind != CERTDIR_TARGET_EXCLUDED;
		if (target->group && !target->known && check->world->has_list)
			tell_group(check, target);
	}
	if (filtered)
		certdir_check_add(
			check, true, "filter", NULL,
			"is assigned with a filter, which is not evaluated here: look at its devices in Intune");
	if (other)
		certdir_check_add(check, true, "assignment", NULL,
				  "is assigned in a way that this program does not know: look at it in Intune");
	if (!assigned)
		certdir_check_add(check, true, "unassigned", NULL, "is assigned to nobody");
}

void certdir_check_targets(const struct certdir_profile_check *check)
{
	tell_targets(check);
	for (size_t i = 0; i < certdir_profile_needs(check->profile); i++) {
		const struct certdir_profile *needed = certdir_profile_needed(check->profiles, check->profile, i);

		if (needed)
			compare(check, i, needed);
	}
}
