/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ldap/kerberos.h"

#include <string.h>

#include <gssapi/gssapi_ext.h>

/* What GSS-API says, or when that is nothing the mechanism, which says more. */
static void words_of(OM_uint32 major, OM_uint32 minor, char words[CERTDIR_TEXT_MAX])
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 more = 0, ignored;
	const bool known = minor != 0;

	if (gss_display_status(&ignored, known ? minor : major, known ? GSS_C_MECH_CODE : GSS_C_GSS_CODE, GSS_C_NO_OID,
			       &more, &text) != GSS_S_COMPLETE)
		certdir_say(words, "Kerberos has no words for its error");
	else
		certdir_say(words, "%.*s", (int)text.length, (const char *)text.value);
	(void)gss_release_buffer(&ignored, &text);
}

/* For want of a key GSS-API would only say that there are no credentials. */
static krb5_error_code find_key(krb5_context context, const char *filename)
{
	krb5_keytab keytab;
	krb5_error_code code = krb5_kt_resolve(context, filename, &keytab);

	if (code != 0)
		return code;
	code = krb5_kt_have_content(context, keytab);
	(void)krb5_kt_close(context, keytab);
	return code;
}

static bool make_cache(struct certdir_kerberos *kerberos, const char *keytab, char **name, char words[CERTDIR_TEXT_MAX])
{
	krb5_error_code code = krb5_init_context(&kerberos->context);
	const char *text;

	if (code == 0)
		code = find_key(kerberos->context, keytab);
	if (code == 0)
		code = krb5_cc_new_unique(kerberos->context, "MEMORY", NULL, &kerberos->cache);
	if (code == 0)
		code = krb5_cc_get_full_name(kerberos->context, kerberos->cache, name);
	if (code == 0)
		return true;
	/* Without a context, as when krb5.conf cannot be read, this has words, too. */
	text = krb5_get_error_message(kerberos->context, code);
	certdir_say(words, "%s", text);
	krb5_free_error_message(kerberos->context, text);
	return false;
}

bool certdir_kerberos_init(struct certdir_kerberos *kerberos, const char *keytab, char words[CERTDIR_TEXT_MAX])
{
	static gss_OID_desc krb5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"}; /* RFC 1964 1 */
	gss_OID_set_desc mechanisms = {1, &krb5};
	gss_key_value_element_desc elements[] = {{"client_keytab", keytab}, {"ccache", NULL}};
	const gss_key_value_set_desc store = {2, elements};
	OM_uint32 major, minor;
	char *name;

	if (!make_cache(kerberos, keytab, &name, words))
		return false;
	elements[1].value = name;
	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE, &store,
				      &kerberos->credentials, NULL, NULL);
	krb5_free_string(kerberos->context, name);
	if (major == GSS_S_COMPLETE)
		return true;
	words_of(major, minor, words);
	return false;
}

void certdir_kerberos_clear(struct certdir_kerberos *kerberos)
{
	OM_uint32 ignored;

	(void)gss_release_cred(&ignored, &kerberos->credentials);
	if (kerberos->cache)
		(void)krb5_cc_destroy(kerberos->context, kerberos->cache);
	if (kerberos->context)
		krb5_free_context(kerberos->context);
	*kerberos = (struct certdir_kerberos){.context = NULL};
}
