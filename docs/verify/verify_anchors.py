#!/usr/bin/env python3
"""Verifies downloaded anchors of a Countersign trail, and an export against them, trusting nobody but the key you give it.

Uses verify.py beside it for keys, notes, canonical JSON and exports, and nothing of the server. ../anchors.md says what is in
an anchor. The folder is the bucket's top, names kept: aws s3 sync s3://my-anchors ./anchors

Exit code: 0 nothing was changed, 1 something was changed (it says what and where), 2 it could not be checked.
"""

import argparse
import datetime
import gzip
import hashlib
import json
import pathlib
import re
import sys
import zlib

from verify import Head, Key, Refused, check_statement, members_of, read_canonical, read_checkpoint, verify_export

MEMBERS = ("chain_id", "checkpoint", "count", "created_at", "first_seq", "last_seq", "prev_anchor_key", "prev_anchor_sha256",
           "root", "sequence", "signature", "version")
CHAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
DIGEST = re.compile(r"[0-9a-f]{64}")
ANCHOR_BYTES_MAX = 100_000


def names_of(chain, created_at):
    """Where an anchor of this moment may lie: by the hour, and finer where the hour was taken."""
    digits = re.sub(r"\D", "", created_at)
    folder = f"{chain}/{digits[:4]}/{digits[4:6]}/{digits[6:8]}/{digits[8:10]}"
    return [f"{folder}/anchor-{digits[:8]}T{digits[8:length]}.json" for length in (10, 12, 14, 17)]


def count_of(anchor, name):
    value = anchor[name]
    if not isinstance(value, float) or value != int(value) or value < 0:
        raise Refused(f"its {name} is no count")
    return int(value)


def read_anchor(name, data, key):
    """The anchor and its checkpoint, once both signatures, its numbers and its place were checked."""
    if len(data) > ANCHOR_BYTES_MAX:
        raise Refused("it is too long")
    anchor = members_of(read_canonical(data), "the anchor", MEMBERS)
    for text in ("chain_id", "checkpoint", "created_at", "root", "signature"):
        if not isinstance(anchor[text], str):
            raise Refused(f"its {text} is no text")
    if anchor["version"] != 2 or not CHAIN.fullmatch(anchor["chain_id"]) or not DIGEST.fullmatch(anchor["root"]):
        raise Refused("its version, chain or root is not what an anchor has there")
    sequence, first, last = (count_of(anchor, part) for part in ("sequence", "first_seq", "last_seq"))
    if count_of(anchor, "count") != last - first + 1 or last < first:
        raise Refused("its count is not that of its entries")
    before, digest = anchor["prev_anchor_key"], anchor["prev_anchor_sha256"]
    if sequence == 0 and (before is not None or digest is not None or first != 0):
        raise Refused("it is the first and names one before it")
    if sequence > 0 and not (isinstance(before, str) and isinstance(digest, str) and DIGEST.fullmatch(digest)):
        raise Refused("it does not name the one before it")
    check_statement(key, "anchor", anchor["signature"], {part: anchor[part] for part in MEMBERS if part != "signature"})
    head = read_checkpoint(anchor["checkpoint"], key)
    if head.size != last + 1 or head.root.hex() != anchor["root"]:
        raise Refused("its checkpoint is of another size or root")
    try:
        datetime.datetime.strptime(anchor["created_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        raise Refused("its created_at is no moment") from None
    if name not in names_of(anchor["chain_id"], anchor["created_at"]):
        raise Refused(f"it was made at {anchor['created_at']}, which is not where it lies")
    return anchor


def check_link(previous, name, anchor):
    """What is wrong between an anchor and the one before it; (name, digest, anchor) or nothing before the first."""
    expected = 0 if previous is None else int(previous[2]["sequence"]) + 1
    sequence = int(anchor["sequence"])
    if sequence < expected:
        return f"{name} and {previous[0]} are both anchor {sequence}: the log was forked."
    if sequence > expected:
        which = f"Anchor {expected} is" if sequence == expected + 1 else f"Anchors {expected} to {sequence - 1} are"
        return f"{which} missing before {name}."
    if previous is None:
        return None
    before, digest, known = previous
    if (anchor["prev_anchor_key"], anchor["prev_anchor_sha256"]) != (before, digest):
        return f"{name} follows another object than {before} as it is: one of them was replaced."
    if anchor["first_seq"] != known["last_seq"] + 1:
        return f"{name} does not begin where {before} ended."
    return None


def verify_chain(files, key, chain=None):
    """Every anchor of the folder: (report, heads). Files are pairs of a name below the bucket's top and its bytes."""
    faults, known = [], []
    for name, data in sorted(files):
        try:
            anchor = read_anchor(name, data, key)
        except Refused as cause:
            faults.append(f"{name} was changed, moved or forged: {cause}.")
            continue
        chain = chain or anchor["chain_id"]
        if anchor["chain_id"] != chain:
            faults.append(f"{name} belongs to the chain {anchor['chain_id']}, not to {chain}.")
            continue
        known.append((name, hashlib.sha256(data).hexdigest(), anchor))
    known.sort(key=lambda one: one[2]["sequence"])
    previous, heads = None, []
    for one in known:
        if fault := check_link(previous, one[0], one[2]):
            faults.append(fault)
        head = read_checkpoint(one[2]["checkpoint"], key)
        heads.append(Head(head.size, head.root, f"Anchor {int(one[2]['sequence'])}"))
        previous = one
    last = previous and {"key": previous[0], "sequence": int(previous[2]["sequence"]), "size": heads[-1].size}
    return {"ok": not faults, "anchors": len(known), "faults": faults, "last": last}, heads


def read_archives(folder, key):
    """Archives that were downloaded too: what is wrong with each by itself, and the head of the log it leads to."""
    faults, heads = [], []
    for path in sorted(folder.rglob("archive/*.jsonl.gz")):
        name = path.relative_to(folder).as_posix()
        try:
            with gzip.open(path, "rb") as file:
                report = verify_export(file, [], key, [])
        except (Refused, OSError, EOFError, zlib.error) as cause:
            faults.append(f"{name} cannot be read: {cause}.")
            continue
        faults += [f"{name}: {fault['says']}" for fault in report["faults"]]
        if report["hidden"]:
            faults.append(f"{name} lacks entries.")
        # The same root over as many entries is the same entries.
        heads.append(Head(report["size"], bytes.fromhex(report["root"]), f"The archive {name}"))
    return faults, heads


def check_digests(folder, removed):
    """Archives that are not, byte for byte, what the stub in the log names."""
    there = [(stub, folder / stub["archive_key"]) for stub in removed if (folder / stub["archive_key"]).is_file()]
    return [f"{stub['archive_key']} is not the archive its stub names: it was changed or replaced."
            for stub, path in there if hashlib.sha256(path.read_bytes()).hexdigest() != stub["archive_sha256"]]


def verify(given):
    key = Key(given.key)
    folder = pathlib.Path(given.folder)
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name.startswith("anchor-")]
    if not paths:
        raise Refused(f"there are no anchors in {folder}")
    chain, heads = verify_chain([(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths], key)
    if given.export is None:
        return {"ok": chain["ok"], "anchors": chain}
    archives, ends = read_archives(folder, key)
    with open(given.export, "rb") as file:
        log = verify_export(file, [*heads, *ends], key, [])
    archives += check_digests(folder, log["removed"])
    return {"ok": chain["ok"] and log["ok"] and not archives, "anchors": chain, "log": log, "archives": archives}


def say(report):
    chain, log = report["anchors"], report.get("log")
    last = chain["last"]
    lines = [f"{chain['anchors']} anchors read" + (f"; the last is number {last['sequence']}, over {last['size']} entries." if last else ".")]
    if log:
        lines.append(f"{log['entries']} entries recomputed, {log['heads_compared']} heads compared.")
    lines += [f"  {fault}" for fault in chain["faults"]] + [f"  {fault}" for fault in report.get("archives", [])]
    lines += [f"  {fault['says']}" for fault in (log or {}).get("faults", [])]
    return "\n".join([*lines, "Nothing was changed." if report["ok"] else "Something was changed."])


def main():
    parser = argparse.ArgumentParser(description="Verifies downloaded anchors of a Countersign trail, and an export against them.")
    parser.add_argument("folder", help="the bucket's content, names kept")
    parser.add_argument("--export", help="an export of the trail, to be held against every anchor")
    parser.add_argument("--key", required=True, help="the log's key, as /trail/key showed it when you first trusted it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        report = verify(given)
    except (OSError, UnicodeError, Refused) as cause:
        print(f"verify_anchors.py: {given.folder} cannot be checked: {cause}", file=sys.stderr)
        return 2
    print(json.dumps(report) if given.json else say(report))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
