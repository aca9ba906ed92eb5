/* SPDX-License-Identifier: GPL-2.0-or-later */
/* autoconf.h includes this file, and Debian's package lacks it. It would only set feature test macros, as we do ourselves. */
