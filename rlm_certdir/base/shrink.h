/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shrink guard: an export that came short must not take the other devices' place, nor a mistake most accounts. */
#ifndef CERTDIR_SHRINK_H
#define CERTDIR_SHRINK_H

#include <stdbool.h>
#include <stddef.h>

enum {
	CERTDIR_SHRINK = 10, /* per cent of its devices that a source may lose in one edition */
	CERTDIR_SHRINK_FLOOR = 5 /* so many may always go, unless they are all of several */
};

/*
 * Whether losing `lost` of `before` is believable: at most `max_shrink` per cent (100 = anything), or at most the floor, and not all
 * of several. One rule for devices, Intune records and memberships, synced or imported.
 */
bool certdir_shrink_allowed(size_t before, size_t lost, unsigned max_shrink);

#endif
