/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wanted_fixture.h"

struct certdir_template spns[3], dns_host_name[1], description[1];

static struct certdir_column columns[3] = {
	{.attribute = "servicePrincipalName", .templates = spns, .template_count = 3, .folded = true, .unique = true},
	{.attribute = "dNSHostName", .templates = dns_host_name, .template_count = 1, .folded = true},
	{.attribute = "description", .templates = description, .template_count = 1},
};

struct certdir_placeholders_config make_config(const char *name)
{
	struct certdir_placeholders_config config = {
		.rules = {.name = "wifi", .columns = columns, .column_count = 3},
		.selection = {.join_types = CERTDIR_BIT(CERTDIR_JOIN_ENTRA), .require_enabled = true},
		.max_age = DAY};
	struct certdir_error why;

	assert_true(certdir_template_init(&config.cn, name, false, &why));
	assert_true(certdir_template_init(&spns[0], "host/{cn}", true, &why));
	assert_true(certdir_template_init(&spns[1], "HOST/{name}", true, &why));
	assert_true(certdir_template_init(&spns[2], "HOST/{cn}.{domain}", true, &why));
	assert_true(certdir_template_init(&dns_host_name[0], "{cn}.{domain}", true, &why));
	assert_true(certdir_template_init(&description[0], "{name} {serial_number}", true, &why));
	return config;
}

struct certdir_list_writer *wanted_begin(const char *tenant)
{
	(void)unlink(fixture_file);
	return fixture_begin(true, "a", tenant, NOW);
}

void wanted_add(struct certdir_list_writer *writer, struct certdir_device device)
{
	device.join_type = device.join_type ? device.join_type : CERTDIR_JOIN_ENTRA;
	device.enabled = device.enabled ? device.enabled : CERTDIR_YES;
	fixture_add(writer, &device);
}

void wanted_source(struct certdir_list_writer *writer, const char *name, const char *tenant)
{
	struct certdir_error error;

	if (!certdir_list_write_source(writer, name, tenant, NOW, &error))
		fail_msg("%s", error.text);
}

void wanted_list_read(const struct certdir_placeholders_config *config, const char *domain, struct certdir_arena *arena,
		      struct certdir_wanted_list *wanted)
{
	struct certdir_error error;
	struct certdir_list_snapshot *list = certdir_list_load(fixture_file, &error);
	struct certdir_list_reader *reader = list ? certdir_list_reader_get(list, &error) : NULL;

	*arena = (struct certdir_arena){0};
	if (!reader || !certdir_wanted_read(config, reader, domain, NOW, arena, wanted, &error))
		fail_msg("%s", error.text);
	certdir_list_reader_put(reader);
	certdir_list_release(list);
}
