/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one table of reasons: name, verdict, and what an administrator does about it. */
#include "base/certdir.h"

#include <string.h>

static const struct {
	const char *name;
	enum certdir_verdict verdict;
	const char *advice;
} reasons[CERTDIR_REASONS] = {
	[CERTDIR_UNSEEN] =
		{"unseen", CERTDIR_DENY,
		 "The login ends without certdir: put right what keeps it away; `radiusd -XC` and `certdir check` name "
		 "what is missing on the way."},
	[CERTDIR_NO_CERTIFICATE] =
		{"no-certificate", CERTDIR_DENY,
		 "Use EAP-TLS with a client certificate, and call certdir only in the virtual server "
		 "that `tls { virtual_server }` names."},
	[CERTDIR_MALFORMED_CERTIFICATE] = {"malformed-certificate", CERTDIR_DENY,
					   "A name in this certificate cannot be trusted as written: find out who "
					   "requested it, and issue a clean one."},
	[CERTDIR_ISSUER] = {"issuer", CERTDIR_DENY,
			    "Certificates like this are not configured: compare `issuer` of the directories, and "
			    "`issuer`, `template` "
			    "and `ekus` of the certificates { } sections, with what `certdir check` prints."},
	[CERTDIR_NO_IDENTITY] = {"no-identity", CERTDIR_DENY,
				 "The certificate carries no name of a device, of an accepted type and in an accepted "
				 "place: change the "
				 "certificate profile, or `identities`, or say in a `certificates` section or `form` "
				 "what stands where."},
	[CERTDIR_CONFLICT] =
		{"conflict", CERTDIR_DENY,
		 "Names of this certificate belong to different devices: somebody may be posing as another "
		 "device; look at both before issuing a new certificate."},
	[CERTDIR_AMBIGUOUS] = {"ambiguous", CERTDIR_DENY,
			       "Several devices carry these names: put a device id into the certificate, or remove the "
			       "stale duplicates."},
	[CERTDIR_NOT_FOUND] =
		{"not-found", CERTDIR_DENY,
		 "No directory knows the device: enrol it, or look whether it was deleted and still holds "
		 "its old certificate."},
	[CERTDIR_LIST_MISSING] = {"list-missing", CERTDIR_UNSURE,
				  "There is no usable list: run `certdir list verify`, then publish one."},
	[CERTDIR_DIRECTORY_UNAVAILABLE] = {"directory-unavailable", CERTDIR_UNSURE,
					   "Look at the directory server, the network to it, and its credentials."},
	[CERTDIR_SID_MISMATCH] = {"sid-mismatch", CERTDIR_DENY,
				  "The SID that the certificate's requester wrote is not the device's: find out who "
				  "requested it."},
	[CERTDIR_REVOKED] = {"certificate-revoked", CERTDIR_DENY,
			     "Whoever issued this certificate says that it is revoked: let the device get "
			     "a new one if it is wanted."},
	[CERTDIR_RETIRED] = {"retired", CERTDIR_DENY,
			     "The device is to be wiped, retired or deleted in Intune: cancel that there if it is "
			     "wanted again."},
	[CERTDIR_DISABLED] = {"disabled", CERTDIR_DENY, "Enable the device in its directory if it is wanted again."},
	[CERTDIR_NAME_MISMATCH] =
		{"name-mismatch", CERTDIR_DENY,
		 "The outer identity is no name of the certificate (set it to host/<name in the certificate>), or "
		 "the certificate carries another device's name beside its id (issue it again)."},
	[CERTDIR_JOIN_TYPE] = {"join-type", CERTDIR_DENY, "Join the device in a way that join_types accepts."},
	[CERTDIR_OWNERSHIP] = {"ownership", CERTDIR_DENY,
			       "Change the device's ownership in Intune, or `policy { ownership }`."},
	[CERTDIR_SYSTEM] = {"system", CERTDIR_DENY,
			    "Devices with this operating system are not let in: see `policy { operating_systems }`."},
	[CERTDIR_NOT_MANAGED] = {"not-managed", CERTDIR_DENY,
				 "Enrol the device into management, or drop require_managed."},
	[CERTDIR_NOT_COMPLIANT] = {"not-compliant", CERTDIR_DENY,
				   "Look at the device's compliance policies in Intune."},
	[CERTDIR_COMPLIANCE_UNKNOWN] =
		{"compliance-unknown", CERTDIR_DENY,
		 "The device has not reported its compliance: wait for its next check-in, or set "
		 "enrollment_grace or compliance_unknown = allow."},
	[CERTDIR_INACTIVE] = {"inactive", CERTDIR_DENY,
			      "The device was not seen for longer than max_inactive: let it sign in once elsewhere, or "
			      "remove it."},
	[CERTDIR_NOT_IN_GROUP] = {"not-in-group", CERTDIR_DENY, "Add the device to a group that require_group names."},
	[CERTDIR_LIST_STALE] = {"list-stale", CERTDIR_UNSURE,
				"A part of the list is older than max_age, or from a clock that is ahead: find out why "
				"it is not synced or "
				"imported again. For a list that is imported by hand, set max_age = 0."},
	[CERTDIR_ALLOWED_STALE] =
		{"allowed-stale", CERTDIR_ALLOW,
		 "The device was let in by a list older than max_age: find out why it is not synced."},
	[CERTDIR_ALLOWED] = {"allowed", CERTDIR_ALLOW, "Nothing: the device is known and wanted."},
};

const char *certdir_reason_name(enum certdir_reason reason)
{
	return reasons[reason].name;
}

bool certdir_reason_read(const char *name, enum certdir_reason *reason)
{
	for (unsigned i = 0; i < CERTDIR_REASONS; i++)
		if (strcmp(reasons[i].name, name) == 0) {
			*reason = (enum certdir_reason)i;
			return true;
		}
	return false;
}

const char *certdir_reason_advice(enum certdir_reason reason)
{
	return reasons[reason].advice;
}

enum certdir_verdict certdir_reason_verdict(enum certdir_reason reason)
{
	return reasons[reason].verdict;
}

const char *certdir_verdict_name(enum certdir_verdict verdict)
{
	static const char *const names[] = {"allow", "deny", "unsure"};

	return names[verdict];
}
