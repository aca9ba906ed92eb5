/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one table of reasons: name, verdict, and what an administrator does about it. */
#include "certdir.h"

static const struct {
	const char *name;
	enum certdir_verdict verdict;
	const char *advice;
} reasons[CERTDIR_REASONS] = {
	[CERTDIR_ALLOWED] = {"allowed", CERTDIR_ALLOW, "Nothing: the device is known and wanted."},
	[CERTDIR_ALLOWED_STALE] =
		{"allowed-stale", CERTDIR_ALLOW,
		 "The device was let in by a list older than max_age: find out why it is not synced."},
	[CERTDIR_NO_CERTIFICATE] =
		{"no-certificate", CERTDIR_DENY,
		 "Use EAP-TLS with a client certificate, and call certdir only in the virtual server "
		 "that `tls { virtual_server }` names."},
	[CERTDIR_MALFORMED_CERTIFICATE] = {"malformed-certificate", CERTDIR_DENY,
					   "A name in this certificate cannot be trusted as written: find out who "
					   "requested it, and issue a clean one."},
	[CERTDIR_NO_IDENTITY] = {"no-identity", CERTDIR_DENY,
				 "The certificate carries no name of an accepted type: change the certificate profile, "
				 "or `identities`, or describe the name with a `form`."},
	[CERTDIR_NOT_FOUND] =
		{"not-found", CERTDIR_DENY,
		 "No directory knows the device: enrol it, or look whether it was deleted and still holds "
		 "its old certificate."},
	[CERTDIR_AMBIGUOUS] = {"ambiguous", CERTDIR_DENY,
			       "Several devices carry these names: put a device id into the certificate, or remove the "
			       "stale duplicates."},
	[CERTDIR_CONFLICT] =
		{"conflict", CERTDIR_DENY,
		 "Names of this certificate belong to different devices: somebody may be posing as another "
		 "device; look at both before issuing a new certificate."},
	[CERTDIR_DISABLED] = {"disabled", CERTDIR_DENY, "Enable the device in its directory if it is wanted again."},
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
	[CERTDIR_JOIN_TYPE] = {"join-type", CERTDIR_DENY, "Join the device in a way that join_types accepts."},
	[CERTDIR_NOT_IN_GROUP] = {"not-in-group", CERTDIR_DENY, "Add the device to a group that require_group names."},
	[CERTDIR_ISSUER] =
		{"issuer", CERTDIR_DENY,
		 "No directory is configured for certificates of this CA: check `issuer` of each directory."},
	[CERTDIR_SID_MISMATCH] = {"sid-mismatch", CERTDIR_DENY,
				  "The SID that the certificate's requester wrote is not the device's: find out who "
				  "requested it."},
	[CERTDIR_NAME_MISMATCH] =
		{"name-mismatch", CERTDIR_DENY,
		 "The supplicant calls itself by a name that is not in its certificate: set its outer "
		 "identity to host/<name in the certificate>."},
	[CERTDIR_DIRECTORY_UNAVAILABLE] = {"directory-unavailable", CERTDIR_UNSURE,
					   "Look at the directory server, the network to it, and its credentials."},
	[CERTDIR_LIST_STALE] = {"list-stale", CERTDIR_UNSURE,
				"The list is older than max_age: find out why it is not synced or imported anew."},
	[CERTDIR_LIST_MISSING] = {"list-missing", CERTDIR_UNSURE,
				  "There is no usable list: run `certdir list verify`, then publish one."},
};

const char *certdir_reason_name(enum certdir_reason reason)
{
	return reasons[reason].name;
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
