# SPDX-License-Identifier: GPL-2.0-or-later
"""
Random histories of a tenant: after each sync the list is the tenant, exactly; after one that failed it is what it was.

Everything follows from the seed: the tenant, the configuration, what happens between syncs, how the delta query tells
it (repeats, replays, empty pages, earlier states), what fails. CERTDIR_HISTORY_SEEDS=1000 runs more of them,
CERTDIR_HISTORY_FIRST=n begins at another seed.
"""

import os
import random
import time

import pytest

from testenv import delta, graph_faults
from testenv.graph import EXPIRIES, FakeGraph
from testenv.published import Options, Published, arranged, assert_same
from testenv.sync import DONE, NONE, SHRUNK, SOME, Sync
from testenv.tenant import Tenant

FIRST = int(os.environ.get("CERTDIR_HISTORY_FIRST", "0"))
SEEDS = int(os.environ.get("CERTDIR_HISTORY_SEEDS", "10"))
ROUTES = ("token", "delta", "managedDevices", "groups", "members")
TRUST_TYPES = {"entra": "AzureAd", "hybrid": "ServerAd", "registered": "Workplace"}

# What a client gets over by itself. The first ones tell how long to wait, so that the test does not take long.
PASSING = (lambda: graph_faults.throttled("0.01"), lambda: graph_faults.throttled("0.002", 503),
           lambda: graph_faults.throttled("0.02", 504), graph_faults.gzipped, lambda: graph_faults.slow(0.01),
           graph_faults.retry_after_on_success)
# What ends a listing. "short" ones are lies that only the shrink guard finds.
FATAL = (graph_faults.not_json, graph_faults.no_value, graph_faults.same_link,
         lambda: graph_faults.recorded("400 $skip"), lambda: graph_faults.recorded("403"),
         lambda: graph_faults.redirect("https://localhost/"),
         lambda: graph_faults.next_link(lambda link: link.replace("https://", "http://")),
         lambda: graph_faults.next_link(lambda link: link.replace("https://localhost", "https://127.0.0.1")))


class History:
    """A tenant, its fake Graph, the list that certdir makes of it and the one that it should make."""

    def __init__(self, seed, directory, graph_of):
        self.rng = rng = random.Random(f"history {seed}")
        self.groups = rng.sample(("Wi-Fi staff", "O'Brien & Söhne", "VLAN 20"), rng.randint(0, 3))
        self.gentle = rng.random() < 0.4  # little goes away, so that the shrink guard can be on and lies can be told
        self.tenant = Tenant(seed, rng.randint(20, 60) if self.gentle else rng.randint(0, 40),
                             enrolled=0.9 if self.gentle else 0.6, intune=self.gentle or rng.random() < 0.85,
                             groups=self.groups)
        for _ in range(2):
            self.tenant.add_group("nested")
        self.graph = graph_of(FakeGraph(self.tenant, seed, delta.Habits.seeded(rng), rng.choice((2, 7, 1000))))
        self.graph.lists_ethernet = rng.random() < 0.5
        ways = [(name, name.upper(), self.tenant.group_named(name)[0]) for name in self.groups]
        self.options = Options(groups=tuple(map(rng.choice, ways)))
        if not self.gentle and rng.random() < 0.5:
            self._choose_filter()
        self.published = Published(self.options, lists_ethernet=self.graph.lists_ethernet)
        self.sync = Sync(directory, self.graph, **self._configuration())
        self.seldom = rng.random() < 0.4  # Intune is listed now and then only
        if self.seldom:
            self.sync.set(intune_interval="1h")
        self.sync.list["max_shrink"] = "10%" if self.gentle else "100%"
        self.events = [f"gentle={self.gentle} seldom={self.seldom} {self.options}"]

    def _choose_filter(self):
        rng, options = self.rng, self.options
        options.only_enabled = rng.random() < 0.3
        if rng.random() < 0.4:
            options.join_types = tuple(rng.sample(sorted(TRUST_TYPES), 2))
        if rng.random() < 0.4:
            options.operating_systems = ("windows", "MACOS", "iOS")
        if rng.random() < 0.3:
            options.ownerships = ("company",)
        if rng.random() < 0.5:
            options.extension_attributes = tuple(rng.sample(range(1, 16), rng.choice((1, 8, 15))))

    def _configuration(self):
        options = self.options
        return {"group": list(options.groups), "only_enabled": "yes" if options.only_enabled else None,
                "trust_types": ", ".join(TRUST_TYPES[name] for name in options.join_types) or None,
                "operating_systems": ", ".join(options.operating_systems) or None,
                "ownership": ", ".join(options.ownerships) or None,
                "extension_attributes": " ".join(map(str, options.extension_attributes)) or None}

    # -- one round --

    def round(self, number):
        rng, graph = self.rng, self.graph
        if number:
            self.tenant.live(rng.choice((0, 1, 5, 20)), self.gentle)
        graph.behave()
        graph.habits = delta.Habits.seeded(rng)
        arguments = ["--full"] if rng.random() < (0.3 if self.seldom else 0.1) else []
        if rng.random() < 0.2:
            form = rng.choice(sorted(EXPIRIES))
            graph.expire_delta(form)
            self.events.append(f"round {number}: expiry {form}")
        fatal = self._order(number)
        self._sync(number, arguments, fatal)

    def _order(self, number):
        """Orders what goes wrong; the routes that must not end well. Of several orders the first counts."""
        rng, graph = self.rng, self.graph
        fatal = self._order_fatal(number) if number and rng.random() < 0.25 else set()
        for _ in range(rng.choice((0, 0, 1, 4))):
            what, route = rng.choice(PASSING), rng.choice((*ROUTES, "*"))
            graph.order(route, what(), skip=rng.randint(0, 3))
        if rng.random() < 0.2:
            graph.order(rng.choice(ROUTES[1:]), graph_faults.recorded("401"), skip=rng.randint(0, 3))
        if rng.random() < 0.2:
            route = rng.choice(("delta", "managedDevices", "members"))
            graph.order(route, graph_faults.recorded("400 Directory_ExpiredPageToken"), skip=rng.randint(0, 2))
        return fatal

    def _order_fatal(self, number):
        rng, graph = self.rng, self.graph
        if self.gentle and len(self.tenant.records) > 15 and graph.page_size == 1000 and rng.random() < 0.5:
            graph.order("managedDevices", graph_faults.short(), times=None)
            self.events.append(f"round {number}: half of the Intune records")
            return {"managedDevices"}
        fault, route = rng.choice(FATAL), rng.choice(ROUTES[1:])
        graph.order(route, fault(), times=None)
        self.events.append(f"round {number}: fatal on {route}")
        return {route}

    def _sync(self, number, arguments, fatal):
        before = self.sync.list_file.read_bytes() if self.sync.list_file.exists() else None
        run = self.sync.run(*arguments, code=None)
        results = run.results()
        notes = [part["note"] for part in run.parts().values() if part["note"]]
        self.events.append(f"round {number}: {run.code} {results} {notes}")
        assert run.code in (DONE, SOME, NONE, SHRUNK), run.err
        self._check_results(results, fatal, run)
        started = time.time()
        if results["devices"] == "done":
            self.published.devices_done(self.tenant, started)
        if results["intune"] == "done":
            self.published.intune_done(self.tenant)
        if results["intune"] == "shrunk":
            self.published.intune_short(self.tenant)
        if results["groups"] == "done":
            self.published.groups_done(self.tenant)
        if not run.report["published"]:
            assert (self.sync.list_file.read_bytes() if self.sync.list_file.exists() else None) == before
        assert_same(self.sync.listed(), arranged(self.published.devices(started)))
        assert not self.graph.violations and not self.sync.leftovers()

    def _check_results(self, results, fatal, run):
        """What nothing was done to ends well, and what cannot end well does not."""
        ends = {"devices": {"delta"}, "intune": {"delta", "managedDevices"}, "groups": {"delta", "groups", "members"}}
        for part, routes in ends.items():
            if not routes & fatal:
                assert results[part] in ("done", "skipped"), run.err
        if "delta" in fatal:
            assert results["devices"] != "done"
        if "managedDevices" in fatal and self.tenant.intune:
            assert results["intune"] != "done"
        if self.tenant.intune and not self.seldom and not fatal & {"delta", "managedDevices"}:
            assert results["intune"] == "done"


@pytest.fixture
def history(tmp_path):
    running = []

    def make(seed):
        def start(graph):
            running.append(graph.start())
            return graph
        return History(seed, tmp_path / "sync", start)

    yield make
    for graph in running:
        graph.stop()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_history(history, seed):
    story = history(seed)
    try:
        for number in range(8):
            story.round(number)
    except AssertionError:
        print("\n".join(story.events))
        raise
