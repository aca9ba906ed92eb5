/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A section of placeholders without a directory: a real list of six devices, and what they get from certificates. */
#ifndef MAPPINGS_FIXTURE_H
#define MAPPINGS_FIXTURE_H

#include "placeholders/mappings.h"
#include "der_file.h"
#include "list_fixture.h"

#define KEY_PC01 "11111111-0000-4000-8000-000000000001"
#define KEY_PC02 "22222222-0000-4000-8000-000000000002"
#define KEY_TWIN "33333333-0000-4000-8000-000000000003"
#define KEY_TWIN2 "44444444-0000-4000-8000-000000000004"
#define KEY_LATE "66666666-0000-4000-8000-000000000006"
#define KEY_CN "5f0e3b0a-6c1d-4a57-9b1e-0d3c2a4b5c6d"

extern const int64_t early; /* 2026-01-01: cn-name is not valid yet, the others of the vectors are */
extern char said[16384]; /* what was logged, a line each */
extern struct certdir_placeholders_config config;
extern struct certdir_arena arena;
extern struct certdir_wanted devices[6];
extern struct certdir_wanted_list wanted;

int mappings_setup(void **state);
struct certdir_mappings *mappings_begin_forms(uint32_t forms);
struct certdir_mappings *mappings_begin(enum certdir_mapping_form form);

/* "PC01 X509:..;PC01 ended X509:..;" of what the devices have got in the forms that are asked for. */
const char *outcome(void);

#endif
