/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several groups of checks ask: who may read what, how services and clocks are. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/doctor.h"
#include "cli/words.h"

enum { SAID_MAX = 1 << 20, CLOCK_WARNING = 60, CLOCK_WRONG = 300 };

/* ---- what was printed ---- */

/* What a line says without who says it and when: "certdir: ..", "Mon Nov 30 .. : Error: ..". */
static const char *bare(const char *line)
{
	static const char own[] = "certdir: ", server[] = " : Error: ";
	const char *at = strstr(line, server);

	if (at)
		return at + strlen(server);
	return strncmp(line, own, strlen(own)) == 0 ? line + strlen(own) : line;
}

/* The last lines: the server's parser begins with what is of no harm. */
static void last_lines(char *said, char text[CERTDIR_TEXT_MAX])
{
	const char *line, *last = "", *before = "";

	while ((line = strsep(&said, "\n")))
		if (*line) {
			before = last;
			last = bare(line);
		}
	certdir_say(text, "%s%s%s", before, *before ? "; " : "", last);
}

void certdir_doctor_listen(void (*act)(void *context), void *context, char text[CERTDIR_TEXT_MAX])
{
	const int file = memfd_create("certdir", MFD_CLOEXEC), former = dup(STDERR_FILENO);
	size_t length;
	char *said;

	(void)fflush(stderr);
	(void)dup2(file, STDERR_FILENO);
	act(context);
	(void)fflush(stderr);
	(void)dup2(former, STDERR_FILENO);
	(void)close(former);
	(void)lseek(file, 0, SEEK_SET);
	said = certdir_file_load(file, SAID_MAX, &length);
	last_lines(said, text);
	free(said);
	(void)close(file);
}

/* ---- who may read what ---- */

struct becoming {
	const struct raddb_file *raddb;
	bool became;
};

static void become(void *context)
{
	struct becoming *becoming = context;

	becoming->became = raddb_file_become_server(becoming->raddb);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* another user's process has none */
}

bool certdir_doctor_become_server(const struct certdir_doctor *doctor, const char *name,
				  struct certdir_doctor_findings *findings)
{
	struct becoming becoming = {doctor->raddb, false};
	char said[CERTDIR_TEXT_MAX];

	certdir_doctor_listen(become, &becoming, said);
	if (becoming.became && !said[0])
		return true;
	certdir_doctor_say(findings, becoming.became ? CERTDIR_DOCTOR_SKIPPED : CERTDIR_DOCTOR_WRONG, name,
			   becoming.became ? "run certdir doctor as root"
					   : "write a user that exists into radiusd.conf",
			   "%s", said);
	return false;
}

/* The first directory of an absolute path that we may not pass through; false: there is none. */
static bool find_closed(const char *path, char closed[CERTDIR_TEXT_MAX])
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		certdir_say(closed, "%.*s", (int)(slash - path), path);
		if (access(closed, X_OK) != 0 && errno == EACCES)
			return true;
	}
	return false;
}

const char *certdir_doctor_user(void)
{
	const struct passwd *account = getpwuid(geteuid());

	return account ? account->pw_name : "this user";
}

const char *certdir_doctor_group(char number[CERTDIR_DOCTOR_NUMBER])
{
	const struct group *group = getgrgid(getegid());

	(void)snprintf(number, CERTDIR_DOCTOR_NUMBER, "%u", (unsigned)getegid());
	return group ? group->gr_name : number;
}

static void tell_closed(const char *path, const char *name, const char *what, struct certdir_doctor_findings *findings)
{
	char closed[CERTDIR_TEXT_MAX], remedy[CERTDIR_TEXT_MAX], number[CERTDIR_DOCTOR_NUMBER];
	const char *group = certdir_doctor_group(number);

	if (find_closed(path, closed)) {
		certdir_say(remedy, "chgrp %s %s; chmod g+x %s", group, closed, closed);
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, name, remedy, "%s may not pass through %s to %s",
				   certdir_doctor_user(), closed, path);
		return;
	}
	certdir_say(remedy, "chgrp %s %s; chmod g+%s %s", group, path, what[0] == 'w' ? "rwx" : "r", path);
	certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, name, remedy, "%s may not %s %s", certdir_doctor_user(),
			   what, path);
}

bool certdir_doctor_readable(const char *path, const char *name, struct certdir_doctor_findings *findings)
{
	const int file = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : 0;

	if (!path)
		return true;
	if (file >= 0)
		return close(file) == 0;
	if (errno == EACCES)
		tell_closed(path, name, "read", findings);
	else
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, name,
				   "put it there, or write its right name into the configuration", "%s: %s", path,
				   strerror(errno));
	return false;
}

bool certdir_doctor_writable(const char *directory, const char *name, struct certdir_doctor_findings *findings)
{
	const int failure = access(directory, W_OK | X_OK) == 0 ? 0 : errno;
	char remedy[CERTDIR_TEXT_MAX], number[CERTDIR_DOCTOR_NUMBER];

	certdir_say(remedy, "install -d -o %s -g %s -m 750 %s", certdir_doctor_user(), certdir_doctor_group(number),
		    directory);
	if (failure == EACCES)
		tell_closed(directory, name, "write into", findings);
	else if (failure)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_WRONG, name, remedy, "%s: %s", directory,
				   strerror(failure));
	return !failure;
}

unsigned certdir_doctor_others(const char *path)
{
	char *real = realpath(path, NULL), *slash;
	struct stat status;
	unsigned mode = real && stat(real, &status) == 0 ? status.st_mode & S_IRWXO : 0;

	while (mode && (slash = strrchr(real, '/')) && slash != real) {
		*slash = '\0';
		if (stat(real, &status) != 0 || !(status.st_mode & S_IXOTH))
			mode = 0;
	}
	free(real);
	return mode;
}

bool certdir_doctor_is_hidden(const char *path)
{
	return path && geteuid() != 0 && access(path, R_OK) != 0 && errno == EACCES;
}

/* ---- services ---- */

char *certdir_doctor_output(const char *const *argv, int *code)
{
	int ends[2], status = 0;
	size_t length;
	char *said;
	pid_t process;

	*code = 127;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return NULL;
	process = fork();
	if (process == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	(void)close(ends[1]);
	said = certdir_file_load(ends[0], SAID_MAX, &length);
	(void)close(ends[0]);
	if (process > 0 && waitpid(process, &status, 0) == process)
		*code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return said;
}

void certdir_doctor_systemctl(const char *const *argv, char line[CERTDIR_TEXT_MAX])
{
	int code;
	char *said = certdir_doctor_output(argv, &code);

	certdir_say(line, "%.*s", said ? (int)strcspn(said, "\n") : 0, said ? said : "");
	free(said);
}

void certdir_doctor_unit(const char *unit, const char *what, enum certdir_doctor_state wrong,
			 struct certdir_doctor_findings *findings)
{
	char state[CERTDIR_TEXT_MAX], remedy[CERTDIR_TEXT_MAX];

	certdir_doctor_systemctl((const char *const[]){"systemctl", "is-active", unit, NULL}, state);
	certdir_say(remedy, "systemctl enable --now %s", unit);
	if (!state[0])
		certdir_doctor_say(findings, CERTDIR_DOCTOR_SKIPPED, "service", "",
				   "whether %s runs: there is no systemd here", what);
	else if (strcmp(state, "active") == 0)
		certdir_doctor_say(findings, CERTDIR_DOCTOR_RIGHT, "service", "", "%s is active", unit);
	else
		certdir_doctor_say(findings, wrong, "service", remedy, "%s is %s: %s does not run", unit, state, what);
}

/* ---- clocks ---- */

void certdir_doctor_clock(int64_t theirs, const char *whom, struct certdir_doctor_findings *findings)
{
	const int64_t off = (int64_t)time(NULL) - theirs, far = off < 0 ? -off : off;
	char age[CERTDIR_CLI_AGE_SIZE];

	certdir_doctor_say(findings,
			   far > CLOCK_WRONG	 ? CERTDIR_DOCTOR_WRONG
			   : far > CLOCK_WARNING ? CERTDIR_DOCTOR_WARNING
						 : CERTDIR_DOCTOR_RIGHT,
			   "clock", far > CLOCK_WARNING ? "timedatectl set-ntp true" : "",
			   "this machine's clock is %s %s that of %s", certdir_cli_age(far, age),
			   off < 0 ? "behind" : "ahead of", whom);
}
