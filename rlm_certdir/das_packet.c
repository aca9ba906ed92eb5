/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "das_packet.h"

/* Error-Cause, RFC 5176, 3.5. */
enum {
	UNSUPPORTED_ATTRIBUTE = 401,
	MISSING_ATTRIBUTE = 402,
	INVALID_REQUEST = 404,
	UNSUPPORTED_SERVICE = 405,
	UNSUPPORTED_EXTENSION = 406,
	ADMINISTRATIVELY_PROHIBITED = 501,
	SESSION_CONTEXT_NOT_FOUND = 503,
	REQUEST_INITIATED = 507,
};

#define NAMED(_naming) (1U << (_naming))

/* In which requests a field of the session stands. */
static unsigned const naming_of[CERTDIR_SESSION_FIELDS] = {
	[CERTDIR_SESSION_ID] = NAMED(DAS_NAMING_SHORT) | NAMED(DAS_NAMING_USUAL) | NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_STATION] = NAMED(DAS_NAMING_SHORT) | NAMED(DAS_NAMING_USUAL) | NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_USER] = NAMED(DAS_NAMING_USUAL) | NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_NAS_IDENTIFIER] = NAMED(DAS_NAMING_USUAL) | NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_NAS_IP] = NAMED(DAS_NAMING_USUAL) | NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_NAS_IPV6] = NAMED(DAS_NAMING_USUAL) | NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_NAS_PORT] = NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_NAS_PORT_ID] = NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_MULTI_ID] = NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_CALLED_STATION] = NAMED(DAS_NAMING_FULL),
	[CERTDIR_SESSION_FRAMED_IP] = NAMED(DAS_NAMING_FULL),
};

/* Texts as the device wrote them, byte by byte; addresses and numbers are read as the server reads them. */
static bool add_field(RADIUS_PACKET *packet, char const *attribute, char const *value)
{
	DICT_ATTR const *da = dict_attrbyname(attribute);
	VALUE_PAIR *pair = da ? fr_pair_afrom_da(packet, da) : NULL;

	if (!pair)
		return false;
	if (da->type == PW_TYPE_STRING)
		fr_pair_value_strcpy(pair, value);
	else if (fr_pair_value_from_str(pair, value, strlen(value)) < 0) {
		talloc_free(pair);
		return true; /* one that cannot be sent: the others name the session, too */
	}
	fr_pair_add(&packet->vps, pair);
	return true;
}

/* The signature comes first, as of other packets since the attack on RADIUS/UDP that put its blocks there. */
static bool add_frame(RADIUS_PACKET *packet)
{
	static uint8_t const nothing[AUTH_VECTOR_LEN];
	VALUE_PAIR *const signature = fr_pair_afrom_num(packet, PW_MESSAGE_AUTHENTICATOR, 0);
	VALUE_PAIR *const timestamp = fr_pair_afrom_num(packet, PW_EVENT_TIMESTAMP, 0);

	if (!signature || !timestamp)
		return false;
	fr_pair_value_memcpy(signature, nothing, sizeof(nothing));
	fr_pair_add(&packet->vps, signature);
	timestamp->vp_date = (uint32_t)time(NULL);
	fr_pair_add(&packet->vps, timestamp);
	return true;
}

RADIUS_PACKET *das_packet_request(TALLOC_CTX *memory, struct certdir_session const *session, enum das_naming naming,
				  VALUE_PAIR *coa)
{
	RADIUS_PACKET *packet = rad_alloc(memory, false);
	bool whole = packet && add_frame(packet);

	for (unsigned i = 0; i < CERTDIR_SESSION_FIELDS && whole; i++)
		if (session->text[i] && (naming_of[i] & NAMED(naming)))
			whole = add_field(packet, certdir_session_attribute((enum certdir_session_field)i),
					  session->text[i]);
	if (!whole) {
		rad_free(&packet);
		return NULL;
	}
	packet->code = coa ? PW_CODE_COA_REQUEST : PW_CODE_DISCONNECT_REQUEST;
	if (coa)
		fr_pair_add(&packet->vps, fr_pair_list_copy(packet, coa));
	return packet;
}

/* RFC 5176, 3: an ACK or NAK of the very kind. */
bool das_packet_answers(RADIUS_PACKET *reply, RADIUS_PACKET *request, char const *secret)
{
	if (reply->code != request->code + 1 && reply->code != request->code + 2)
		return false;
	return rad_verify(reply, request, secret) == 0 && rad_decode(reply, request, secret) == 0;
}

enum certdir_order_outcome das_packet_outcome(RADIUS_PACKET const *reply, uint32_t *cause)
{
	VALUE_PAIR const *pair = fr_pair_find_by_num(reply->vps, PW_ERROR_CAUSE, 0, TAG_ANY);

	*cause = pair ? pair->vp_integer : 0;
	if (reply->code == PW_CODE_DISCONNECT_ACK || reply->code == PW_CODE_COA_ACK)
		return CERTDIR_ORDER_DONE;
	switch (*cause) {
	case SESSION_CONTEXT_NOT_FOUND:
		return CERTDIR_ORDER_GONE;
	case REQUEST_INITIATED: /* it asks for authorization anew, which is what was wanted */
		return CERTDIR_ORDER_DONE;
	case UNSUPPORTED_ATTRIBUTE:
	case MISSING_ATTRIBUTE:
	case INVALID_REQUEST:
	case UNSUPPORTED_SERVICE:
	case UNSUPPORTED_EXTENSION:
	case ADMINISTRATIVELY_PROHIBITED:
		return CERTDIR_ORDER_UNSUPPORTED;
	default:
		return CERTDIR_ORDER_REFUSED;
	}
}

bool das_packet_rename(uint32_t cause, enum das_naming *naming)
{
	if (*naming != DAS_NAMING_USUAL ||
	    (cause != UNSUPPORTED_ATTRIBUTE && cause != MISSING_ATTRIBUTE && cause != SESSION_CONTEXT_NOT_FOUND))
		return false;
	/* A session is not found either where one attribute says another thing than the device has (RFC 5176, 3). */
	*naming = cause == MISSING_ATTRIBUTE ? DAS_NAMING_FULL : DAS_NAMING_SHORT;
	return true;
}
