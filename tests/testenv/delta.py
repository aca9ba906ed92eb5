# SPDX-License-Identifier: GPL-2.0-or-later
"""
What GET /devices/delta says: the pages of one round, from a tenant's journal.

What a client may rely on (learn.microsoft.com/graph/delta-query-overview, .../api/device-delta):
- A round tells the state at its time, not a log: objects come in no particular order, and one that changed several
  times may come several times. Of several occurrences the last one counts. So an earlier occurrence here may carry an
  earlier state, and the last one always carries everything that the earlier ones did, as it is now.
- "Replay": the same change again in a later round. What is replayed carries current values.
- A changed object carries its id and at least the changed properties. A property that was cleared is null; one that
  never had a value is left out of whole objects.
- Properties that are not selected are not tracked: their changes do not bring the object.
- @removed has reason "changed" (can be restored) or "deleted"; deleted objects that can be restored may come in the
  first round, too, and so may ones that the client never heard of. A restored object comes whole, like a new one.
- Pages may be empty, also between others; their size is the service's choice.
"""

from dataclasses import dataclass


@dataclass
class Habits:
    """How likely what is (0 to 1), for each object or page; the default is the plainest service."""

    page_size: int = 100
    uneven_pages: bool = False  # sizes from 1 to page_size
    empty_pages: float = 0
    repeats: float = 0  # an object once more in the same round
    replays: float = 0  # an object that did not change
    whole: float = 0  # all properties, not only those that changed
    older_states: float = 0  # an earlier state first
    older_names: bool = False  # and may it have another displayName
    removed_at_first: float = 0  # deleted objects in a first round

    @classmethod
    def seeded(cls, rng):
        return cls(page_size=rng.choice((1, 3, 10, 100)), uneven_pages=rng.random() < 0.5,
                   empty_pages=rng.choice((0, 0.3)), repeats=rng.choice((0, 0.3)),
                   replays=rng.choice((0, 0.3)), whole=rng.choice((0, 0.3, 1)), older_states=rng.choice((0, 0.5)),
                   removed_at_first=rng.choice((0, 1)))


def round_of(tenant, since, select, rng, habits):
    """
    The pages (lists of objects) of a round for a client that knows the tenant as of journal position `since`; None:
    knows nothing. `select` is a set of property names.
    """
    occurrences = []
    if since is None:
        stories = _first_stories(tenant, select, rng, habits)
    else:
        stories = _stories(tenant, since, select, rng, habits)
    for story in stories:
        places = sorted(rng.random() for _ in story)
        occurrences += zip(places, map(id, story), story)
    return _cut(rng, habits, [told for _, _, told in sorted(occurrences, key=lambda one: one[:2])])


def _cut(rng, habits, objects):
    pages = []
    while objects or not pages:
        size = rng.randint(1, habits.page_size) if habits.uneven_pages else habits.page_size
        pages.append(objects[:size])
        objects = objects[size:]
        if rng.random() < habits.empty_pages:
            pages.insert(rng.randint(0, len(pages)), [])
    return pages


def whole(tenant, device, select):
    """An object as a listing gives it: what never had a value is not there."""
    properties = tenant.devices[device]
    return {name: value for name, value in properties.items()
            if name == "id" or (name in select and (value not in (None, []) or name in tenant.ever_set[device]))}


def _part(tenant, device, names):
    properties = tenant.devices[device]
    return {"id": device, **{name: properties[name] for name in sorted(names) if name != "id"}}


def _removed(device, reason):
    return {"id": device, "@removed": {"reason": reason}}


def _first_stories(tenant, select, rng, habits):
    for device in tenant.devices:
        story = [whole(tenant, device, select)]
        _repeat(tenant, device, select, rng, habits, story)
        yield story
    for device in tenant.bin:
        if rng.random() < habits.removed_at_first:
            yield [_removed(device, "changed")]


def _repeat(tenant, device, select, rng, habits, story):
    if rng.random() < habits.repeats:
        again = story[-1]
        if device in tenant.devices and rng.random() < 0.5:
            again = _part(tenant, device, rng.sample(sorted(select), rng.randint(1, len(select))))
        story.append(dict(again))


def _stories(tenant, since, select, rng, habits):
    """For each object that is told of, its occurrences in their order."""
    changed = {}
    known = {device for device, _, _ in tenant.journal[:since]}
    for device, what, properties in tenant.journal[since:]:
        if what != "put" or select & set(properties) or device not in known:
            changed.setdefault(device, []).append((what, properties))
    for device, entries in changed.items():
        story = list(_older(device, entries, select, rng, habits))
        story.append(_latest(tenant, device, entries, device not in known, select, rng, habits))
        _repeat(tenant, device, select, rng, habits, story)
        yield story
    for device in sorted(known - set(changed)):
        if rng.random() < habits.replays:
            yield [_replay(tenant, device, select, rng)]


def _older(device, entries, select, rng, habits):
    for what, properties in entries[:-1]:
        if rng.random() >= habits.older_states:
            continue
        if what != "put":
            yield _removed(device, what)
            continue
        names = (select & set(properties)) - (set() if habits.older_names else {"displayName"})
        if names:
            yield {"id": device, **{name: properties[name] for name in sorted(names) if name != "id"}}


def _latest(tenant, device, entries, new, select, rng, habits):
    if device not in tenant.devices:
        return _removed(device, "changed" if device in tenant.bin else "deleted")
    if new or any(what != "put" for what, _ in entries) or rng.random() < habits.whole:
        return whole(tenant, device, select)
    return _part(tenant, device, select & {name for _, properties in entries for name in properties})


def _replay(tenant, device, select, rng):
    if device in tenant.devices:
        return _part(tenant, device, rng.sample(sorted(select), rng.randint(1, len(select))))
    return _removed(device, "changed" if device in tenant.bin else "deleted")
