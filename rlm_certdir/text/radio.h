/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that makers give to radios: IMEI, MEID, MAC address. Only canonical.c includes it, and knows what fillers are. */
#ifndef CERTDIR_RADIO_H
#define CERTDIR_RADIO_H

#include <stdbool.h>
#include <stddef.h>

/*
 * An IMEI (3GPP TS 23.003, 6.2) into out[16]: its 14 digits and their check digit, which people know it by. Given with 14, 15 or
 * 16 digits, these compare equal: the check digit is no part of it (networks send 0 there), and nor are the last two of 16,
 * the version of the phone's software (IMEISV). Blanks and - / . between digits are dropped. False when it is none.
 */
bool certdir_imei_read(const char *value, size_t length, char *out);

/*
 * An MEID (3GPP2 S.R0048) into out[15]: 14 hex digits, upper case. Given so, or as 18 decimal ones (ten for the first 32 bits, eight
 * for the other 24), and either with a check digit behind, which is dropped. False when it is none.
 */
bool certdir_meid_read(const char *value, size_t length, char *out);

/*
 * A station's MAC address into out[13]: 12 hex digits, upper case, as Intune writes it; colons, dashes, dots and blanks are dropped. False
 * when it is none, or nobody's for long: of a group (IEEE 802, bit 0 of the first byte), or locally administered (bit 1), as
 * what phones make up for each network.
 */
bool certdir_mac_read(const char *value, size_t length, char *out);

#endif
