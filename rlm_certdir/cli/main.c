/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/sessions.h"
#include "cli/visible.h"
#include "conf/conf.h"

#define LIST_DEFAULT "/var/lib/certdir/devices.db"

static const char usage[] = "usage: certdir check [--raddb DIR | --list FILE] [--json] CERT..\n"
			    "       certdir list COMMAND [--list FILE] ..\n"
			    "       certdir sync [-c FILE] [--full] [--interval DURATION] [--json] ..\n"
			    "       certdir placeholders plan|apply|adopt|export|undo [-c FILE] ..\n"
			    "       certdir profiles [-c FILE | --from DIR] [--json] ..\n"
			    "       certdir replay --log FILE.. [--raddb DIR | --list FILE] [--json]\n"
			    "       certdir report [-c FILE | --list FILE] [--log FILE].. -o FILE\n"
			    "       certdir sessions list|release [--json] [FILE]\n"
			    "       certdir setup [-c FILE] [--tenant DOMAIN|GUID] ..\n"
			    "       certdir status [-c FILE] [--json|--prometheus]\n"
			    "       certdir doctor [-c FILE] [--raddb DIR] [--json]\n"
			    "       certdir --version\n"
			    "\n"
			    "check         explain what the RADIUS server would decide about a certificate\n"
			    "list          look into the device list, fill it, verify it\n"
			    "sync          fill the device list from Entra ID and Intune\n"
			    "placeholders  keep computer accounts, or other entries, for listed devices\n"
			    "profiles      find mistakes in Intune's certificate and Wi-Fi profiles\n"
			    "replay        decide recorded logins again, by another policy or list\n"
			    "report        write a page of HTML about the list and recorded logins\n"
			    "sessions      show the sessions that the RADIUS server knows and ends\n"
			    "setup         register certdir in Entra ID and write certdir.conf\n"
			    "status        show when each tenant was synced, and what went wrong\n"
			    "doctor        check everything that a login needs, and say how to mend it\n"
			    "\n"
			    "`certdir help COMMAND` says more; so does certdir(1).\n";

static const char list_usage[] = "usage: certdir list show|find|stats|sources|changes [--list FILE] ..\n"
				 "       certdir list import|remove|export|verify [--list FILE] ..\n"
				 "\n"
				 "show ID|NAME   everything about a device\n"
				 "find VALUE     devices by any identity, or all\n"
				 "stats          how many, of which kind, how old\n"
				 "sources        tenants and imports, and their ages\n"
				 "changes        what changed, and when\n"
				 "import FILE    fill the list from JSON or CSV\n"
				 "remove         take a source out of the list\n"
				 "export         print the list as JSON or CSV\n"
				 "verify         check seal, database and ids\n"
				 "\n"
				 "The list is " LIST_DEFAULT " without --list.\n"
				 "`certdir help list COMMAND` says more; so does certdir-list(1).\n";

static const char placeholders_usage[] =
	"usage: certdir placeholders plan|apply [-c FILE] [--force] [--json] [NAME]\n"
	"       certdir placeholders adopt [-c FILE] [--apply] [--json]\n"
	"                                  --pattern TEMPLATE NAME\n"
	"       certdir placeholders export --sids [-c FILE] [--json] [NAME]\n"
	"       certdir placeholders undo [-c FILE] [--dry-run] [--json] UNDO-FILE\n"
	"\n"
	"Keeps an entry in a directory for each device of the list, as the section\n"
	"[placeholders NAME] of certdir.conf(5) says: computer accounts of Active\n"
	"Directory for NPS, or entries that RADIUS servers read over LDAP.\n"
	"\n"
	"plan    show what would be done, and why; change nothing\n"
	"apply   show it and do it\n"
	"adopt   show which existing computers are accounts of devices; with --apply\n"
	"        certdir takes them over\n"
	"export  print CSV with the SID of each device's account, for a CA that writes\n"
	"        it into certificates\n"
	"undo    take back what an apply did, where nobody changed the entries since\n"
	"\n"
	"  -c FILE             the configuration (" CERTDIR_CONF_DEFAULT ")\n"
	"  --force             go on although more would be lost, renamed or moved than\n"
	"                      max_remove allows\n"
	"  --apply             adopt: do it\n"
	"  --dry-run           undo: show what would be taken back, change nothing\n"
	"  --pattern TEMPLATE  adopt: what the computers are called, as\n"
	"                      {entra_device_id}\n"
	"  --sids              export: the SIDs\n"
	"  --json              print one JSON object a line\n"
	"  NAME                only this section\n";

static const char show_usage[] = "usage: certdir list show [--list FILE] [--json] ID|NAME\n"
				 "\n"
				 "Prints everything that the list knows about each device with this id, name,\n"
				 "DNS name, SID or serial number.\n"
				 "\n"
				 "exit status: 0, 1 there is none, 64 usage, 66 no usable list\n";

static const char find_usage[] = "usage: certdir list find [--list FILE] [--source NAME] [--join TYPE]\n"
				 "                         [--disabled] [--noncompliant] [--stale] [--json]\n"
				 "                         VALUE|PREFIX*|--all\n"
				 "\n"
				 "Prints a line for each device that has VALUE as any of its identities, looked\n"
				 "up as names in certificates are; or whose name, serial number or an id begins\n"
				 "with PREFIX ('PC-*', quoted because of the shell); or for all. With one of\n"
				 "these options it need not be said that all are meant:\n"
				 "\n"
				 "  --source NAME   only devices of this tenant or import\n"
				 "  --join TYPE     only devices that are joined so: entra, hybrid, registered, ad\n"
				 "                  or unknown\n"
				 "  --disabled      only devices that are disabled\n"
				 "  --noncompliant  only devices that are not compliant\n"
				 "  --stale         only devices that their source lists no more, and that the list\n"
				 "                  keeps for a while\n"
				 "\n"
				 "A terminal gets the columns that fit into it; a pipe and --json get all.\n"
				 "\n"
				 "exit status: 0, 1 there is none, 64 usage, 66 no usable list\n";

static const char stats_usage[] = "usage: certdir list stats [--list FILE] [--json]\n"
				  "\n"
				  "Counts devices: by source and age, enabled, managed, compliant, join type, and\n"
				  "which identities they have.\n";

static const char sources_usage[] = "usage: certdir list sources [--list FILE] [--json]\n"
				    "\n"
				    "Prints each source, a tenant or an import: how many devices it has, and how old\n"
				    "each part is.\n";

static const char remove_usage[] = "usage: certdir list remove --source NAME [--list FILE] [--signing-key FILE]\n"
				   "                           [--dry-run] [--json]\n"
				   "\n"
				   "Removes a source and all its devices: a tenant that certdir.conf no longer\n"
				   "names, or an import that nobody needs.\n"
				   "\n"
				   "exit status: 0, 1 there is no such source, 64 usage, 66 no usable list,\n"
				   "             73 the list cannot be written\n";

static const char changes_usage[] = "usage: certdir list changes [--list FILE] [--since 2d|2026-11-01T00:00:00Z]\n"
				    "                            [--json]\n"
				    "\n"
				    "Prints what changed since then (24h ago): devices added, removed, enabled,\n"
				    "renamed; compliance; groups.\n";

static const char import_usage[] = "usage: certdir list import [--list FILE] [--source NAME] [--tenant GUID]\n"
				   "                           [--good-for 30d] [--format json|csv] [--replace]\n"
				   "                           [--force] [--signing-key FILE] [--dry-run] [--json]\n"
				   "                           FILE|-\n"
				   "       certdir list import --certificates [--list FILE] [--source NAME] ..\n"
				   "                           FILE|-\n"
				   "\n"
				   "The devices of FILE replace those that the source had; other sources stay as\n"
				   "they are. FILE is JSON as Microsoft Graph writes it, or\n"
				   "`Get-MgDevice -All | ConvertTo-Json`; or CSV with a header of the same names;\n"
				   "or an export of Jamf Pro, Intune, Entra ID, Windows Autopilot or Google.\n"
				   "A file that lacks more than a tenth of the devices that the source has is not\n"
				   "published: exit code 3.\n"
				   "\n"
				   "  --source NAME   whose devices these are (import)\n"
				   "  --tenant GUID   the Entra tenant of all of them\n"
				   "  --good-for T    they stay fresh for so long, whatever max_age says; it is\n"
				   "                  kept until it is given again, 0 ends it\n"
				   "  --format F      json or csv; else the name or the content decides\n"
				   "  --certificates  FILE is a table of issued certificates: Intune's report (CSV\n"
				   "                  or zip), or a CA's CSV\n"
				   "  --replace       start with an empty list: other sources, and a damaged list,\n"
				   "                  are gone\n"
				   "  --force         publish it, however many devices are gone\n"
				   "  --signing-key F sign the list with this private key; a list that is signed\n"
				   "                  has to stay so\n"
				   "  --dry-run       read and check everything, publish nothing\n"
				   "  --json          print the result as one JSON object\n";

static const char export_usage[] = "usage: certdir list export [--list FILE] [--format json|csv]\n"
				   "\n"
				   "Prints all devices in the form that import reads; JSON without --format.\n";

static const char verify_usage[] = "usage: certdir list verify [--list FILE] [--public-key FILE] [--json]\n"
				   "\n"
				   "Checks the seal, the database image, and that no id or serial number stands in\n"
				   "several devices of one source. With --public-key also that the list is signed\n"
				   "with that key.\n"
				   "\n"
				   "exit status: 0, 1 something is wrong, 64 usage\n";

static const char check_usage[] = "usage: certdir check [--raddb DIR] [--module NAME] [--list FILE] [--json]\n"
				  "                     [--name HOST] [--user-name NAME] CERT..\n"
				  "\n"
				  "CERT is a PEM or DER file, a PEM file of several client certificates, or - for\n"
				  "standard input.\n"
				  "\n"
				  "  --raddb DIR       judge as the RADIUS server with this configuration does\n"
				  "                    (/etc/freeradius/3.0, /etc/raddb)\n"
				  "  --module NAME     the instance, where there are several: certdir NAME { }\n"
				  "  --list FILE       judge by this device list and the default policy, without\n"
				  "                    a server's configuration\n"
				  "  --user-name NAME  the outer identity of the login, for\n"
				  "                    policy { user_name = match }\n"
				  "  --name HOST       also say whether ConfigMgr's client would take the\n"
				  "                    certificate on the computer HOST\n"
				  "  --json            print one JSON object a certificate and line\n"
				  "\n"
				  "exit status: 0 all allowed, 1 some denied, 2 some undecided because a directory\n"
				  "             cannot answer, 64 usage, 65 a certificate cannot be read,\n"
				  "             78 the configuration has mistakes\n";

static const char sync_usage[] = "usage: certdir sync [-c FILE] [--full] [--force] [--dry-run]\n"
				 "                    [--interval DURATION] [--json]\n"
				 "       certdir sync --now [-c FILE]\n"
				 "\n"
				 "Fills the device list from Entra ID and Intune, as certdir.conf(5) says.\n"
				 "\n"
				 "  -c FILE              the configuration (" CERTDIR_CONF_DEFAULT ")\n"
				 "  --full               fetch everything again instead of what changed\n"
				 "  --force              publish although many devices would be lost\n"
				 "  --dry-run            show what would change, publish nothing\n"
				 "  --interval DURATION  stay, and sync each DURATION (60s, 15m)\n"
				 "  --now                have the one that stays sync now\n"
				 "  --json               print the report as one JSON object\n"
				 "\n"
				 "exit status: certdir-sync(1)\n";

static const char profiles_usage[] = "usage: certdir profiles [-c FILE] [--save DIR] [--list FILE] [--raddb DIR]\n"
				     "                        [--radius-certificate FILE] [--json] [TENANT]\n"
				     "       certdir profiles --from DIR [--list FILE] [--raddb DIR]\n"
				     "                        [--radius-certificate FILE] [--json]\n"
				     "\n"
				     "Shows what certdir will read from the certificates of Intune's profiles, and\n"
				     "what will go wrong with them.\n"
				     "\n"
				     "  -c FILE      the configuration (" CERTDIR_CONF_DEFAULT "), for Graph\n"
				     "  --save DIR   keep Graph's answers there, for --from\n"
				     "  --from DIR   read saved answers instead of asking Graph\n"
				     "  --list FILE  count the devices of this list; else that of the configuration\n"
				     "  --raddb DIR  also check whether the RADIUS server with this configuration\n"
				     "               takes the certificates\n"
				     "  --radius-certificate FILE\n"
				     "               also check whether Wi-Fi and wired profiles take this server\n"
				     "               certificate (PEM or DER, with the intermediate CAs that the\n"
				     "               server sends); else that of --raddb\n"
				     "  --json       print one JSON object\n"
				     "  TENANT       of the configuration, where it has several\n"
				     "\n"
				     "exit status: 0 nothing is wrong, 1 something is, 64 usage, 65 an answer or a\n"
				     "             certificate cannot be read, 66 no such list or file, 69 Graph does\n"
				     "             not answer, 78 the configuration has mistakes\n";

static const char sessions_usage[] = "usage: certdir sessions list [--json] [FILE]\n"
				     "       certdir sessions release [FILE]\n"
				     "\n"
				     "list     show the sessions that the RADIUS server knows, and what it ordered\n"
				     "         about them\n"
				     "release  end those that it holds because more devices are denied than\n"
				     "         max_disconnect lets out\n"
				     "\n"
				     "  --json  print one JSON object a session and line\n"
				     "  FILE    filename of sessions { } (/var/lib/certdir-radiusd/certdir.sessions)\n"
				     "\n"
				     "exit status: 0, 1 some are held (list) or none is (release), 64 usage, 66 no\n"
				     "             such file, 69 no server reads it, 73 it cannot be written\n";

static const char report_usage[] = "usage: certdir report [-c FILE | --list FILE] [--log FILE].. -o FILE\n"
				   "\n"
				   "Writes one page of HTML about the device list and journals: devices, changes,\n"
				   "logins by day and reason, who is refused most, names that several devices have,\n"
				   "certificates that end, and the age of each source.\n"
				   "\n"
				   "  -c FILE      the configuration that names the list\n"
				   "               (" CERTDIR_CONF_DEFAULT ")\n"
				   "  --list FILE  this device list instead\n"
				   "  --log FILE   a journal, certdir-journal(5), or - for standard input; its last\n"
				   "               30 days are shown\n"
				   "  -o FILE      the page. It is made with mode 0640: it has names of devices and\n"
				   "               people. - is standard output\n"
				   "\n"
				   "exit status: 0 it is written, 64 usage, 66 no such list or journal, 73 the page\n"
				   "             cannot be written, 78 the configuration has mistakes\n";

static const char replay_usage[] = "usage: certdir replay --log FILE.. [--raddb DIR] [--module NAME] [--list FILE]\n"
				   "                      [--json]\n"
				   "\n"
				   "Decides the logins of journals, certdir-journal(5), again as if they came now,\n"
				   "and prints what would change.\n"
				   "\n"
				   "  --log FILE     a journal, or - for standard input\n"
				   "  --raddb DIR    decide as the RADIUS server with this configuration does\n"
				   "                 (/etc/freeradius/3.0, /etc/raddb)\n"
				   "  --module NAME  the instance, where there are several: certdir NAME { }; only\n"
				   "                 its logins are decided\n"
				   "  --list FILE    decide by this device list, however old it is, and the default\n"
				   "                 policy\n"
				   "  --json         print one JSON object\n"
				   "\n"
				   "exit status: 0 nothing changes, 1 something does, 64 usage, 65 no login in it\n"
				   "             can be decided, 66 no such file, 78 the configuration has mistakes\n";

static const char setup_usage[] = "usage: certdir setup [-c FILE] [--tenant DOMAIN|GUID] [--name NAME]\n"
				  "                     [--features LIST] [--group NAME].. [--cloud NAME]\n"
				  "                     [--raddb DIR] [--write-raddb]\n"
				  "       certdir setup --print az|powershell [-c FILE] [--tenant DOMAIN|GUID] ..\n"
				  "\n"
				  "Makes a key and a certificate, lets an administrator sign in, registers an\n"
				  "application with the certificate, grants it what it needs to read, and writes\n"
				  "certdir.conf. It asks for what the options do not say. Run it again, and it\n"
				  "adds what is missing.\n"
				  "\n"
				  "  -c FILE          the configuration that is written\n"
				  "                   (" CERTDIR_CONF_DEFAULT ")\n"
				  "  --tenant NAME    the tenant, by one of its domains or its id\n"
				  "  --name NAME      what it is called in certdir.conf and in the list\n"
				  "  --features LIST  what is read beside devices: intune, users, certificates,\n"
				  "                   profiles; or none\n"
				  "  --group NAME     a group whose members are to be known; may be repeated\n"
				  "  --cloud NAME     global, us-l4, us-dod or china\n"
				  "  --raddb DIR      the RADIUS server's configuration (/etc/freeradius/3.0,\n"
				  "                   /etc/raddb)\n"
				  "  --write-raddb    enable certdir there without asking\n"
				  "  --print TOOL     make the key, and print the commands for az or powershell\n"
				  "                   that do the rest elsewhere\n"
				  "\n"
				  "exit status: 0, 1 an administrator still has to consent, 64 usage, 69 Entra ID\n"
				  "             or Graph refuses, 73 a file cannot be written, 75 it does not work\n"
				  "             yet, 78 the configuration has mistakes\n";

static const char status_usage[] = "usage: certdir status [-c FILE] [--sessions FILE] [--json|--prometheus]\n"
				   "\n"
				   "Shows of each tenant when it was synced, how many devices it has, and what went\n"
				   "wrong; and how many sessions are held.\n"
				   "\n"
				   "  -c FILE          the configuration (" CERTDIR_CONF_DEFAULT ")\n"
				   "  --sessions FILE  filename of sessions { }\n"
				   "                   (" CERTDIR_CLI_SESSIONS_DEFAULT ")\n"
				   "  --json           print one JSON object\n"
				   "  --prometheus     print metrics for the node exporter's textfile collector\n"
				   "\n"
				   "exit status: 0 all is well, 1 something is not, 64 usage, 78 the configuration\n"
				   "             has mistakes\n";

static const char doctor_usage[] = "usage: certdir doctor [-c FILE] [--raddb DIR] [--json]\n"
				   "\n"
				   "Checks everything that a login needs: the server, its certificate, lists, LDAP\n"
				   "servers, the sync, Graph, sessions. It prints a line for each: right, wrong, a\n"
				   "warning, or not checked; and below what is wrong, the command or the line that\n"
				   "mends it. It changes nothing. Run it as root.\n"
				   "\n"
				   "  -c FILE      the configuration of the sync (" CERTDIR_CONF_DEFAULT ")\n"
				   "  --raddb DIR  the configuration of the server (/etc/freeradius/3.0, /etc/raddb)\n"
				   "  --json       print one JSON object\n"
				   "\n"
				   "exit status: 0 all is right, 1 something is wrong, 2 there are warnings,\n"
				   "             64 usage\n";

static const struct certdir_cli_command list_commands[] = {
	{.name = "show", .takes = "lj", .least = 1, .most = 1, .run = certdir_cli_list_show, .usage = show_usage},
	{.name = "find", .takes = "ljEsJDMz", .most = 1, .run = certdir_cli_list_find, .usage = find_usage},
	{.name = "stats", .takes = "lj", .run = certdir_cli_list_stats, .usage = stats_usage},
	{.name = "sources", .takes = "lj", .run = certdir_cli_list_sources, .usage = sources_usage},
	{.name = "remove", .takes = "ljsdK", .needs = "s", .run = certdir_cli_list_remove, .usage = remove_usage},
	{.name = "changes", .takes = "ljS", .run = certdir_cli_list_changes, .usage = changes_usage},
	{.name = "import",
	 .takes = "ljstgfRFdCK",
	 .least = 1,
	 .most = 1,
	 .run = certdir_cli_list_import,
	 .usage = import_usage},
	{.name = "export", .takes = "lf", .run = certdir_cli_list_export, .usage = export_usage},
	{.name = "verify", .takes = "ljb", .run = certdir_cli_list_verify, .usage = verify_usage},
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
	{.name = "list", .takes = "j", .most = 1, .run = certdir_cli_sessions_list},
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
	{.name = "list",
	 .takes = "ljstfgSdFRCEKbJDMz",
	 .usage = list_usage,
	 .list = LIST_DEFAULT,
	 .group = list_commands},
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
	{.name = "sessions", .takes = "j", .usage = sessions_usage, .group = sessions_commands},
	{.name = "setup", .takes = "ctneGOrwT", .most = 64, .run = certdir_cli_setup, .usage = setup_usage},
	{.name = "status", .takes = "cqjP", .run = certdir_cli_status, .usage = status_usage},
	{.name = "doctor", .takes = "crj", .run = certdir_cli_doctor, .usage = doctor_usage},
	{NULL},
};

/* Before the command line is read: what is wrong with it is said as JSON, too. The name may be shortened as for getopt_long(). */
static bool wants_json(char **words)
{
	for (; *words && strcmp(*words, "--") != 0; words++)
		if (strlen(*words) > 2 && strncmp(*words, "--json", strlen(*words)) == 0)
			return true;
	return false;
}

/* Whoever reads what was printed must not take the half of it for all: no command looks at that by itself. */
int main(int argc, char **argv)
{
	const bool json = wants_json(argv);
	int code;
	bool failed;

	certdir_cli_visible_begin();
	code = certdir_cli_run(commands, usage, argc, argv);
	if (json && code && certdir_cli_visible_silent())
		(void)certdir_cli_failure_print(code);
	failed = ferror(stdout);
	if (fflush(stdout) == 0 && !failed)
		return code;
	fprintf(stderr, "certdir: standard output cannot be written%s%s\n", failed ? "" : ": ",
		failed ? "" : strerror(errno));
	return EX_IOERR;
}
