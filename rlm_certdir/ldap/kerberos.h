/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kerberos credentials out of a keytab, for one bind: of a ticket cache of their own in memory. Neither the environment of the
 * process nor what others in it do with Kerberos is touched, nor used.
 */
#ifndef CERTDIR_LDAP_KERBEROS_H
#define CERTDIR_LDAP_KERBEROS_H

#include <gssapi/gssapi.h>
#include <krb5.h>

#include "base/certdir.h"

/* Zeroed by its owner; the fields are kerberos.c's, but `credentials` is for whoever binds. */
struct certdir_kerberos {
	krb5_context context;
	krb5_ccache cache;
	gss_cred_id_t credentials;
};

/*
 * Makes credentials of the first key in `keytab`; Kerberos gets the ticket from the domain when they are first used. False
 * with Kerberos' own words. Clear it in any case, after the bind.
 */
bool certdir_kerberos_init(struct certdir_kerberos *kerberos, const char *keytab, char words[CERTDIR_TEXT_MAX]);
void certdir_kerberos_clear(struct certdir_kerberos *kerberos);

#endif
