"""Packages of made-up revealed schemes, written event by event as a running system would."""

import hashlib
import json

from randomisation.engine.labels import fingerprint
from randomisation.engine.lists import rows_for
from randomisation.engine.margins import Design, Margins
from randomisation.engine.minimisation import minimise
from randomisation.engine.parameters import read_parameters, stratum_key, stratum_keys
from randomisation.engine.source import commitment, derive_seed

SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
AGE = {"code": "age", "levels": ["u65", "65p"], "weight": 1}
BLOCKS = {"method": "permuted_blocks", "block_sizes": [4, 6], "backup_block_sizes": [2, 4]}
MINIMISED = {
    "method": "minimisation",
    "imbalance": "range",
    "p": "4/5",
    "burn_in": 2,
    "overall_weight": 1,
    "unequal": "pseudo_arms",
    "backup_block_sizes": [3],
}
OLD, YOUNG = {"site": "01", "age": "65p"}, {"site": "02", "age": "u65"}


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class Revision:
    """A revision and its state, kept plainly: the margins are counted anew for every draw."""

    def __init__(self, number, *, contribution="", ratio=(1, 1), factors=(SITE, AGE), import_file=None, **own):
        self.contribution, self.import_file = contribution, import_file
        self.number, self.secret = number, bytes([number]) * 32
        self.given = {
            "algorithm": "trial-randomisation/1",
            "scheme": "main",
            "revision": number,
            "arms": ["nature", "indoor"],
            "ratio": list(ratio),
            "factors": list(factors),
            "contribution_source": "two texts" if contribution else "none",
            **own,
        }
        self.parameters = read_parameters(self.given)
        self.seed = derive_seed(self.secret, contribution)
        self.commitment = commitment(self.secret, self.parameters.canonical())
        self.arms = {}
        if self.parameters.method != "minimisation":
            for key in stratum_keys(self.parameters.factors):
                self.make_list("list", key)
        for key in self.parameters.backup_keys():
            self.make_list("backup", key, n_rows=4)
        self.next = dict.fromkeys(self.arms, 1)

    def make_list(self, purpose, key, n_rows=12):
        if purpose == "list" and self.import_file:
            lines = [line.split(",") for line in self.import_file.splitlines() if not line.startswith("#")][1:]
            self.arms[purpose, key] = [self.given["arms"].index(line[2]) for line in lines if line[0] == key]
            return
        rows = rows_for(self.parameters, self.seed, purpose=purpose, key=key, n_rows=n_rows)
        self.arms[purpose, key] = [row.arm for row in rows]

    def fingerprint(self, purpose, key):
        name = f"backup:{key}" if purpose == "backup" else key
        codes = [self.given["arms"][arm] for arm in self.arms[purpose, key]]
        return name, fingerprint(self.seed, scheme="main", revision=self.number, key=name, codes=codes)

    def shown(self):
        pairs = [self.fingerprint(*place) for place in self.arms]
        return {name: digits[:16] for name, digits in pairs}

    def packed(self):
        return {
            "number": self.number,
            "params": json.loads(self.parameters.canonical()) | {"factors": self.given["factors"]},
            "secret": self.secret.hex(),
            "contribution": self.contribution,
            "commitment": self.commitment,
            "import_file": self.import_file,
            "lists": [
                {"purpose": p, "key": k, "n_rows": len(arms), "fingerprint": self.fingerprint(p, k)[1]}
                for (p, k), arms in self.arms.items()
            ],
        }


class Scheme:
    """Writes the log. Allocations are kept as dicts, and every margin is counted from them when it is needed."""

    def __init__(self):
        self.revisions, self.events, self.allocations = {}, [], []
        self.digest = ""

    def log(self, event, facts, seq=None):
        n = len(self.events) + 1
        entry = canonical(
            {
                "n": n,
                "time": "2026-03-01T09:00:00",
                "event": event,
                "seq": seq,
                "actor": "1",
                "facts": facts,
                "token_sha256": None,
            }
        )
        self.digest = hashlib.sha256(bytes.fromhex(self.digest) + entry.encode("ascii")).hexdigest()
        self.events.append({"entry": entry, "digest": self.digest})

    def lock(self, revision):
        self.revisions[revision.number] = revision
        self.digest = self.digest or revision.commitment
        early = {} if revision.contribution else revision.shown()
        number = revision.number
        self.log("lock", {"revision": number, "commitment": revision.commitment, "fingerprints": early})
        self.log("contribution", {"revision": number, "fingerprints": revision.shown()})
        self.log("open", {"revision": number})
        return revision

    def extend(self, revision, n_rows):
        for purpose, key in revision.arms:
            if purpose == "list":
                revision.make_list(purpose, key, n_rows)
        facts = {"revision": revision.number, "rows_per_stratum": n_rows, "fingerprints": revision.shown()}
        self.log("extend", facts)

    def add_level(self, revision, factor, level):
        levels = {"site": ["03"]} if (factor, level) == ("site", "03") else {factor: [level]}
        revision.parameters = revision.parameters.with_levels(levels)
        if revision.parameters.method != "minimisation":
            for key in stratum_keys(revision.parameters.factors):
                if ("list", key) not in revision.arms:
                    revision.make_list("list", key)
                    revision.next["list", key] = 1
        if f"site={level}" in revision.parameters.backup_keys():
            revision.make_list("backup", f"site={level}", n_rows=4)
            revision.next["backup", f"site={level}"] = 1
        facts = {"revision": revision.number, "factor": factor, "level": level, "fingerprints": revision.shown()}
        self.log("add_level", facts)

    def allocate(self, revision, *members, source="online", purpose=None):
        members, seq = list(members), len(self.allocations) + 1
        is_minimised = revision.parameters.method == "minimisation"
        purpose = purpose or ("backup" if source == "backup" else "min" if is_minimised else "list")
        factors = revision.parameters.site_factors if purpose == "backup" else revision.parameters.factors
        key, position = stratum_key(factors, members[0]), None
        made = {"seq": seq, "members": members, "revision": revision, "excluded_after": None, "working": {}}
        if purpose == "min":
            draw = minimise(self.margins(revision), members=members, seq=seq, seed=revision.seed)
            arm, made["working"][revision.number] = draw.arm, draw.working_arm
        else:
            position = revision.next[purpose, key]
            revision.next[purpose, key] += 1
            arm = revision.arms[purpose, key][position - 1]
        made["arm"] = revision.given["arms"][arm]
        for other in self.revisions.values():
            self.place(other, made)
        self.allocations.append(made)
        facts = {
            "revision": revision.number,
            "source": source,
            "purpose": purpose,
            "stratum": key,
            "position": position,
        }
        event = {"online": "allocate", "backup": "backup", "recovered": "recovered"}[source]
        self.log(event, {**facts, "members": members, "site": members[0].get("site", "")}, seq)

    def place(self, revision, made):
        """The pseudo-arm of an allocation of which `revision` knows only the arm."""
        if revision.parameters.method != "minimisation" or revision.number in made["working"]:
            return
        if made["arm"] in revision.given["arms"]:
            arm = revision.given["arms"].index(made["arm"])
            margins = self.margins(revision)
            own = margins.design.working_arms_of(arm)
            made["working"][revision.number] = min(own, key=lambda w: (margins.overall[w], w))

    def margins(self, revision):
        margins = Margins(Design.of(revision.parameters))
        now = len(self.allocations)
        for made in self.allocations:
            still_counts = made["excluded_after"] is None or made["excluded_after"] > now
            if still_counts and revision.number in made["working"]:
                margins.add(made["working"][revision.number], made["members"])
        return margins

    def lock_later(self, revision):
        """Lock a revision when there are allocations already: each is put on a pseudo-arm in turn."""
        self.lock(revision)
        made, self.allocations = self.allocations, []
        for one in made:
            self.place(revision, one)
            self.allocations.append(one)
        return revision

    def exclude(self, seq):
        self.allocations[seq - 1]["excluded_after"] = len(self.allocations)
        self.log("exclude", {"reason": "duplicate"}, seq)

    def correct(self, seq, *members):
        self.allocations[seq - 1]["members"] = list(members)
        self.log("correct", {"members": list(members)}, seq)

    def package(self):
        return {
            "format": "trial-randomisation package",
            "version": "trial-randomisation/1",
            "scheme": "main",
            "name": "A made-up trial",
            "revisions": [revision.packed() for revision in self.revisions.values()],
            "events": self.events,
            "allocations": [{"seq": made["seq"], "arm": made["arm"]} for made in self.allocations],
        }


def people(n):
    """The first n of a fixed, uneven row of people."""
    return [{"site": f"0{1 + (i * i + i // 3) % 2}", "age": "65p" if i % 5 < 2 else "u65"} for i in range(n)]


def relinked(document, place, change):
    """The document with one entry changed and every digest after it made to fit, as a forger would."""
    entry = json.loads(document["events"][place]["entry"])
    change(entry)
    events = [dict(event) for event in document["events"]]
    events[place]["entry"] = canonical(entry)
    digest = document["revisions"][0]["commitment"]
    for event in events:
        digest = hashlib.sha256(bytes.fromhex(digest) + event["entry"].encode("ascii")).hexdigest()
        event["digest"] = digest
    return {**document, "events": events}
