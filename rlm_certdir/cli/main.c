/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/commands.h"
#include "cli/sessions.h"
#include "cli/visible.h"
#include "conf/conf.h"

#define LIST_DEFAULT "/var/lib/certdir/devices.db"

static const char usage[] =
	"usage: certdir check [--raddb DIR] [--module NAME] [--list FILE] [--json] CERT...\n"
	"       certdir list show|find|stats|sources|changes|import|remove|export|verify [--list FILE] ...\n"
	"       certdir sync [-c FILE] [--full] [--force] [--dry-run] [--interval DURATION] [--json]\n"
	"       certdir sync --now [-c FILE]\n"
	"       certdir placeholders plan|apply|export [-c FILE] [--force] [--json] [NAME]\n"
	"       certdir profiles [-c FILE] [--from DIR] [--list FILE] [--raddb DIR] [--json] ...\n"
	"       certdir replay --log FILE... [--raddb DIR] [--module NAME] [--list FILE] [--json]\n"
	"       certdir report [-c FILE | --list FILE] [--log FILE].. -o FILE\n"
	"       certdir sessions list|release [--json|--prometheus] [FILE]\n"
	"       certdir setup [-c FILE] [--tenant DOMAIN|GUID] [--name NAME] [--features LIST] [--group NAME].. ..\n"
	"       certdir status [-c FILE] [--json|--prometheus]\n"
	"       certdir doctor [-c FILE] [--raddb DIR] [--json]\n"
	"       certdir --version\n"
	"\n"
	"check         explain what the RADIUS server would decide about a client certificate, and why\n"
	"list          look into the device list, fill it, verify it\n"
	"sync          fill the device list from Entra ID and Intune\n"
	"placeholders  keep computer accounts, or other entries, for the devices of the list\n"
	"profiles      tell what is wrong with Intune's certificate and Wi-Fi profiles, before a device fails\n"
	"replay        decide recorded logins anew, by another policy or list, and show what would change\n"
	"report        write what the list and recorded logins come to into one page of HTML\n"
	"sessions      show the sessions that the RADIUS server knows and ends\n"
	"setup         register certdir in Entra ID, write certdir.conf, and show what the RADIUS server needs\n"
	"status        tell when each tenant was synced, and what went wrong\n"
	"doctor        look at all of it, from the server to Graph, and say what mends what is wrong\n"
	"\n"
	"certdir COMMAND --help tells more; so does certdir(1).\n";

static const char list_usage[] =
	"usage: certdir list show|find|stats|sources|changes|import|remove|export|verify [--list FILE] ..\n"
	"\n"
	"show ID|NAME   everything about a device\n"
	"find VALUE     devices by any identity\n"
	"stats          how many, of which kind, how old\n"
	"sources        tenants and imports, and their ages\n"
	"changes        what changed, and when\n"
	"import FILE    fill the list from JSON or CSV\n"
	"remove         take a source out of the list\n"
	"export         write it as JSON or CSV\n"
	"verify         check seal, database and ids\n"
	"\n"
	"The list is " LIST_DEFAULT " when --list does not say otherwise.\n"
	"`certdir list COMMAND --help` tells more; so does certdir-list(1).\n";

static const char placeholders_usage[] =
	"usage: certdir placeholders plan|apply [-c FILE] [--force] [--json] [NAME]\n"
	"       certdir placeholders adopt [-c FILE] [--apply] [--json] --pattern TEMPLATE NAME\n"
	"       certdir placeholders export --sids [-c FILE] [--json] [NAME]\n"
	"       certdir placeholders undo [-c FILE] [--dry-run] [--json] UNDO-FILE\n"
	"\n"
	"Keeps an entry in a directory for each device of the list, as [placeholders NAME] of certdir.conf(5) says:\n"
	"computer accounts of Active Directory for NPS, or entries that RADIUS servers read over LDAP.\n"
	"\n"
	"plan   show what is to be done, and why; change nothing\n"
	"apply  show it and do it\n"
	"adopt  show which computers that something else made are accounts of devices; with --apply make them ours\n"
	"export print CSV with the SID of each device's account, for a CA that writes it into certificates\n"
	"undo   take back what an apply did, as far as the entries are still what it left\n"
	"\n"
	"  -c FILE   the configuration (" CERTDIR_CONF_DEFAULT ")\n"
	"  --force   go on although more would be lost, renamed or moved than max_remove allows\n"
	"  --apply   adopt: do it\n"
	"  --dry-run undo: show what would be taken back, and change nothing\n"
	"  --pattern TEMPLATE   adopt: what the computers are called, such as {entra_device_id}\n"
	"  --json    print one JSON object a line\n"
	"  NAME      only this section\n";

static const char show_usage[] =
	"usage: certdir list show [--list FILE] [--json] ID|NAME\n"
	"\n"
	"Prints everything that the list knows about each device with this id, name, DNS name, SID or serial number.\n";

static const char find_usage[] = "usage: certdir list find [--list FILE] [--json] VALUE\n"
				 "\n"
				 "Prints a line for each device that carries VALUE as any of its identities, the way "
				 "certificates are looked up.\n";

static const char stats_usage[] =
	"usage: certdir list stats [--list FILE] [--json]\n"
	"\n"
	"Counts devices: by source and age, enabled, managed, compliant, join type, and which identities they have.\n";

static const char sources_usage[] =
	"usage: certdir list sources [--list FILE] [--json]\n"
	"\n"
	"Prints a line for each source: a tenant or an import, how many devices it has, and how old each part is.\n";

static const char remove_usage[] = "usage: certdir list remove --source NAME [--list FILE] [--dry-run] [--json]\n"
				   "\n"
				   "Removes a source and all its devices: a tenant that certdir.conf no longer names, "
				   "an import that nobody needs.\n";

static const char changes_usage[] =
	"usage: certdir list changes [--list FILE] [--since 2d|2026-11-01T00:00:00Z] [--json]\n"
	"\n"
	"Prints what changed since then (24h ago): devices added, removed, enabled, renamed, compliance, groups.\n";

static const char import_usage[] =
	"usage: certdir list import [--list FILE] [--source NAME] [--tenant GUID] [--good-for 30d]\n"
	"                           [--format json|csv] [--replace] [--force] [--dry-run] [--json] FILE|-\n"
	"\n"
	"Puts the devices of FILE in the place of those that the source had; other sources stay as they are.\n"
	"FILE is JSON as Microsoft Graph or `Get-MgDevice -All | ConvertTo-Json` write it, or CSV with a header of "
	"the\n"
	"same names, or an export of Jamf Pro, Intune, Entra ID, Windows Autopilot or Google. A file that lacks more "
	"than a\n"
	"tenth of the devices that the source has is not published: exit code 3.\n"
	"\n"
	"  --source NAME   whose devices these are (import)\n"
	"  --tenant GUID   the Entra tenant that all of them are of\n"
	"  --good-for T    they stay fresh for so long, whatever max_age says; kept until it is given anew, 0 ends it\n"
	"  --format F      json or csv; told by the name or the content when not given\n"
	"  --certificates  FILE is a table of issued certificates: Intune's report (CSV or zip), or a CA's CSV\n"
	"  --replace       start from an empty list: other sources, and a damaged list, are gone\n"
	"  --force         publish it, however many devices are gone\n"
	"  --dry-run       read and check everything, publish nothing\n";

static const char export_usage[] =
	"usage: certdir list export [--list FILE] [--format json|csv]\n"
	"\n"
	"Prints all devices in the form that import reads; json when --format is not given.\n";

static const char verify_usage[] = "usage: certdir list verify [--list FILE] [--json]\n"
				   "\n"
				   "Checks the seal, the database image, and that no id or serial number stands in "
				   "several devices of one source.\n"
				   "Exit code 1 when something is wrong.\n";

static const char check_usage[] =
	"usage: certdir check [--raddb DIR] [--module NAME] [--list FILE] [--json] [--name HOST] [--user-name NAME] "
	"CERT...\n"
	"\n"
	"CERT is a PEM or DER file, or a PEM file of several client certificates, or - for standard input.\n"
	"\n"
	"  --raddb DIR       judge as the RADIUS server with this configuration does (/etc/freeradius/3.0, "
	"/etc/raddb)\n"
	"  --module NAME     the instance, where there are several: certdir NAME { }\n"
	"  --list FILE       judge by this device list and the default policy, without a server's configuration\n"
	"  --user-name NAME  the outer identity of the login, for policy { user_name = match }\n"
	"  --name HOST       also tell whether ConfigMgr's client would take the certificate on the computer HOST\n"
	"  --json            one JSON object a certificate and line\n"
	"\n"
	"exit status: 0 all allowed, 1 some denied, 2 some undecided because a directory cannot answer, 64 usage,\n"
	"             65 a certificate cannot be read, 78 the configuration has mistakes\n";

static const char sync_usage[] =
	"usage: certdir sync [-c FILE] [--full] [--force] [--dry-run] [--interval DURATION] [--json]\n"
	"       certdir sync --now [-c FILE]\n"
	"\n"
	"Fills the device list from Entra ID and Intune, as certdir.conf(5) says.\n"
	"\n"
	"  -c FILE              the configuration (" CERTDIR_CONF_DEFAULT ")\n"
	"  --full               list everything anew instead of what changed\n"
	"  --force              publish although many devices would be lost\n"
	"  --dry-run            show what would change, publish nothing\n"
	"  --interval DURATION  stay, and sync each DURATION (60s, 15m)\n"
	"  --now                have the one that stays sync now\n"
	"  --json               print the report as one JSON object\n";

static const char profiles_usage[] =
	"usage: certdir profiles [-c FILE] [--save DIR] [--list FILE] [--raddb DIR] [--radius-certificate FILE] "
	"[--json]\n"
	"                        [TENANT]\n"
	"       certdir profiles --from DIR [--list FILE] [--raddb DIR] [--radius-certificate FILE] [--json]\n"
	"\n"
	"Tells what certdir will read from the certificates of Intune's profiles, and what will go wrong with them.\n"
	"\n"
	"  -c FILE      the configuration (" CERTDIR_CONF_DEFAULT "), for Graph\n"
	"  --save DIR   keep Graph's answers there, for --from\n"
	"  --from DIR   read saved answers instead of asking Graph\n"
	"  --list FILE  count the devices of this list; that of the configuration when not given\n"
	"  --raddb DIR  also look whether the RADIUS server with this configuration takes the certificates\n"
	"  --radius-certificate FILE  also look whether Wi-Fi and wired profiles take this server certificate (PEM or "
	"DER,\n"
	"               with the intermediate CAs that the server sends); that of --raddb when not given\n"
	"  --json       print one JSON object\n"
	"  TENANT       of the configuration, where it has several\n"
	"\n"
	"exit status: 0 nothing is wrong, 1 something is, 64 usage, 65 an answer or certificate cannot be read, 66 no "
	"such\n"
	"             list or file, 69 Graph does not answer, 78 the configuration has mistakes\n";

static const char sessions_usage[] =
	"usage: certdir sessions list [--json|--prometheus] [FILE]\n"
	"       certdir sessions release [FILE]\n"
	"\n"
	"list     show the sessions that the RADIUS server knows, and what it ordered about them\n"
	"release  end those that it holds, because more devices are denied than max_disconnect lets out\n"
	"\n"
	"  --json        print one JSON object a session and line\n"
	"  --prometheus  print how many there are, for the node exporter's textfile collector\n"
	"  FILE          filename of sessions { } (/var/lib/certdir-radiusd/certdir.sessions)\n"
	"\n"
	"exit status: 0, 1 some are held (list) or none is (release), 64 usage, 66 no such file, 69 no server reads "
	"it,\n"
	"             73 it cannot be written\n";

static const char report_usage[] =
	"usage: certdir report [-c FILE | --list FILE] [--log FILE]... -o FILE\n"
	"\n"
	"Writes what the device list and journals come to into one page of HTML: devices, changes, logins by day and\n"
	"reason, who is refused most, names of several devices, certificates that end, and the age of each source.\n"
	"\n"
	"  -c FILE      the configuration that names the list (" CERTDIR_CONF_DEFAULT ")\n"
	"  --list FILE  this device list instead\n"
	"  --log FILE   a journal, certdir-journal(5), or - for standard input; of 30 days it is shown\n"
	"  -o FILE      the page, which is made with mode 0640; it has names of devices and people\n"
	"\n"
	"exit status: 0 it is written, 64 usage, 66 no such list or journal, 73 the page cannot be written,\n"
	"             78 the configuration has mistakes\n";

static const char replay_usage[] =
	"usage: certdir replay --log FILE... [--raddb DIR] [--module NAME] [--list FILE] [--json]\n"
	"\n"
	"Decides the logins of journals, certdir-journal(5), anew as if they came now, and prints what would change.\n"
	"FILE is a journal, or - for standard input.\n"
	"\n"
	"  --raddb DIR    decide as the RADIUS server with this configuration does (/etc/freeradius/3.0, /etc/raddb)\n"
	"  --module NAME  the instance, where there are several: certdir NAME { }; only its logins are decided\n"
	"  --list FILE    decide by this device list, however old it is, and the default policy\n"
	"  --json         print one JSON object\n"
	"\n"
	"exit status: 0 nothing changes, 1 something does, 64 usage, 65 no login in it can be decided, 66 no such "
	"file,\n"
	"             78 the configuration has mistakes\n";

static const char setup_usage[] =
	"usage: certdir setup [-c FILE] [--tenant DOMAIN|GUID] [--name NAME] [--features LIST] [--group NAME]..\n"
	"                     [--cloud NAME] [--raddb DIR] [--write-raddb]\n"
	"       certdir setup --print az|powershell [-c FILE] [--tenant DOMAIN|GUID] ..\n"
	"\n"
	"Makes a key and a certificate, has an administrator sign in, registers an application with the certificate, "
	"grants "
	"it\n"
	"what it needs to read, and writes certdir.conf. Asks for what the options do not say. Run again, it mends "
	"what lacks.\n"
	"\n"
	"  -c FILE          the configuration that is written (" CERTDIR_CONF_DEFAULT ")\n"
	"  --tenant NAME    the tenant, by one of its domains or its id\n"
	"  --name NAME      what it is called in certdir.conf and in the list\n"
	"  --features LIST  what is read beside devices: intune, users, certificates, profiles; or none\n"
	"  --group NAME     a group whose members are to be known; may be repeated\n"
	"  --cloud NAME     global, us-l4, us-dod or china\n"
	"  --raddb DIR      the RADIUS server's configuration (/etc/freeradius/3.0, /etc/raddb)\n"
	"  --write-raddb    enable certdir there without asking\n"
	"  --print TOOL     make the key, and print commands for az or powershell that do the rest elsewhere\n"
	"\n"
	"exit status: 0, 1 an administrator has to consent yet, 64 usage, 69 Entra ID or Graph refuses, 73 a file "
	"cannot be\n"
	"             written, 75 it does not work yet, 78 the configuration has mistakes\n";

static const char status_usage[] =
	"usage: certdir status [-c FILE] [--sessions FILE] [--json|--prometheus]\n"
	"\n"
	"Tells of each tenant when it was synced, how many devices it has, and what went wrong; and of held sessions.\n"
	"\n"
	"  -c FILE          the configuration (" CERTDIR_CONF_DEFAULT ")\n"
	"  --sessions FILE  filename of sessions { } (" CERTDIR_CLI_SESSIONS_DEFAULT ")\n"
	"  --json           print one JSON object\n"
	"  --prometheus     print metrics for the node exporter's textfile collector\n";

static const char doctor_usage[] =
	"usage: certdir doctor [-c FILE] [--raddb DIR] [--json]\n"
	"\n"
	"Looks at all that a login needs: the server, its certificate, lists, LDAP servers, the sync, Graph, sessions. "
	"One line each: right,\n"
	"wrong, a warning, or not looked at; below what is wrong, the command or the line that mends it. It changes "
	"nothing. Run it as root.\n"
	"\n"
	"  -c FILE      the configuration of the sync (" CERTDIR_CONF_DEFAULT ")\n"
	"  --raddb DIR  the configuration of the server (/etc/freeradius/3.0, /etc/raddb)\n"
	"  --json       print one JSON object\n"
	"\n"
	"exit status: 0 all is right, 1 something is wrong, 2 there are warnings, 64 usage\n";

static const struct certdir_cli_command list_commands[] = {
	{.name = "show", .takes = "lj", .least = 1, .most = 1, .run = certdir_cli_list_show, .usage = show_usage},
	{.name = "find", .takes = "lj", .least = 1, .most = 1, .run = certdir_cli_list_find, .usage = find_usage},
	{.name = "stats", .takes = "lj", .run = certdir_cli_list_stats, .usage = stats_usage},
	{.name = "sources", .takes = "lj", .run = certdir_cli_list_sources, .usage = sources_usage},
	{.name = "remove", .takes = "ljsd", .needs = "s", .run = certdir_cli_list_remove, .usage = remove_usage},
	{.name = "changes", .takes = "ljS", .run = certdir_cli_list_changes, .usage = changes_usage},
	{.name = "import",
	 .takes = "ljstgfRFdC",
	 .least = 1,
	 .most = 1,
	 .run = certdir_cli_list_import,
	 .usage = import_usage},
	{.name = "export", .takes = "lf", .run = certdir_cli_list_export, .usage = export_usage},
	{.name = "verify", .takes = "lj", .run = certdir_cli_list_verify, .usage = verify_usage},
	{NULL},
};

static const struct certdir_cli_command placeholders_commands[] = {
	{.name = "plan", .takes = "cFj", .most = 1, .run = certdir_cli_placeholders_plan},
	{.name = "apply", .takes = "cFj", .most = 1, .run = certdir_cli_placeholders_apply},
	{.name = "adopt", .takes = "cFjap", .needs = "p", .least = 1, .most = 1, .run = certdir_cli_placeholders_adopt},
	{.name = "export", .takes = "cFjI", .needs = "I", .most = 1, .run = certdir_cli_placeholders_export},
	{.name = "undo", .takes = "cdj", .least = 1, .most = 1, .run = certdir_cli_placeholders_undo},
	{NULL},
};

static const struct certdir_cli_command sessions_commands[] = {
	{.name = "list", .takes = "jP", .most = 1, .run = certdir_cli_sessions_list},
	{.name = "release", .takes = "", .most = 1, .run = certdir_cli_sessions_release},
	{NULL},
};

static const struct certdir_cli_command commands[] = {
	{.name = "check",
	 .takes = "rmlnuj",
	 .least = 1,
	 .most = SIZE_MAX,
	 .run = certdir_cli_check,
	 .usage = check_usage},
	{.name = "list", .takes = "ljstfgSdFRC", .usage = list_usage, .list = LIST_DEFAULT, .group = list_commands},
	{.name = "sync", .takes = "cAFdijN", .run = certdir_cli_sync, .usage = sync_usage},
	{.name = "placeholders", .takes = "cFdjapI", .usage = placeholders_usage, .group = placeholders_commands},
	{.name = "profiles", .takes = "cxvlrkj", .most = 1, .run = certdir_cli_profiles, .usage = profiles_usage},
	{.name = "replay",
	 .takes = "Lrmlj",
	 .least = 1,
	 .most = SIZE_MAX,
	 .run = certdir_cli_replay,
	 .usage = replay_usage},
	{.name = "report",
	 .takes = "clLo",
	 .needs = "o",
	 .most = SIZE_MAX,
	 .run = certdir_cli_report,
	 .usage = report_usage},
	{.name = "sessions", .takes = "jP", .usage = sessions_usage, .group = sessions_commands},
	{.name = "setup", .takes = "ctneGOrwT", .most = 64, .run = certdir_cli_setup, .usage = setup_usage},
	{.name = "status", .takes = "cqjP", .run = certdir_cli_status, .usage = status_usage},
	{.name = "doctor", .takes = "crj", .run = certdir_cli_doctor, .usage = doctor_usage},
	{NULL},
};

/* Whoever reads what was printed must not take the half of it for all: no command looks at that by itself. */
int main(int argc, char **argv)
{
	int code;
	bool failed;

	certdir_cli_visible_begin();
	code = certdir_cli_run(commands, usage, argc, argv);
	failed = ferror(stdout);
	if (fflush(stdout) == 0 && !failed)
		return code;
	fprintf(stderr, "certdir: standard output cannot be written%s%s\n", failed ? "" : ": ",
		failed ? "" : strerror(errno));
	return EX_IOERR;
}
