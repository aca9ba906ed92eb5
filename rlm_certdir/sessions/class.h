/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What judges a session again when its certificate is no longer at hand, sealed into the Class of its Access-Accept (RFC 2865, 5.25): the
 * NAS gives it back in each accounting packet. Pure: no packet, no directory.
 */
#ifndef CERTDIR_SESSIONS_CLASS_H
#define CERTDIR_SESSIONS_CLASS_H

#include "base/certdir.h"

enum {
	CERTDIR_CLASS_MAX = 253, /* bytes of the text, so that it is one attribute */
	CERTDIR_CLASS_KEY_SIZE = 32,
	CERTDIR_CLASS_IDS_MAX = 16,
	CERTDIR_CLASS_LIVE_MAX = 7,
	CERTDIR_CLASS_NAME_MAX = 255 /* bytes of an instance's name, and of a device's id that is not told by its MD5 */
};

/* Seals, and tells what is sealed from what is forged. Who has it can make sessions up: it is a secret. */
struct certdir_class_key {
	unsigned char bytes[CERTDIR_CLASS_KEY_SIZE];
};

/*
 * Reads the key that several servers share: any file of 32 bytes or more, to which what conf/secret.h says of secrets applies. The file
 * counts byte by byte, a newline at its end included. False with `error`.
 */
bool certdir_class_key_read(struct certdir_class_key *key, const char *filename, struct certdir_error *error);
/* A new random one. False when the system has no random numbers. */
bool certdir_class_key_make(struct certdir_class_key *key);

/* A value that finds the device, or the person, again: an identity without the place in a certificate. */
struct certdir_class_id {
	enum certdir_identity_type type;
	enum certdir_rank rank;
	bool exact;
	/*
	 * One that the second judgement needs: without it the Class is not made. Others only make it find the device more surely, and are left
	 * out where there is no room.
	 */
	bool needed;
	char value[CERTDIR_VALUE_MAX + 1]; /* canonical */
};

/* What is sealed. Plain data; certdir_class_of() fills it in from a login. */
struct certdir_class {
	char instance[CERTDIR_CLASS_NAME_MAX + 1]; /* of the module; not in the text, but sealed with it */
	/* As in the log line: the device's id, or the person's where there is no device. Of one that was opened it may be the MD5 of that. */
	char id[CERTDIR_CLASS_NAME_MAX + 1];
	int64_t issued; /* Unix seconds: when the login was decided */
	enum certdir_holder holder;
	bool quarantine; /* let in although it is not compliant */
	bool stale; /* let in by facts that are too old */
	unsigned
		live; /* how many records of directories that are asked live, LDAP, were the device's and the person's; at most CERTDIR_CLASS_LIVE_MAX */
	/* Bit d: the checker's directory d is asked live again, whatever others say, as it was in the login. */
	uint8_t asked_of_device;
	uint8_t asked_of_person;
	bool person; /* as in struct certdir_certificate */
	uint64_t issuer; /* certdir_dn_hash() of the certificate's issuer; 0 = none is known */
	uint32_t section; /* the low half of certdir_hash_text() of the `certificates` section's name; 0 = none */
	int64_t not_before; /* of the certificate; Unix seconds, 0 = not known */
	char tenant[37]; /* that the certificate names; "" = none */
	char thumbprint[41]; /* of the certificate, where tables of issued ones are looked at; "" = none */
	char serial[65]; /* of the certificate, where a table knows it by that alone; "" = none */
	uint64_t groups; /* a digest of all groups that policies may go by, in any order */
	struct certdir_class_id ids[CERTDIR_CLASS_IDS_MAX];
	size_t id_count;
};

/*
 * Writes "certdir:" and the id, or the id's MD5 where there is no room for it or it is not plain ASCII, then ";" and the sealed rest:
 * printable ASCII. False when what is needed does not fit, or there is nothing that would find the device again: then the session ends by
 * its Session-Timeout alone.
 */
bool certdir_class_seal(const struct certdir_class *class, const struct certdir_class_key *key,
			char text[CERTDIR_CLASS_MAX + 1]);
/*
 * The reverse, of untrusted bytes. False, with an empty `class`: it is not ours, forged, cut, of another key or of another instance, or of
 * another version of this program.
 */
bool certdir_class_open(struct certdir_class *class, const char *text, size_t length,
			const struct certdir_class_key *key, const char *instance);

#endif
