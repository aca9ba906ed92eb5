/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check flow, start to end: certificate -> identities -> directories -> decision. Module and CLI call this. */
#ifndef CERTDIR_CHECKER_H
#define CERTDIR_CHECKER_H

#include "decision/decision.h"
#include "identity/certificate.h"

/* What the administrator configured, opened and ready. Directories, forms and sections are owned, the rest is borrowed. */
struct certdir_checker {
	uint32_t accepted; /* CERTDIR_BIT(type): `identities = ".."` */
	struct certdir_form *forms;
	size_t form_count;
	struct certdir_section *sections;
	size_t section_count;
	struct certdir_directory *directories[CERTDIR_DIRECTORIES_MAX];
	size_t directory_count;
	/* The same ones, or those of them that know people, for who is asked about people; owned. */
	struct certdir_directory *people[CERTDIR_DIRECTORIES_MAX];
	size_t people_count;
	struct certdir_policy policy;
	/* Bit d: directories[d], or people[d], is asked live whatever others say, as where names decide: again.c has ids of what names found. */
	uint32_t asked_of_devices;
	uint32_t asked_of_people;
};

/* Closes and frees what it owns, and zeroes it. No login may be under way. */
void certdir_checker_clear(struct certdir_checker *checker);
/* The part of it that certificates are read by; borrowed. */
struct certdir_rules certdir_checker_rules(const struct certdir_checker *checker);

/* One login, judged. Keeps what was read and answered, for attributes, log lines and explanations. */
struct certdir_check {
	struct certdir_certificate certificate;
	bool parsed; /* `certificate` is filled, as far as it could be read */
	struct certdir_known known; /* what was asked and found; an answer of state CERTDIR_NOT_ASKED was not needed */
	uint64_t sought; /* bit i: identities[i] was searched for */
	bool asked_for, came; /* somebody was asked for a device that no list had; and has it now */
	bool lists_alone; /* directories that are asked live were left out */
	bool tables_asked; /* the certificate itself was searched for, in the tables of issued ones */
	uint64_t deciding; /* bit i: identities[i] was among the values that decided which device it is */
	struct certdir_decision decision; /* of all of it; its records are the device's */
	/*
	 * The same of the person, over people, where the certificate is a person's; of the device's owner, where the policy asks for that.
	 * Owned, but for its certificate, which is this one's or stands in `owner`. NULL: no person was asked for.
	 */
	struct certdir_check *person;
	struct certdir_owner *owner; /* the certificate that says no more than who the owner is; owned */
};

/* What is known of the login beside its certificate. */
struct certdir_login {
	const char *user_name; /* the outer identity, untrusted bytes; NULL = none */
	size_t user_name_length;
	int64_t now; /* Unix seconds */
};

/* Judges a certificate. Always ends in a decision; certdir_check_clear() frees what `check` holds. */
void certdir_check_x509(struct certdir_check *check, const struct certdir_checker *checker, struct x509_st *x509,
			const struct certdir_login *login);
/* The same of a certificate as DER, `length` bytes that anybody may have written. */
void certdir_check_der(struct certdir_check *check, const struct certdir_checker *checker, const unsigned char *der,
		       size_t length, const struct certdir_login *login);

/* The same for a certificate whose names are in `check->certificate` already (certificate = attributes). */
void certdir_check_names(struct certdir_check *check, const struct certdir_checker *checker,
			 const struct certdir_login *login);
/* Frees what it holds, the person's check as well, and zeroes it. */
void certdir_check_clear(struct certdir_check *check);

#endif
