# SPDX-License-Identifier: GPL-2.0-or-later
# certdir: one plain Makefile. `make help` lists the targets.

CC      ?= cc
PYTHON  ?= /usr/bin/python3
# B is where everything is built; sanitizer builds use a B of their own.
B       ?= build
OPT     ?= -O2 -g
SANITIZE ?=
# The one place that says which version this is: the first heading of the change log.
VERSION := $(shell sed -n "/^\#\# [0-9]/{s/^\#\# \([^ ]*\).*/\1/p;q}" CHANGELOG.md)

# The server's headers tell its version, and where it keeps its modules and its configuration. FREERADIUS_PREFIX is for one that is
# installed elsewhere, as ./configure --prefix does.
SERVER_HEADERS := -isystem rlm_certdir/compat $(FREERADIUS_PREFIX:%=-isystem %/include) \
                  -include freeradius/build.h -include freeradius/features.h
server := $(if $(FREERADIUS_PREFIX),$(wildcard $(FREERADIUS_PREFIX)/include/freeradius/features.h),yes)
server := $(and $(server),$(shell echo '= RADIUSD_VERSION RADIUSD_VERSION_COMMIT LIBDIR RADDBDIR LOGDIR RADIUSD_VERSION_STRING' | $(CC) $(SERVER_HEADERS) \
            -include freeradius/autoconf.h -include freeradius/radpaths.h -E -P -x c - 2>/dev/null | sed -n 's/^= //p'))
server_version := $(subst ",,$(word 6,$(server)))

# Where `make install` puts things, below DESTDIR.
PREFIX   ?= /usr
BINDIR   ?= $(PREFIX)/bin
MANDIR   ?= $(PREFIX)/share/man
SHAREDIR ?= $(PREFIX)/share/certdir
UNITDIR  ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
LOGROTATEDIR ?= /etc/logrotate.d
LIBDIR   ?= $(or $(subst ",,$(word 3,$(server))),/usr/lib/freeradius)
RADDB    ?= $(or $(subst ",,$(word 4,$(server))),/etc/freeradius/3.0)
LOGDIR   ?= $(or $(subst ",,$(word 5,$(server))),/var/log/freeradius)
# As whom the server runs: freerad on Debian, radiusd on RHEL.
SERVER_GROUP ?= freerad
CONFDIR  ?= /etc/certdir
# With another LISTDIR, also name the list in certdir.conf.
LISTDIR  ?= /var/lib/certdir
# What radiusd itself writes: what LDAP directories said last. mods-available/certdir names it by LISTDIR.
MEMORYDIR = $(LISTDIR)-radiusd
# Where shells look for what may follow on a command line.
BASHDIR  ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR   ?= $(PREFIX)/share/zsh/vendor-completions
FISHDIR  ?= $(PREFIX)/share/fish/vendor_completions.d
DESTDIR  ?=

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wvla
COMMON  := $(OPT) -fPIC -fvisibility=hidden -fno-common -fstack-protector-strong -D_FORTIFY_SOURCE=2 $(SANITIZE) -MMD -MP
CORE    := -std=c11 -D_GNU_SOURCE -Irlm_certdir $(COMMON) $(WARN)
# FreeRADIUS's own headers are not clean under our warnings, so they are system headers here.
GLUE    := -std=gnu11 -D_GNU_SOURCE -DIS_MODULE=1 -DNDEBUG -DCERTDIR_VERSION=$(VERSION) -Irlm_certdir $(SERVER_HEADERS) $(COMMON) -Wall -Wextra -Wshadow
LDFLAGS += -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)

# A file's room decides how it is built: glue sees FreeRADIUS, the core never does.
glue_sources := $(addprefix rlm_certdir/,rlm_certdir.c request.c reply.c decision_line.c eap_tls_session.c eap_tls_resumption.c \
                raddb.c raddb_directories.c raddb_section.c wiring.c wiring_calls.c das.c das_clients.c das_packet.c accounting.c raddb_sessions.c version.c)
cli_sources  := $(wildcard rlm_certdir/cli/*.c)
core_sources := $(wildcard $(addprefix rlm_certdir/,*.c $(addsuffix /*.c,base text conf asking identity ldap directory decision list tenant sync import plan placeholders profiles sessions journal metrics report)))
core_sources := $(filter-out $(glue_sources),$(core_sources))
unit_sources := $(wildcard tests/unit/test_*.c)
support_sources := $(wildcard tests/unit/support/*.c)

core_objects := $(core_sources:%.c=$(B)/%.o)
glue_objects := $(glue_sources:%.c=$(B)/%.o)
cli_objects  := $(cli_sources:%.c=$(B)/%.o)
unit_tests   := $(unit_sources:tests/unit/%.c=$(B)/tests/%)
support_objects := $(support_sources:%.c=$(B)/%.o)

module := $(B)/rlm_certdir.so
cli    := $(B)/certdir
core   := $(B)/libcertdir.a
support := $(B)/libsupport.a

CORE_LIBS   := -lsqlite3 -lldap -llber -lgssapi_krb5 -lkrb5 -lresolv -lpcre2-8 -lcrypto -lpthread
MODULE_LIBS := $(CORE_LIBS) -lssl
CLI_LIBS    := -larchive -ljansson -lcurl -lyajl -lunistring $(CORE_LIBS)
SERVER_LIBS := -L$(LIBDIR) -Wl,-rpath,$(LIBDIR) -lfreeradius-server -lfreeradius-radius -ltalloc

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all
all: $(module) $(cli) ## build the module and the CLI (the default)

# Rebuild when the flags change, not only when the files do; what knows the server, also when another version of it is there: a
# package's headers are older than what was built yesterday, and a module of another version stops the server.
$(B)/flags: now = $(CC) $(CORE) $(GLUE) $(LDFLAGS)
$(B)/server: now = $(or $(server),$(error No headers of FreeRADIUS in $(or $(FREERADIUS_PREFIX),/usr)/include: install \
            libfreeradius-dev (on RHEL freeradius-devel), or say where it is with FREERADIUS_PREFIX))
$(B)/flags $(B)/server: FORCE
	@mkdir -p $(B); echo '$(now)' | cmp -s - $@ || echo '$(now)' > $@
FORCE:

quiet = @printf '  %-7s %s\n' $(1) $@;

$(core_objects): $(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(CORE) -c -o $@ $<
$(glue_objects): $(B)/%.o: %.c $(B)/flags $(B)/server
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(GLUE) -c -o $@ $<
$(filter-out $(B)/rlm_certdir/cli/raddb_file.o,$(cli_objects)): $(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(CORE) -c -o $@ $<
# The CLI's reader of raddb is glue, too: it runs the server's own parser.
$(B)/rlm_certdir/cli/raddb_file.o: rlm_certdir/cli/raddb_file.c $(B)/flags $(B)/server
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(GLUE) -c -o $@ $<

$(core): $(core_objects)
	$(call quiet,AR) rm -f $@; $(AR) rcs $@ $^
# It stays when the server unloads it at its end: a thread that the resolver holds may come back later.
$(module): $(glue_objects) $(core) rlm_certdir/rlm_certdir.map
	$(call quiet,LD) $(CC) -shared -o $@ $(glue_objects) $(core) $(LDFLAGS) -Wl,-z,nodelete -Wl,--version-script=rlm_certdir/rlm_certdir.map $(MODULE_LIBS)
$(cli): $(cli_objects) $(B)/rlm_certdir/raddb.o $(B)/rlm_certdir/raddb_directories.o $(B)/rlm_certdir/raddb_section.o $(B)/rlm_certdir/wiring.o \
        $(B)/rlm_certdir/raddb_sessions.o $(B)/rlm_certdir/wiring_calls.o $(B)/rlm_certdir/version.o $(core)
	$(call quiet,LD) $(CC) -o $@ $^ $(LDFLAGS) $(CLI_LIBS) $(SERVER_LIBS)
# What unit tests share. No two of them may have one name, as the order in the archive would choose: linking all at once tells.
$(support_objects): $(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(CORE) -c -o $@ $<
$(support): $(support_objects)
	@$(CC) -r -nostdlib -o $@.all $^ && rm $@.all
	$(call quiet,AR) rm -f $@; $(AR) rcs $@ $^
$(B)/tests/%: tests/unit/%.c $(support) $(core) $(B)/flags
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(CORE) -Itests/unit/support -o $@ $< $(support) $(core) $(LDFLAGS) -lcmocka $(CLI_LIBS)

# ---- set-up ----

DEPS_BUILD := gcc make libc6-dev libfreeradius-dev libtalloc-dev libssl-dev libldap-dev libsqlite3-dev libjansson-dev \
             libcurl4-openssl-dev libyajl-dev libsasl2-dev libkrb5-dev libpcre2-dev libunistring-dev libarchive-dev
DEPS_DEMO := $(DEPS_BUILD) freeradius eapoltest openssl python3 python3-cryptography
DEPS_TEST := libcmocka-dev freeradius-utils freeradius-ldap slapd ldap-utils sqlite3 valgrind binutils \
             python3-pytest python3-pytest-xdist python3-ldap samba samba-dsdb-modules samba-vfs-modules samba-ad-provision \
             winbind krb5-user adcli iproute2 ldb-tools libsasl2-modules-gssapi-mit faketime \
             hostapd wpasupplicant tshark strongswan-swanctl charon-systemd libcharon-extra-plugins libstrongswan-standard-plugins \
             rsync clang-format shellcheck cppcheck mandoc

.PHONY: deps deps-demo
deps-demo: ## install what building and the demo need (apt-get)
	@tests/testenv/deps.sh $(DEPS_DEMO)
deps: ## install what building, the demo and the tests need (apt-get)
	@tests/testenv/deps.sh $(DEPS_DEMO) $(DEPS_TEST)

.PHONY: demo
demo: deps-demo ## install what is missing, build, and see devices log in through a real radiusd
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/demo.py

# ---- tests ----

certificates := $(B)/certs/.made
$(certificates): tests/vectors/certificates.json tests/testenv/certificates.py
	@mkdir -p $(@D)
	$(call quiet,CERTS) $(PYTHON) tests/testenv/certificates.py vectors $< $(@D) && touch $@

.PHONY: certificates
certificates: $(certificates) ## make the test certificates from their recipes

.PHONY: unit $(unit_tests:=.run)
unit: $(unit_tests:=.run) ## the pure parts, with cmocka (-j runs some at a time)
$(unit_tests:=.run): %.run: % $(certificates)
	@CERTDIR_TEST_CERTS=$(B)/certs $(WRAP) $<

.PHONY: check-layers
check-layers: all ## fail when a room reaches where it must not
	@$(PYTHON) tests/layers.py $(module)

.PHONY: check
check: deps check-layers ## all that is told without running anything: layers, clang-format, shellcheck, man pages, cppcheck, clang-tidy
	@tests/testenv/deps.sh clang-tidy
	@tests/check.sh format shell man cppcheck tidy

.PHONY: quick
quick: ## unit tests and one login
	@$(MAKE) --no-print-directory -j$$(nproc) all $(unit_tests) $(certificates)
	@$(MAKE) --no-print-directory -j$$(nproc) --output-sync unit check-layers
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) -m pytest -q -p no:cacheprovider tests/integration/test_logins.py \
		-k 'list-tls1.3-full-allowed'

# Compiling the tests' Python takes seconds, and each of pytest's workers would do it, also where the environment keeps Python from
# storing it. Tests wait for daemons most of their time, so three of them run on a processor.
.PHONY: test check-text collected
test: export PYTHONDONTWRITEBYTECODE :=
test: deps ## everything: checkers, unit tests, layers, and real logins; 4 to 6 minutes with 2 CPUs
	@$(MAKE) --no-print-directory -j$$(nproc) all $(unit_tests) $(certificates)
	@$(MAKE) --no-print-directory -j$$((2 * $$(nproc))) --output-sync check-text check-layers collected unit
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) -m pytest -q -p no:cacheprovider -n $$((3 * $$(nproc))) --dist loadgroup tests/integration
check-text:
	@tests/check.sh format shell man
collected:
	@$(PYTHON) -m pytest -qq -p no:cacheprovider --collect-only tests/integration >$(B)/collected || { cat $(B)/collected; exit 1; }

# Unit tests run no command of the CLI, and of ldap/ only what needs no server. A file of C that nothing ran is not counted. What ends by
# _exit() would write no counts; certdir doctor does so in processes of other users, who have to be able to write into the files.
COVERAGE_TESTS ?= $(wildcard tests/integration/test_cli_*.py) $(patsubst %,tests/integration/test_%.py,doctor setup sessions sync sync_ldap people report \
                  graph_credentials profiles replay observe wiring ldap_directory ldap_operation placeholders_guards placeholders_undo)
.PHONY: coverage
coverage: deps ## lines and branches of each room that unit tests run, and COVERAGE_TESTS: those of the CLI and of LDAP
	@$(MAKE) --no-print-directory -j$$(nproc) B=build-coverage OPT='-O0 -g' SANITIZE='--coverage -D_exit=exit' all unit
	@build-coverage/certdir --version >/dev/null && find build-coverage -name '*.gcda' -exec chmod a+w {} +
	@[ -z "$(COVERAGE_TESTS)" ] || CERTDIR_DRIVER_CFLAGS=--coverage CERTDIR_BUILD=$(CURDIR)/build-coverage \
		$(PYTHON) -m pytest -q -p no:cacheprovider -n $$((3 * $$(nproc))) --dist loadgroup $(COVERAGE_TESTS)
	@$(PYTHON) tests/coverage.py build-coverage

.PHONY: mutants
mutants: $(certificates) ## break the C in one place after the other: a test must fail each time (MUTANTS="der utf8", say, for some)
	@$(PYTHON) tests/mutants.py $(B)-mutants $(MUTANTS)

SOAK_SEEDS ?= 1000
SOAK_WORLDS ?= 2000000
.PHONY: soak
soak: deps ## random worlds for decisions (SOAK_WORLDS), histories of a tenant and of plans (SOAK_SEEDS), syncs killed 200 times, radiusd for minutes
	@$(MAKE) --no-print-directory all $(addprefix $(B)/tests/test_,decision_model tenant_model plan_model)
	@CERTDIR_MODEL_WORLDS=$(SOAK_WORLDS) $(B)/tests/test_decision_model
	@$(B)/tests/test_tenant_model $(SOAK_SEEDS)
	@$(B)/tests/test_plan_model $$((10 * $(SOAK_SEEDS)))
	@CERTDIR_HISTORY_SEEDS=$(SOAK_SEEDS) CERTDIR_KILLS=200 CERTDIR_LOAD_SECONDS=180 CERTDIR_SOAK=1 $(PYTHON) -m pytest -q \
		-p no:cacheprovider tests/integration/test_load.py tests/integration/test_sync_crash.py tests/integration/test_sync_history.py

.PHONY: soak-placeholders
soak-placeholders: deps ## random histories of an OU with interruptions and with hands in it (slapd, Samba), 2,000 computer accounts in Samba
	@$(MAKE) --no-print-directory all
	@CERTDIR_HISTORY_SEEDS=200 CERTDIR_AD_HISTORY=20 CERTDIR_AD_DEVICES=2000 $(PYTHON) -m pytest -q -p no:cacheprovider \
		tests/integration/test_placeholders_history.py tests/integration/test_placeholders_hands.py \
		tests/integration/test_placeholders_ad.py

.PHONY: check-graph-client
check-graph-client: deps ## Microsoft's own client (npm) pages through the tests' fake Graph
	@tests/graph-client/check.sh $(B)/graph-client

.PHONY: bench-sync
bench-sync: deps ## measure a sync of 1,000,000 devices against a plain script, and publishing one changed device
	@$(MAKE) --no-print-directory all
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) tests/bench/bench_sync.py
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) tests/bench/bench_certificates.py

.PHONY: bench-seconds
bench-seconds: deps ## measure from a change in Entra ID to the network: out, in, many at once, a server killed (BENCH=out, mass, killed, in, flood, quiet)
	@$(MAKE) --no-print-directory all
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) tests/bench/bench_seconds.py $(BENCH)

.PHONY: bench-placeholders
bench-placeholders: deps ## measure a plan of 100,000 accounts against reading them, and 10,000 creations against ldapadd
	@$(MAKE) --no-print-directory all
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) tests/bench/bench_placeholders.py

.PHONY: bench
bench: deps ## measure: radiusd's CPU per request, logins a second, lookups
	@$(MAKE) --no-print-directory all $(B)/bench_list $(B)/bench_sessions
	@$(PYTHON) tests/bench/bench.py
	@$(B)/bench_list 1000 && $(B)/bench_list 1000000
	@$(B)/bench_sessions

BENCH ?=
.PHONY: bench-ldap
bench-ldap: deps ## measure LDAP beside rlm_ldap: CPU a lookup, a directory that is ill (BENCH=cpu or faults, list, names, storm, ends alone)
	@$(MAKE) --no-print-directory all
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) tests/bench/bench_ldap.py $(BENCH)

$(B)/bench_list $(B)/bench_sessions: $(B)/bench_%: tests/bench/bench_%.c $(core) $(B)/flags
	$(call quiet,CC) $(CC) $(CORE) -o $@ $< $(core) $(LDFLAGS) $(CORE_LIBS)

comma := ,
# $(call sanitized,NAME,FLAGS,TARGETS): the same make with a build directory and compiler flags of its own.
sanitized = @$(MAKE) --no-print-directory B=build-$(1) OPT='-O1 -g' SANITIZE='$(2)' $(3)
# $(call logins,NAME,RUNTIMES,OPTIONS,TESTS[,LESS]): logins by a stock radiusd that loads that build.
logins = @CC='$(CC)' PYTHON='$(PYTHON)' $(3) tests/sanitized.sh build-$(1) '$(2)' -k 'not valgrind$(5)' $(4:%=tests/integration/test_%.py)

.PHONY: asan tsan unit-asan
unit-asan: ## unit tests with the address and undefined behaviour sanitizers
	$(call sanitized,asan,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all,unit)
# What the sanitizer holds back of freed memory would look like a server that grows.
asan: deps ## unit tests and real logins with the address and undefined behaviour sanitizers
	$(call sanitized,asan,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all,all unit)
	$(call logins,asan,libasan.so libubsan.so,CERTDIR_DRIVER_CFLAGS=-fsanitize=address$(comma)undefined ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0:quarantine_size_mb=8,logins resumption hostile_names server ldap_faults sessions das disconnect class journal observe people known_certificate sync sync_graph cli_sync_config cli_list profiles placeholders_guards placeholders_meanwhile placeholders_hostile placeholders_history, and not never_end)
# The server's own handler of SIGHUP changes errno, which is not ours to hear about.
# Memory of 2 GiB for a message takes the sanitizer longer than the test waits.
tsan: deps ## unit tests and many logins at once with the thread sanitizer
	$(call sanitized,tsan,-fsanitize=thread,all unit)
	$(call logins,tsan,libtsan.so,CERTDIR_DRIVER_CFLAGS=-fsanitize=thread TSAN_OPTIONS=ignore_noninstrumented_modules=1,load outage ldap_faults server sessions das journal, and not hup and not gigabytes)

FUZZ_SECONDS ?= 120
FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzzers := $(FUZZ:%=build-fuzz/%)
fuzz_sanitizers := address,undefined -fno-sanitize-recover=all
.PHONY: fuzz $(fuzzers)
fuzz: $(certificates) ## hostile input for each of FUZZ (tests/fuzz, "list conf", say), FUZZ_SECONDS long each (clang)
	@tests/testenv/deps.sh clang libclang-rt-14-dev
	@$(MAKE) --no-print-directory B=build-fuzz CC=clang OPT='-O1 -g' SANITIZE='-fsanitize=fuzzer-no-link,$(fuzz_sanitizers)' \
		build-fuzz/libsupport.a build-fuzz/libcertdir.a
	@$(MAKE) --no-print-directory $(fuzzers)
$(fuzzers): build-fuzz/%: tests/fuzz/fuzz_%.c
	$(call quiet,FUZZ) clang $(filter-out -MMD -MP,$(CORE)) -O1 -fsanitize=fuzzer,$(fuzz_sanitizers) -Itests/unit/support -o $@ $< build-fuzz/libsupport.a build-fuzz/libcertdir.a \
		-lcmocka $(CLI_LIBS)
	@tests/fuzz/seeds.sh $* $(B)/certs $@.corpus
	$@ -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -len_control=0 -print_final_stats=1 -artifact_prefix=build-fuzz/ $@.corpus

# Where clang's libFuzzer is not there, the tests go on without.
.PHONY: fuzz-seconds
fuzz-seconds: ## two seconds of hostile input for each of FUZZ, where clang has libFuzzer
	@if echo 'int LLVMFuzzerTestOneInput(void){return 0;}' | clang -fsanitize=fuzzer -x c -o /dev/null - 2>/dev/null; then \
		$(MAKE) --no-print-directory -j$$(nproc) --output-sync fuzz FUZZ_SECONDS=2; \
	else echo 'hostile input is left out: clang has no libFuzzer here (make fuzz installs it)'; fi

.PHONY: docs
docs: ## build the site of docs/ and the man pages in build/site (mkdocs)
	@tests/testenv/deps.sh mkdocs mandoc
	@docs/site.sh build/docs
	@mkdocs build --quiet --strict

.PHONY: check-compat
check-compat: ## compare our FreeRADIUS declarations with the true headers of the distribution's source package
	@tests/compat/check.sh $(B)/compat

.PHONY: check-servers
check-servers: deps ## logins with Debian 12's and 13's server, and with one from the source tree FREERADIUS_SRC (root, debootstrap)
	@tests/servers/check.sh $(B)/servers $(FREERADIUS_SRC)

.PHONY: monitoring-test
monitoring-test: deps ## the alert rules and the dashboard against a Prometheus that scrapes a real radiusd
	@tests/testenv/deps.sh prometheus prometheus-node-exporter
	@$(MAKE) --no-print-directory all
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) -m pytest -q -p no:cacheprovider tests/monitoring

.PHONY: report-test
report-test: deps ## the page of certdir report in Chromium: errors, requests, widths, contrast
	@tests/testenv/deps.sh chromium
	@$(MAKE) --no-print-directory all
	@CERTDIR_BUILD=$(abspath $(B)) $(PYTHON) -m pytest -q -p no:cacheprovider tests/report

.PHONY: packages-test
packages-test: deps-demo ## build the Debian packages on Debian 12 and 13, and install, use, update, remove them under systemd (root, debootstrap)
	@tests/packages/check.sh $(B)/packages

.PHONY: docker-test
docker-test: deps-demo ## build the container image and run the demo's logins against it
	@$(MAKE) --no-print-directory all
	@tests/docker/test.sh

# ---- install ----

raddb_files = @SHIPPED=$(DESTDIR)$(SHAREDIR)/raddb RADDB=$(DESTDIR)$(RADDB) LISTDIR=$(LISTDIR) raddb-snippets/install.sh

# What they name, with the places of this installation in it.
placed = sed 's,/usr/bin/certdir,$(BINDIR)/certdir,;s,/etc/certdir,$(CONFDIR),;s,/var/lib/certdir,$(LISTDIR),;s,/var/log/freeradius,$(LOGDIR),;s,\<freerad\>,$(SERVER_GROUP),'
units := certdir-sync.service certdir-placeholders@.service certdir-placeholders@.timer

# What radiusd reads gets the group of raddb itself: the list's directory hands it on to every list that root publishes there, and
# certdir.conf is for the user of the sync, who has that group. MEMORYDIR is the server's own.
.PHONY: install
install: all ## install into DESTDIR; files in raddb that were edited are kept
	install -D -m 644 $(module) $(DESTDIR)$(LIBDIR)/rlm_certdir.so
	install -D -m 755 $(cli) $(DESTDIR)$(BINDIR)/certdir
	@for dir in $(MANDIR)/man1 $(MANDIR)/man5 $(UNITDIR) $(SYSUSERSDIR) $(LOGROTATEDIR) $(RADDB); do \
		[ -d $(DESTDIR)$$dir ] || install -d -m 755 $(DESTDIR)$$dir; done
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1/
	install -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5/
	install -D -m 644 packaging/completion/certdir.bash $(DESTDIR)$(BASHDIR)/certdir
	install -D -m 644 packaging/completion/_certdir $(DESTDIR)$(ZSHDIR)/_certdir
	install -D -m 644 packaging/completion/certdir.fish $(DESTDIR)$(FISHDIR)/certdir.fish
	@mkdir -p $(B)/placed && for file in $(units:%=systemd/%) sysusers.conf logrotate.conf; do \
		$(placed) packaging/$$file >$(B)/placed/$${file##*/} || exit 1; done
	install -m 644 $(units:%=$(B)/placed/%) $(DESTDIR)$(UNITDIR)/
	install -m 644 $(B)/placed/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/certdir.conf
	[ -e $(DESTDIR)$(LOGROTATEDIR)/certdir ] || install -m 644 $(B)/placed/logrotate.conf $(DESTDIR)$(LOGROTATEDIR)/certdir
	$(raddb_files) install
	@[ -d $(DESTDIR)$(CONFDIR) ] || { install -d -m 750 $(DESTDIR)$(CONFDIR); \
		[ "$$(id -u)" -ne 0 ] || chgrp --reference=$(DESTDIR)$(RADDB) $(DESTDIR)$(CONFDIR); }
	@[ -d $(DESTDIR)$(LISTDIR) ] || { install -d -m 755 $(DESTDIR)$(LISTDIR); \
		[ "$$(id -u)" -ne 0 ] || chgrp --reference=$(DESTDIR)$(RADDB) $(DESTDIR)$(LISTDIR); chmod g+s $(DESTDIR)$(LISTDIR); }
	@[ -d $(DESTDIR)$(MEMORYDIR) ] || { install -d -m 770 $(DESTDIR)$(MEMORYDIR); \
		[ "$$(id -u)" -ne 0 ] || chown --reference=$(DESTDIR)$(RADDB) $(DESTDIR)$(MEMORYDIR); }

.PHONY: uninstall
uninstall: ## stop the sync, remove what `make install` put there; edited files of raddb, certdir.conf and lists stay
	$(raddb_files) uninstall
	@if [ -d $(DESTDIR)/run/systemd/system ] && [ -e $(DESTDIR)$(UNITDIR)/certdir-sync.service ]; then \
		echo 'stopping and disabling certdir-sync and the instances of certdir-placeholders@'; \
		systemctl stop certdir-sync.service 'certdir-placeholders@*' && systemctl disable certdir-sync.service; fi
	rm -f $(DESTDIR)/etc/systemd/system/timers.target.wants/certdir-placeholders@*.timer
	rm -f $(DESTDIR)$(LIBDIR)/rlm_certdir.so $(DESTDIR)$(BINDIR)/certdir
	rm -f $(patsubst man/%.1,$(DESTDIR)$(MANDIR)/man1/%.1,$(wildcard man/*.1)) $(patsubst man/%.5,$(DESTDIR)$(MANDIR)/man5/%.5,$(wildcard man/*.5))
	rm -f $(DESTDIR)$(BASHDIR)/certdir $(DESTDIR)$(ZSHDIR)/_certdir $(DESTDIR)$(FISHDIR)/certdir.fish
	rm -f $(units:%=$(DESTDIR)$(UNITDIR)/%) $(DESTDIR)$(SYSUSERSDIR)/certdir.conf
	@[ ! -d $(DESTDIR)/run/systemd/system ] || systemctl daemon-reload
	@$(placed) packaging/logrotate.conf | cmp -s - $(DESTDIR)$(LOGROTATEDIR)/certdir && rm $(DESTDIR)$(LOGROTATEDIR)/certdir || true
	rm -rf $(DESTDIR)$(SHAREDIR)
	rm -f $(addprefix $(DESTDIR)$(MEMORYDIR)/*,.memory .memory.new .sessions .sessions-wal .sessions-shm .sessions.lock)
	@rmdir $(DESTDIR)$(CONFDIR) $(DESTDIR)$(LISTDIR) $(DESTDIR)$(MEMORYDIR) 2>/dev/null || true

# ---- packages ----

.PHONY: dist deb rpm server-version
server-version:
	@echo $(server_version)
dist: ## build/certdir-VERSION.tar.gz of the last commit, which needs no git to be built
	@mkdir -p $(B)
	git archive --format=tar.gz --prefix=certdir-$(VERSION)/ -o $(B)/certdir-$(VERSION).tar.gz HEAD
deb: ## Debian packages for this release of Debian, in build/deb
	@tests/testenv/deps.sh $(DEPS_BUILD) build-essential debhelper
	@packaging/deb.sh $(B)/deb $(VERSION)
rpm: ## RPM packages, in build/rpm; built on Debian so far, to see that the specification is in order
	@packaging/rpm.sh $(B)/rpm $(VERSION) $(server_version)

compile_commands.json: Makefile ## for clangd and clang-tidy
	@{ echo '['; sep=; \
	for file in $(core_sources) $(cli_sources); do printf '%s{"directory":"%s","file":"%s","arguments":["cc"' "$$sep" '$(CURDIR)' $$file; \
		for flag in $(filter-out -MMD -MP,$(CORE)); do printf ',"%s"' $$flag; done; printf ',"-c","%s"]}\n' $$file; sep=,; done; \
	for file in $(glue_sources); do printf '%s{"directory":"%s","file":"%s","arguments":["cc"' "$$sep" '$(CURDIR)' $$file; \
		for flag in $(filter-out -MMD -MP,$(GLUE)); do printf ',"%s"' $$flag; done; printf ',"-c","%s"]}\n' $$file; done; \
	echo ']'; } > $@

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build build-*

-include $(patsubst %.o,%.d,$(core_objects) $(support_objects) $(glue_objects) $(cli_objects)) $(unit_tests:=.d) $(B)/bench_list.d
