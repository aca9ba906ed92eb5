/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every room shares: identity, certificate, device, reason, error, log.
 *
 * Strings here are NUL-terminated UTF-8 that has been validated. Bytes that have not been validated yet
 * travel as (pointer, length) and never in these structures.
 */
#ifndef CERTDIR_H
#define CERTDIR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- errors: for the administrator; they name the thing and say what to do ---- */

enum { CERTDIR_TEXT_MAX = 512 };

/*
 * Why something failed, and what to do about it, for the administrator. Where a caller has to know what is at fault, `about` says it: nobody
 * looks for that in the text.
 */
struct certdir_error {
	char text[CERTDIR_TEXT_MAX];
	const char *about; /* an option or field, as the administrator writes it; outlives the error. NULL = not told */
};

/* Formats the text, and takes `about` away. What does not fit ends in ".." after a whole UTF-8 character. */
void certdir_error_set(struct certdir_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of an option or field. */
void certdir_error_set_about(struct certdir_error *error, const char *about, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a text that explains an outcome. What does not fit ends in ".." after a whole UTF-8 character. */
void certdir_say(char text[CERTDIR_TEXT_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with the arguments of a function that has "..". */
void certdir_vsay(char text[CERTDIR_TEXT_MAX], const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

/* asprintf(3) that says NULL when memory is out. The caller frees it. */
char *certdir_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- log: where the core speaks outside of any request (list loaded, directory lost) ---- */

enum certdir_log_level { CERTDIR_LOG_INFO, CERTDIR_LOG_WARN, CERTDIR_LOG_ERROR };

typedef void (*certdir_log_function)(enum certdir_log_level level, const char *text);

/* One sink for the process, stderr until set. Set it before any directory is opened: it is called from any thread. */
void certdir_log_set(certdir_log_function function);
/* Formats a line and gives it to the sink. Any thread may. */
void certdir_log(enum certdir_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- identities: the names a certificate gives its device ---- */

enum certdir_identity_type {
	CERTDIR_ID_ENTRA, /* entra_device_id: Entra ID's deviceId, canonical lower-case GUID */
	CERTDIR_ID_INTUNE, /* intune_device_id: managedDevice id, canonical GUID */
	CERTDIR_ID_GUID, /* device_guid: a GUID whose namespace the certificate does not say */
	CERTDIR_ID_SID, /* sid: from extension 1.3.6.1.4.1.311.25.2, "S-1-5-21-.."; who wrote it depends on the CA */
	CERTDIR_ID_SID_URI, /* sid_uri: from a SAN URI the requester wrote */
	CERTDIR_ID_DNS, /* dns_name: lower case, no trailing dot */
	CERTDIR_ID_NAME, /* common_name: host name or other plain name, ASCII lower case, "host/" and "$" stripped */
	CERTDIR_ID_SERIAL, /* serial_number: of the hardware, upper case */
	CERTDIR_ID_UPN, /* upn: lower case */
	CERTDIR_ID_UDID, /* udid: Apple's, a GUID, 40 hex digits or 8-16 of them, lower case; GUIDs of any type may be one */
	CERTDIR_ID_CERTIFICATE, /* certificate: lower-case hex SHA-1 of all of it, by which tables of issued ones know it */
	CERTDIR_ID_IMEI, /* imei: 15 digits, the last of them the check digit */
	CERTDIR_ID_MEID, /* meid: 14 hex digits, upper case */
	CERTDIR_ID_WIFI_MAC, /* wifi_mac: 12 hex digits, upper case; never one that is made up for a network */
	CERTDIR_ID_PERMANENT, /* permanent_id: RFC 4043, as ACME device attestation has it: a serial number or a UDID mostly */
	CERTDIR_ID_MAPPING, /* mapping: a strong mapping as altSecurityIdentities has it; only when asked for */
	CERTDIR_ID_USER_ID, /* user_id: Entra ID's object id of a person, canonical GUID */
	CERTDIR_ID_USER_SID, /* user_sid: a person's, from where a section says that it is a person's */
	CERTDIR_ID_USER_NAME, /* user_name: a person's sAMAccountName, lower case */
	CERTDIR_ID_MAIL, /* mail: a person's address, lower case */
	CERTDIR_ID_TYPES
};

#define CERTDIR_BIT(type) (UINT32_C(1) << (type))

/* The types that are a person's alone; a UPN may be a computer's, too. */
#define CERTDIR_PERSONAL                                                                                               \
	(CERTDIR_BIT(CERTDIR_ID_USER_ID) | CERTDIR_BIT(CERTDIR_ID_USER_SID) | CERTDIR_BIT(CERTDIR_ID_USER_NAME) |      \
	 CERTDIR_BIT(CERTDIR_ID_MAIL))
/* By what a person is known. */
#define CERTDIR_PERSONS (CERTDIR_PERSONAL | CERTDIR_BIT(CERTDIR_ID_UPN))

/* "entra_device_id" for CERTDIR_ID_ENTRA; never NULL. */
const char *certdir_identity_type_name(enum certdir_identity_type type);
/* The reverse; false when no such type. */
bool certdir_identity_type_parse(const char *name, enum certdir_identity_type *type);

enum {
	CERTDIR_IDENTITIES_MAX = 64, /* one bit each in certdir_match.by */
	CERTDIR_NAMES_MAX =
		CERTDIR_IDENTITIES_MAX - 1 /* of them in a certificate: one more is the certificate itself */
};
enum { CERTDIR_VALUE_MAX = 255 }; /* bytes of one identity, before and after canonical form */

/*
 * How much a value says, lowest first. The highest rank that a directory can know decides alone which device is meant: no
 * name outvotes an id, and a GUID where anybody may write one gives way to one that the CA vouches for.
 */
enum certdir_rank {
	CERTDIR_RANK_NONE, /* no device's: a person's name. Shown, never looked up */
	CERTDIR_RANK_CONFIRMING, /* selects nothing; denies when it is somebody else's */
	CERTDIR_RANK_CHOSEN, /* a name that the device's user, or whoever requests, can choose */
	CERTDIR_RANK_ID, /* taken for an id: a GUID where the profile may have put a name */
	CERTDIR_RANK_VOUCHED, /* an id by the CA's word */
	CERTDIR_RANKS
};
const char *certdir_rank_name(enum certdir_rank rank); /* "none", "confirming", "chosen", "id", "vouched" */

struct certdir_identity {
	enum certdir_identity_type type;
	char *value; /* canonical form */
	const char
		*from; /* static: "subject.cn", "subject.serialNumber", "san.dns", "san.uri", "san.upn", "ext.sid".. */
	enum certdir_rank rank;
	bool exact; /* a DNS name that the CA vouches for: never found by its first label */
};

/* Whose a certificate is, and so who has to be known and enabled for it: `holder` of its section. */
enum certdir_holder {
	CERTDIR_HOLDER_DEVICE,
	CERTDIR_HOLDER_USER,
	CERTDIR_HOLDER_BOTH /* a person's on a device: both, where it names a device */
};

/* What a certificate says. Everything is owned; certdir_certificate_clear() in identity/certificate.h frees it. */
struct certdir_certificate {
	struct certdir_identity identities[CERTDIR_IDENTITIES_MAX];
	size_t count;
	char *subject; /* RFC 4514 string, for people */
	char *issuer; /* RFC 4514 string, for people and for `issuer = ".."` */
	uint64_t issuer_hash; /* not 0: the issuer is known by certdir_dn_hash() alone, and `issuer` says nothing */
	char *serial; /* upper-case hex of the INTEGER's bytes, most significant first */
	char *thumbprint; /* lower-case hex SHA-1 of the whole certificate, or NULL where it is not at hand */
	char *ski; /* lower-case hex of the subject key identifier extension, or NULL */
	char *public_key_sha1; /* lower-case hex SHA-1 of the subjectPublicKey BIT STRING's content */
	char *template; /* ADCS template OID or name, or NULL */
	char *issuer_key; /* lower-case hex: the key identifier of the issuer that the certificate names (RFC 5280, 4.2.1.1), or NULL */
	char *ekus; /* object identifiers of the extended key usage, dotted, blank-separated, or NULL */
	const char *section; /* the `certificates` section that it fits, or NULL; borrowed from the configuration */
	enum certdir_holder holder; /* by that section */
	char *tenant; /* Entra tenant id named by Entra's or the MDM's own extensions, or NULL */
	int64_t not_before; /* Unix seconds */
	int64_t not_after;
	size_t left_out; /* names for which there was no room: with them, names alone decide nothing */
	bool person; /* it names a person: UPN, mail address, or a template for users. Then a SID may be the person's */
	bool has_san;
	bool client_auth; /* may be used for client authentication: no EKU at all, or clientAuth / anyExtendedKeyUsage in it */
};

/* ---- devices: what a directory knows ---- */

enum certdir_tristate { CERTDIR_UNKNOWN, CERTDIR_NO, CERTDIR_YES };

enum certdir_join_type {
	CERTDIR_JOIN_UNKNOWN,
	CERTDIR_JOIN_ENTRA, /* trustType AzureAd */
	CERTDIR_JOIN_HYBRID, /* trustType ServerAd */
	CERTDIR_JOIN_REGISTERED, /* trustType Workplace */
	CERTDIR_JOIN_AD, /* a computer in Active Directory */
	CERTDIR_JOIN_TYPES
};
const char *certdir_join_type_name(enum certdir_join_type type); /* "entra", "hybrid", .., "unknown" */
bool certdir_join_type_parse(const char *name, enum certdir_join_type *type);

struct certdir_group {
	char *id; /* Entra object id, or LDAP DN */
	char *name; /* of an LDAP group only where the administrator said that nobody else makes groups there */
	char *sid; /* of an LDAP group, or NULL */
	int64_t as_of; /* as in struct certdir_statement: the device has left it */
};

/*
 * What one part of a source says where several parts speak of the same: Entra ID beside Intune. They are kept apart, because
 * each has an age of its own and a "no" of one is ended by a newer "yes" of the other.
 */
struct certdir_statement {
	bool is; /* there is such a record */
	/*
	 * The source has it no more, and the sync's shrink guard keeps it: when it was last known to be so, in Unix seconds; 0 = by the last
	 * success of its part.
	 */
	int64_t as_of;
	enum certdir_tristate compliant; /* inGracePeriod is a yes, conflict and error are a no */
	int64_t compliant_since; /* when this was first heard; 0 = it is said anew by each success of its part */
	enum certdir_tristate managed;
	int64_t last_seen;
	int64_t registered; /* Intune: enrolled */
};

/* A name that a device had until `since`. */
struct certdir_former_name {
	char *name;
	int64_t since;
};

/* One more value that a device is known by, beside the fields of its structure. */
struct certdir_value {
	enum certdir_identity_type type;
	char *value; /* canonical */
};

/* Where a device is from: a tenant that is synced, a named import, an LDAP directory (live, or as a sync has listed it). */
enum certdir_source_kind { CERTDIR_SOURCE_TENANT, CERTDIR_SOURCE_IMPORT, CERTDIR_SOURCE_LDAP };

/* All strings owned, NULL = not known; certdir_device_clear() frees them. Times are Unix seconds, 0 = not known. */
struct certdir_device {
	char *id; /* what the directory itself calls it: Entra deviceId, or DN. Never NULL. */
	char *object_id; /* Entra directory object id */
	char *entra_device_id;
	char *intune_device_id;
	char *udid; /* Apple's unique device identifier */
	char *name;
	char *serial_number;
	char *sid;
	char *owner; /* userPrincipalName */
	char *ownership; /* "company", "personal" */
	char *operating_system;
	char *tenant;
	char *intune_name; /* Intune's deviceName, where it has a record; may be `name` again */
	char *management_state; /* Intune's managementState: managed, wipePending, .. */
	char *management_agent; /* and managementAgent: mdm, eas, .. */
	char *category; /* Intune's deviceCategoryDisplayName */
	char *enrollment_profile; /* enrollmentProfileName */
	char *extension_attributes; /* "1=value|7=value": those of Entra's extensionAttributes that were asked for; \ before | and \ */
	char *wifi_mac; /* canonical, "00A0C91E2F3D", where it is a MAC address that is not made up */
	char *ethernet_mac;
	char *imei; /* of phones; canonical, where they are */
	char *meid;
	char **dns_names;
	size_t dns_name_count;
	struct certdir_group *groups;
	size_t group_count;
	struct certdir_former_name *former_names;
	size_t former_name_count;
	struct certdir_statement own; /* Entra ID's, an import's, an LDAP entry's */
	struct certdir_statement intune;
	enum certdir_tristate enabled;
	/*
	 * Merged of the two statements, for people: managed when either says so, the later time, Intune's word on compliance where it says
	 * yes or no, else Entra ID's. Decisions go by the statements.
	 */
	enum certdir_tristate managed;
	char *compliance; /* in Intune's words: compliant, noncompliant, inGracePeriod, configManager, unknown, .. */
	enum certdir_join_type join_type;
	int64_t last_seen;
	int64_t registered;
	int64_t expires; /* account expiry, 0 = never */
};

/* Frees the texts and arrays that a device owns, not the structure, and zeroes it. */
void certdir_device_clear(struct certdir_device *device);

/*
 * The i-th of a device's texts, `id` first; NULL behind the last. For what is done with all of them alike. The order is that in which a
 * memory's file has them (directory/packed.c): new ones stand at the end.
 */
char **certdir_device_text(struct certdir_device *device, size_t i);

/*
 * Intune's complianceState: compliant and inGracePeriod are a yes, noncompliant, conflict and error a no. All else is unknown: NULL,
 * "unknown", and "configManager", with which Intune leaves it to another that tells Entra ID.
 */
enum certdir_tristate certdir_compliance(const char *word);

/*
 * Intune's managementState, whatever its case. In use: managed, wipeCanceled, retireCanceled. Retired: whatever stands for a device
 * that is not to be trusted with a network any more, though it may not have heard of it yet. Unknown: NULL, "discovered" (found, but not
 * enrolled), and words that are newer than this program.
 */
enum certdir_management { CERTDIR_MANAGEMENT_UNKNOWN, CERTDIR_MANAGEMENT_IN_USE, CERTDIR_MANAGEMENT_RETIRED };
enum certdir_management certdir_management(const char *state);

/*
 * Whether an Intune record's managementState and managementAgent say that an MDM manages the device which can give it certificates and
 * a compliance policy. The agent may be NULL: then the state alone tells. Unknown also for an agent that leaves it to others (jamf).
 */
enum certdir_tristate certdir_managed(const char *state, const char *agent);

/*
 * What follows from Intune's words: whether its record says managed, what both say together, and that a device which Intune alone knows
 * (or an import by its Intune id alone) is enabled while it is in use, since there is no account that could be disabled.
 */
void certdir_device_merge(struct certdir_device *device);

/*
 * A certificate as the table of whoever issued it has it, and to whom. Strings are owned, NULL = not known; certdir_issued_clear() frees
 * them. Times are Unix seconds, 0 = not known.
 */
struct certdir_issued {
	char *thumbprint; /* lower-case hex SHA-1 of the certificate */
	char *issuer; /* as the table writes it: "CN=Contoso CA, O=Contoso, C=US" in Intune's */
	char *serial; /* as in struct certdir_certificate */
	char *intune_device_id;
	char *entra_device_id;
	char *user_id; /* Entra object id of the user */
	char *upn;
	char *status; /* in the table's own word, for people */
	char *profile; /* Intune's id of the profile that it comes of */
	int64_t not_before;
	int64_t not_after;
	int64_t as_of; /* its table has it no more, and the list keeps it: when it was last known to be there; 0 = it has it */
	bool revoked; /* revoked, on hold, or its issuing failed: it lets nobody in */
};

/* Frees the texts that it owns, not the structure, and zeroes it. */
void certdir_issued_clear(struct certdir_issued *issued);

/* ---- reasons: one table (reason.c), in logs, JSON, Certdir-Reason and the docs ---- */

enum certdir_verdict { CERTDIR_ALLOW, CERTDIR_DENY, CERTDIR_UNSURE };

/*
 * In the order in which they count: the first that stands against somebody does, so a new one has its place here. What nobody decided is
 * the worst.
 */
enum certdir_reason {
	CERTDIR_UNSEEN, /* no decision: the login ended without certdir */
	CERTDIR_NO_CERTIFICATE,
	CERTDIR_MALFORMED_CERTIFICATE,
	CERTDIR_ISSUER,
	CERTDIR_NO_IDENTITY,
	CERTDIR_CONFLICT,
	CERTDIR_AMBIGUOUS,
	CERTDIR_NOT_FOUND,
	CERTDIR_LIST_MISSING,
	CERTDIR_DIRECTORY_UNAVAILABLE,
	CERTDIR_SID_MISMATCH,
	CERTDIR_REVOKED,
	CERTDIR_RETIRED,
	CERTDIR_DISABLED,
	CERTDIR_NAME_MISMATCH,
	CERTDIR_JOIN_TYPE,
	CERTDIR_OWNERSHIP,
	CERTDIR_SYSTEM,
	CERTDIR_NOT_MANAGED,
	CERTDIR_NOT_COMPLIANT,
	CERTDIR_COMPLIANCE_UNKNOWN,
	CERTDIR_INACTIVE,
	CERTDIR_NOT_IN_GROUP,
	CERTDIR_LIST_STALE,
	CERTDIR_ALLOWED_STALE,
	CERTDIR_ALLOWED,
	CERTDIR_REASONS
};

const char *certdir_reason_name(enum certdir_reason reason); /* "allowed-stale" */
/* The reason of that name; false, and *reason stays, when there is none. */
bool certdir_reason_read(const char *name, enum certdir_reason *reason);
const char *certdir_reason_advice(enum certdir_reason reason); /* one sentence: what an administrator does about it */
enum certdir_verdict certdir_reason_verdict(enum certdir_reason reason);
const char *certdir_verdict_name(enum certdir_verdict verdict); /* "allow", "deny", "unsure" */

#endif
