"""Which operations and statuses of docs/openapi.json a run of scenarios saw, and what it may not miss.

A whole run has to see every way in which each operation succeeds, and each refusal at least once, with whatever operation:
so the comparison of document and server cannot shrink in silence.
"""
import collections
import json
import os

import contract

# What no scenario brings about for certain, and why. "operation status", or "status" of a refusal.
EXCEPTIONS = {
    "500": "the server's disk or database has to fail without being full: unit tests inject that; here it is chance, when "
           "PostgreSQL's processes are killed",
}


def merged(folder):
    """What all grids of the run noted: counts of "operation status"; of exchanges, those that were cut, seconds it took."""
    seen, sums = collections.Counter(), collections.Counter()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            noted = json.load(file)
        seen.update(noted["seen"])
        sums.update({name: noted[name] for name in ("exchanges", "cut", "seconds")})
    return seen, sums


def succeeds(pair):
    return int(pair.split()[1]) in contract.TAKEN


def missing(seen):
    """What a whole run had to see and did not; and exceptions to nothing."""
    described = contract.document().statuses()
    wanted = {pair for pair in described if succeeds(pair)} | {pair.split()[1] for pair in described if not succeeds(pair)}
    found = {pair for pair in seen if succeeds(pair)} | {pair.split()[1] for pair in seen if not succeeds(pair)}
    lines = [f"{pair} was not seen" for pair in sorted(wanted - found - set(EXCEPTIONS))]
    return lines + [f"{pair} is an exception, and not in the document" for pair in EXCEPTIONS if pair not in wanted]


def report(folder, whole):
    """Say what was seen; True: nothing is missing, or only some scenarios were asked for."""
    seen, sums = merged(folder)
    described = contract.document().statuses()
    operations = {pair.split()[0] for pair in described} - {"-"}
    print(f"{sums['exchanges']} exchanges were held against docs/openapi.json in {sums['seconds']:.0f} s of processor time "
          f"({sums['cut']} more were cut): "
          f"{len({pair.split()[0] for pair in seen} - {'-'})} of {len(operations)} operations, "
          f"{len(set(seen) & set(described))} of {len(described)} of their statuses")
    lines = missing(seen) if whole else []
    for line in lines:
        print(f"  {line}")
    return not lines
