/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same as `certdir setup` does with a sign-in, as commands for those who sign in elsewhere. They have the certificate in them, and no
 * key.
 */
#include <stdio.h>
#include <string.h>

#include "cli/setup.h"

/* The roles' ids, each with `before` and `behind` around it, and `between` them. */
static void print_roles(const struct certdir_cli_setup *setup, const char *before, const char *behind,
			const char *between)
{
	const uint32_t wanted = certdir_cli_setup_permissions(setup);
	const char *separator = "";

	for (int i = 0; i < CERTDIR_PERMISSIONS; i++) {
		if (!(wanted & CERTDIR_BIT(i)))
			continue;
		printf("%s%s%s%s", separator, before, certdir_permission_names[i].id, behind);
		separator = between;
	}
}

static void print_names(const struct certdir_cli_setup *setup)
{
	const uint32_t wanted = certdir_cli_setup_permissions(setup);

	printf("# Registers an application for certdir, and lets it read:");
	for (int i = 0; i < CERTDIR_PERMISSIONS; i++)
		if (wanted & CERTDIR_BIT(i))
			printf(" %s", certdir_permission_names[i].name);
	printf("\n");
}

static void print_az(const struct certdir_cli_setup *setup)
{
	print_names(setup);
	printf("az login --tenant %s --allow-no-subscriptions\n", setup->tenant);
	printf("cat >certdir.crt <<'END'\n%sEND\n", setup->key.certificate);
	printf("app=$(az ad app create --display-name certdir --sign-in-audience AzureADMyOrg --query appId --output "
	       "tsv)\n"
	       "az ad app credential reset --id \"$app\" --cert @certdir.crt --append\n"
	       "az ad sp create --id \"$app\"\n"
	       "az ad app permission add --id \"$app\" --api " CERTDIR_GRAPH_APPLICATION " --api-permissions ");
	print_roles(setup, "", "=Role", " ");
	printf("\naz ad app permission admin-consent --id \"$app\"\n"
	       "az ad app show --id \"$app\" --query '[appId, id]' --output tsv\n");
}

static void print_powershell(const struct certdir_cli_setup *setup)
{
	print_names(setup);
	printf("Connect-MgGraph -TenantId %s -Scopes Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All\n",
	       setup->tenant);
	printf("$key = @{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; DisplayName = 'certdir'; Key = "
	       "[Convert]::FromBase64String('%s') }\n",
	       setup->key.der);
	printf("$roles = ");
	print_roles(setup, "'", "'", ", ");
	printf("\n$access = @{ ResourceAppId = '" CERTDIR_GRAPH_APPLICATION
	       "'; ResourceAccess = @($roles | ForEach-Object { @{ Id = $_; Type = 'Role' } }) }\n"
	       "$app = New-MgApplication -DisplayName certdir -SignInAudience AzureADMyOrg -KeyCredentials $key "
	       "-RequiredResourceAccess $access\n"
	       "$sp = New-MgServicePrincipal -AppId $app.AppId\n"
	       "$graph = Get-MgServicePrincipal -Filter \"appId eq '" CERTDIR_GRAPH_APPLICATION "'\"\n"
	       "$roles | ForEach-Object { New-MgServicePrincipalAppRoleAssignedTo -ServicePrincipalId $graph.Id "
	       "-PrincipalId $sp.Id -ResourceId $graph.Id -AppRoleId $_ }\n"
	       "$app.AppId, $app.Id\n");
}

/* What belongs into certdir.conf stands behind the commands, which are meant for another computer. */
void certdir_cli_setup_print(const struct certdir_cli_setup *setup)
{
	if (strcmp(setup->options->print, "az") == 0)
		print_az(setup);
	else
		print_powershell(setup);
	printf("\n# The last command prints two ids. Then write into %s on this machine:\n"
	       "#\n"
	       "# [tenant %s]\n"
	       "# tenant_id = %s\n"
	       "# client_id = the first id\n"
	       "# object_id = the second id\n"
	       "# certificate_file = %s\n"
	       "# private_key_file = %s\n"
	       "# renew = yes\n"
	       "# intune = %s\n"
	       "# users = %s\n"
	       "# certificates = %s\n",
	       setup->options->conf, setup->name, setup->tenant, setup->key_file, setup->key_file,
	       setup->intune ? "yes" : "no", setup->users ? "yes" : "no", setup->certificates ? "yes" : "no");
	for (size_t i = 0; setup->groups && setup->groups[i]; i++)
		printf("# group = %s\n", setup->groups[i]);
	printf("#\n# and try it: certdir sync --dry-run\n");
}
