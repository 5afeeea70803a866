#!/usr/bin/env python3
"""Verifies exports and proofs of a Countersign trail, trusting nobody but the key and the heads you give it.

Written from the specifications (RFC 6962, RFC 8785, C2SP signed-note, tlog-checkpoint and tlog-proof; README.md for what is
ours), independently of the server and its command line. Needs Python 3.9 and the package `cryptography`; reads no network.

Exit code: 0 nothing was changed, 1 something was changed (it says what and where), 2 it could not be checked.
"""

import argparse
import base64
import calendar
import collections
import functools
import hashlib
import hmac
import json
import re
import sys
from decimal import Decimal

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("verify.py needs the package `cryptography`: apt-get install python3-cryptography, or pip install it.", file=sys.stderr)
    sys.exit(2)

class Refused(Exception):
    """What was given is not what it should be; the message says why."""

# ---------------------------------------------------------------- RFC 6962: the tree
def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()

def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()

def split_of(count):
    """The largest power of two smaller than count (RFC 6962 section 2.1)."""
    return 1 << (count - 1).bit_length() - 1

class Tree:
    """A log one leaf at a time: a stack of complete subtrees, each twice as large as the next or more."""

    def __init__(self, size=0, peaks=()):
        if bin(size).count("1") != len(peaks):
            raise Refused(f"a log of {size} entries has {bin(size).count('1')} peaks, not {len(peaks)}")
        self.size = size
        heights = [height for height in range(size.bit_length()) if size >> height & 1]
        self.stack = list(zip(reversed(heights), peaks))

    def add(self, leaf):
        height, node = 0, leaf
        while self.stack and self.stack[-1][0] == height:
            node = node_hash(self.stack.pop()[1], node)
            height += 1
        self.stack.append((height, node))
        self.size += 1

    def root(self):
        nodes = [node for _, node in reversed(self.stack)]
        return functools.reduce(lambda root, node: node_hash(node, root), nodes) if nodes else hashlib.sha256(b"").digest()

def root_by_path(index, size, leaf, path):
    """The root that an inclusion proof leads to: PATH(m, D[n]) of RFC 6962 section 2.1.1, read backwards."""
    if size == 1:
        if path:
            raise Refused("the path is longer than the tree is high")
        return leaf
    if not path:
        raise Refused("the path is shorter than the tree is high")
    middle, beside, rest = split_of(size), path[-1], path[:-1]
    if index < middle:
        return node_hash(root_by_path(index, middle, leaf, rest), beside)
    return node_hash(beside, root_by_path(index - middle, size - middle, leaf, rest))

def roots_by_path(old, new, path, old_root):
    """Old and new root that a consistency proof leads to: SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2."""
    if old == new:
        if len(path) != (0 if old_root else 1):
            raise Refused("the path has the wrong length")
        return (old_root or path[0],) * 2
    if not path:
        raise Refused("the path is too short")
    middle, beside, rest = split_of(new), path[-1], path[:-1]
    if old <= middle:
        before, after = roots_by_path(old, middle, rest, old_root)
        return before, node_hash(after, beside)
    before, after = roots_by_path(old - middle, new - middle, rest, None)
    return node_hash(beside, before), node_hash(beside, after)

# ---------------------------------------------------------------- RFC 8785: one value, one text
def number_text(value):
    """ECMAScript's Number::toString, which RFC 8785 section 3.2.2.3 asks for."""
    if value != value or value in (float("inf"), float("-inf")):
        raise Refused("a number is too large for JSON's numbers")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text, point, minus = "".join(map(str, digits)), len(digits) + exponent, "-" if sign else ""
    if len(text) <= point <= 21:
        return minus + text + "0" * (point - len(text))
    if 0 < point <= 21:
        return minus + text[:point] + "." + text[point:]
    if -6 < point <= 0:
        return minus + "0." + "0" * -point + text
    return f"{minus}{text[0]}{'.' if len(text) > 1 else ''}{text[1:]}e{'+' if point > 0 else '-'}{abs(point - 1)}"

def canonical(value, depth=0):
    if depth > 64:
        raise Refused("it is nested more than 64 levels deep")
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{canonical(name)}:{canonical(value[name], depth + 1)}" for name in names) + "}"

def unique_members(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("it has a member twice")
    return members

def read_canonical(data):
    """The value of bytes that are exactly the canonical writing of it."""
    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=unique_members, parse_int=float)
        written = canonical(value).encode("utf-8")
    except (UnicodeError, ValueError, RecursionError) as cause:
        raise Refused(f"it is not canonical JSON: {cause}") from None
    if written != data:
        raise Refused("it is JSON but not its canonical writing (RFC 8785)")
    return value

# ---------------------------------------------------------------- the entry, format 1 (README.md)
ENTRY_BYTES_MAX = 65535
WORD = re.compile(r"[a-z][a-z0-9_]*")
FORMS = {
    "outcome": WORD, "actor.credential": WORD, "subject.kind": WORD,
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "at": re.compile(r"\d{4}-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII),
    "act": re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"),
    "sealed.key": re.compile(r"[A-Za-z0-9_-]{43}"),
    "sealed.box": re.compile(r"[A-Za-z0-9_-]{2,}")}
LENGTHS = {"id": 36, "at": 24, "tenant": 200, "act": 100, "outcome": 40, "actor.id": 400, "actor.credential": 40,
           "actor.key_id": 200, "subject.kind": 100, "subject.id": 2000, "request.id": 200}
ACTOR_KINDS = {"person", "agent_key", "api_token", "system", "anyone"}

def members_of(value, where, required, optional=()):
    if not isinstance(value, dict):
        raise Refused(f"{where} is not an object")
    if missing := set(required) - value.keys():
        raise Refused(f"{where} has no {', '.join(sorted(missing))}")
    if unknown := value.keys() - set(required) - set(optional):
        raise Refused(f"{where} has {', '.join(sorted(unknown))}, which format 1 does not know")
    return value

def check_text(value, where):
    if not isinstance(value, str) or value == "":
        raise Refused(f"{where} is not a text of at least one character")
    if len(value.encode("utf-16-le")) // 2 > LENGTHS.get(where, ENTRY_BYTES_MAX):
        raise Refused(f"{where} is too long")
    if where in FORMS and not FORMS[where].fullmatch(value):
        raise Refused(f"{where} does not have the form of one")

def check_day(text):
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year or 400, month)[1]:
        raise Refused("at is no day of the calendar")

def read_entry(data):
    if len(data) > ENTRY_BYTES_MAX:
        raise Refused(f"it is longer than {ENTRY_BYTES_MAX} bytes")
    names = ("v", "id", "at", "tenant", "act", "outcome", "actor", "subject", "request", "details")
    entry = members_of(read_canonical(data), "the entry", names, ("sealed",))
    if not isinstance(entry["v"], float) or entry["v"] != 1:
        raise Refused("it is not of format 1")
    for name in ("id", "at", "act", "outcome") + (() if entry["tenant"] is None else ("tenant",)):
        check_text(entry[name], name)
    check_day(entry["at"])
    for part, required, optional in (
            ("actor", ("kind", "id"), ("credential", "key_id")), ("subject", ("kind", "id"), ()), ("request", (), ("id",))):
        for name, value in members_of(entry[part], part, required, optional).items():
            check_text(value, f"{part}.{name}")
    if entry["actor"]["kind"] not in ACTOR_KINDS:
        raise Refused("actor.kind is none that there is")
    if not isinstance(entry["details"], dict):
        raise Refused("details is not an object")
    sealed = entry.get("sealed", [{"key": "A" * 43, "box": "AA"}])
    if not isinstance(sealed, list) or not 1 <= len(sealed) <= 16:
        raise Refused("sealed is not a list of 1 to 16 boxes")
    for box in sealed:
        for name, value in members_of(box, "sealed", ("key", "box")).items():
            check_text(value, f"sealed.{name}")
    return entry

# ---------------------------------------------------------------- C2SP: keys, notes, checkpoints
def from_base64(text, what):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Refused(f"{what} is not base64 as it is written")
    return data

class Key:
    """A verifier key of C2SP signed-note: name+hash+base64(0x01, Ed25519 key)."""

    def __init__(self, text):
        name, short, encoded = [*text.strip().split("+", 2), "", ""][:3]
        data = from_base64(encoded, "the key")
        if not name or len(data) != 33 or data[0] != 1:
            raise Refused("the key is not one of Ed25519: name+hash+base64")
        self.name = name
        self.id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if self.id.hex() != short:
            raise Refused("the hash in the key is not that of its name and bytes: it was copied wrongly, or renamed")
        self.public = Ed25519PublicKey.from_public_bytes(data[1:])

    def open(self, note):
        """The text of a note that bears a good signature of this key; one bad signature of it spoils the note."""
        text, empty, signatures = note.rpartition("\n\n")
        if not empty or not signatures.endswith("\n"):
            raise Refused("it is no signed note: a text, an empty line and signatures")
        text += "\n"
        seen = False
        for line in signatures[:-1].split("\n"):
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            data = from_base64(encoded, "a signature")
            if dash != "\u2014" or not name or len(data) < 5:
                raise Refused("a line below the empty one is not a signature")
            if name != self.name or data[:4] != self.id:
                continue  # a witness, perhaps
            try:
                self.public.verify(data[4:], text.encode())
            except InvalidSignature:
                raise Refused(f"the signature of {name} is not one of this text") from None
            seen = True
        if not seen:
            raise Refused(f"it bears no signature of {self.name}")
        return text

Head = collections.namedtuple("Head", "size root by")  # so many entries have this root, as `by` said

def read_checkpoint(note, key):
    origin, size, root, *more = key.open(note).split("\n")
    if not more or more.pop() != "" or "" in more:
        raise Refused("the checkpoint is not three lines or more")
    if origin != key.name:
        raise Refused(f"the checkpoint is of the log {origin}, the key is that of {key.name}")
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", size):
        raise Refused("the second line of the checkpoint is no size")
    digest = from_base64(root, "the root")
    if len(digest) != 32:
        raise Refused("the third line of the checkpoint is not 32 bytes")
    return Head(int(size), digest, f"The checkpoint of {origin}")

def check_statement(key, kind, signature, said):
    """What else the log signs: a stub, an anchor; `said` without the signature itself."""
    if key.open(signature) != f"{key.name}/{kind}\nsha256:{hashlib.sha256(canonical(said).encode()).hexdigest()}\n":
        raise Refused(f"the signature is not one of this {kind}")

# ---------------------------------------------------------------- exports
HEX = rb"[0-9a-f]"
NUMBER = rb"(0|[1-9][0-9]{0,15})"
LOG = re.compile(rb'\{"countersign_trail":1,"peaks":\[((?:"' + HEX + rb'{64}",?)*)\],"size":' + NUMBER + rb"\}")
SHOWN = re.compile(
    rb'\{"entry":(.*),"leaf":"(' + HEX + rb'{64})"(?:,"mac":"(' + HEX + rb'{64})","mac_key":"(' + HEX + rb'{16})")?,"number":'
    + NUMBER + rb"\}", re.DOTALL)
HIDDEN = re.compile(rb'\{"leaf":"(' + HEX + rb'{64})","number":' + NUMBER + rb"\}")
HEAD = re.compile(rb'\{"head":\{"root":"(' + HEX + rb'{64})","size":' + NUMBER + rb"\}\}")
MAC_KEY_LABEL = b"countersign/trail/mac-key/1"

class Export:
    """One pass over an export: every leaf, number, id, MAC and head, and what is wrong with them."""

    def __init__(self, first_line, heads, key, mac_secrets):
        found = LOG.fullmatch(first_line)
        if not found:
            raise Refused("its first line does not tell where the log begins, so it is no export of a trail")
        self.tree = Tree(int(found[2]), [bytes.fromhex(peak.decode()) for peak in re.findall(HEX + rb"{64}", found[1])])
        self.begin = self.next = self.tree.size
        self.heads, self.key, self.whole = sorted(heads, key=lambda head: head.size), key, True
        self.macs = {hmac.new(secret, MAC_KEY_LABEL, "sha256").hexdigest()[:16]: secret for secret in mac_secrets}
        self.mac_seen, self.mac_counts = False, {"good": 0, "wrong": 0, "unknown_key": 0, "missing": 0}
        self.faults, self.ids, self.removed, self.hidden, self.compared, self.good_until = [], {}, [], 0, 0, self.begin
        self.compare_given()

    def blame(self, kind, number, says):
        self.faults.append({"is": kind, "number": number, "says": says})

    def compare(self, head):
        if not self.whole:  # with entries missing there is no tree to compare; the missing entries are the finding
            return
        self.compared += 1
        if head.root == self.tree.root():
            self.good_until = head.size
            return
        self.whole = False
        self.blame("head_differs", head.size, f"{head.by} over {head.size} entries differs from the root of the entries: "
                   f"one or more of the entries {self.good_until} to {head.size - 1} was changed, put in, left out or moved.")

    def compare_given(self):
        while self.heads and self.heads[0].size <= self.next:
            head = self.heads.pop(0)
            if head.size == self.next:
                self.compare(head)

    def line(self, place, line):
        if found := SHOWN.fullmatch(line):
            self.shown(found)
        elif found := HIDDEN.fullmatch(line):
            self.hidden += 1
            self.append(int(found[2]), bytes.fromhex(found[1].decode()))
        elif found := HEAD.fullmatch(line):
            self.head(place, Head(int(found[2]), bytes.fromhex(found[1].decode()), "The head in the export"))
        elif line.startswith((b'{"checkpoint":"', b'{"removed":{')):
            self.signed(place, line)
        else:
            self.blame("unreadable", None, f"Line {place} was changed: it is none of an export.")

    def shown(self, found):
        data, number = found[1], int(found[5])
        leaf = leaf_hash(data)
        if leaf.hex().encode() != found[2]:
            self.blame("changed", number, f"Entry {number} was changed: its bytes do not have the leaf hash beside them.")
        try:
            entry = read_entry(data)
            if (before := self.ids.setdefault(entry["id"], number)) != number:
                self.blame("repeated", number, f"Entry {number} has the id of entry {before}: one of them was put in.")
        except Refused as cause:
            self.blame("malformed", number, f"Entry {number} is not an entry of format 1: {cause}.")
        if self.macs:
            self.mac(number, data, found[3], found[4])
        self.append(number, leaf)

    def mac(self, number, data, value, name):
        secret, found = self.macs.get((name or b"").decode()), "missing" if value is None else "unknown_key"
        if secret:
            found = "good" if hmac.new(secret, data, "sha256").hexdigest().encode() == value else "wrong"
        self.mac_counts[found] += 1
        says = {"wrong": "does not have the MAC of its bytes", "unknown_key": "has a MAC made with a secret that was not given",
                "missing": "has no MAC although earlier ones have" if self.mac_seen else None}.get(found)
        if says:
            self.blame(f"mac_{found.split('_')[0]}", number, f"Entry {number} {says}.")
        self.mac_seen |= found != "missing"

    def append(self, number, leaf):
        if number < self.next:
            self.blame("reordered", number, f"Entry {number} comes after entry {self.next - 1}.")
            return
        if number > self.next:
            self.whole = False
            which = f"Entry {self.next} is" if number == self.next + 1 else f"Entries {self.next} to {number - 1} are"
            self.blame("missing", self.next, f"{which} missing.")
        self.tree.add(leaf)
        self.next = number + 1
        self.compare_given()

    def head(self, place, head):
        if head.size == self.next:
            return self.compare(head)
        self.blame("unreadable", None, f"Line {place} was changed: it is over {head.size} entries but stands after {self.next}.")

    def signed(self, place, line):
        try:
            [(kind, said)] = read_canonical(line).items()
            self.head(place, read_checkpoint(said, self.key)) if kind == "checkpoint" else self.stub(**said)
        except (Refused, ValueError, KeyError, TypeError, AttributeError) as cause:
            self.blame("unreadable", None, f"Line {place} was changed: what is signed in it cannot be trusted: {cause}.")

    def stub(self, signature, **said):
        """What stands before the leaves of entries that were archived and removed after their time."""
        check_statement(self.key, "stub", signature, said)
        if not said["first"] <= self.next <= said["last"]:
            raise Refused("the stub speaks of other entries than those behind it")
        self.removed.append(said)

    def finish(self):
        for head in self.heads:
            self.blame("cut_off", self.next, f"{head.by} counts {head.size} entries; only {self.next} are here: the end was cut off.")
        report = {"ok": not self.faults, "entries": self.next - self.begin, "hidden": self.hidden, "size": self.next,
                  "root": self.tree.root().hex(), "heads_compared": self.compared,
                  "removed": self.removed, "fault_count": len(self.faults), "faults": self.faults[:100]}
        return {**report, "macs": self.mac_counts} if self.macs else report

def verify_export(file, heads, key, mac_secrets):
    export = Export(file.readline().rstrip(b"\n"), heads, key, mac_secrets)
    for place, line in enumerate(file, 2):
        export.line(place, line[:-1] if line.endswith(b"\n") else line)
    return export.finish()

# ---------------------------------------------------------------- proofs
def read_path(lines):
    path = [from_base64(line, "a line of the path") for line in lines]
    if any(len(node) != 32 for node in path) or len(path) > 64:
        raise Refused("the path is not at most 64 hashes of 32 bytes")
    return path

def require_same(head, given):
    for other in given:
        if other.size == head.size and other.root != head.root:
            raise Refused(f"{other.by} over {other.size} entries differs from the one in the proof: the log was forked")

def verify_entry_proof(text, heads, key):
    """C2SP tlog-proof; the extra data is the entry."""
    top, empty, note = text.partition("\n\n")
    lines = top.split("\n")
    if not empty or not re.match(r"[^\n]+\nextra [^\n]+\nindex (0|[1-9][0-9]{0,15})(\n|$)", top):
        raise Refused("it is no C2SP tlog-proof with the entry as extra data")
    data, number = from_base64(lines[1][6:], "the entry"), int(lines[2][6:])
    head = read_checkpoint(note, key)
    require_same(head, heads)
    if number >= head.size or root_by_path(number, head.size, leaf_hash(data), read_path(lines[3:])) != head.root:
        raise Refused(f"entry {number} as it stands in the proof is not in the log of {head.size} entries that was signed: "
                      "the entry, its number or the path was changed")
    says = f"Entry {number} is in the log {key.name}, as it stands here, under its checkpoint over {head.size} entries."
    return {"ok": True, "says": says, "number": number, "size": head.size, "entry": read_entry(data)}

def verify_continuation(text, heads, key):
    try:
        proof = json.loads(text)
        older, newer = (read_checkpoint(proof[name], key) for name in ("older", "newer"))
        path = read_path(proof["proof"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("it is no proof of continuation") from None
    for head in (older, newer):
        require_same(head, heads)
    if replayed := [head for head in heads if head.size > newer.size]:
        raise Refused(f"{replayed[0].by} counts {replayed[0].size} entries, the newer one in the proof {newer.size}: it was replayed")
    says = f"the log of {newer.size} entries does not begin with the {older.size} that were signed before: it was forked"
    if older.size > newer.size or older.size == 0 and path:
        raise Refused(says)
    if older.size and roots_by_path(older.size, newer.size, path, older.root) != (older.root, newer.root):
        raise Refused(says)
    return {"ok": True, "says": f"The log {key.name} with {newer.size} entries begins with the {older.size} that were signed "
            "before, unchanged.", "from": older.size, "size": newer.size}

# ---------------------------------------------------------------- the command
def read_head(text):
    if not (found := re.fullmatch(r"(0|[1-9][0-9]{0,14}):([0-9a-f]{64})", text.strip())):
        raise argparse.ArgumentTypeError("a head is the size, a colon and 64 hexadecimal digits")
    return Head(int(found[1]), bytes.fromhex(found[2]), "The head you gave")

def read_text(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()

def verify(given):
    key = Key(given.key)
    heads = [*given.head, *(read_checkpoint(read_text(path), key) for path in given.checkpoint)]
    secrets = read_text(given.mac_secret_file).encode().splitlines() if given.mac_secret_file else []
    with open(given.file, "rb") as file:
        beginning = file.read(40)
        file.seek(0)
        if beginning.startswith(b'{"countersign_trail"'):
            return verify_export(file, heads, key, [secret for secret in secrets if secret])
    try:
        if beginning.startswith(b"c2sp.org/tlog-proof@v1\n"):
            return verify_entry_proof(read_text(given.file), heads, key)
        return verify_continuation(read_text(given.file), heads, key)
    except Refused as cause:
        return {"ok": False, "says": f"{given.file}: {cause}."}

def say(report):
    return report["says"] if "says" in report else "\n".join([f"{report['entries']} entries recomputed, {report['hidden']} of them from their leaf.",
                      *(f"Entries {span['first']:.0f} to {span['last']:.0f} were removed on {span['removed_at']}, archived as "
                        f"{span['archive_key']}, SHA-256 {span['archive_sha256']}." for span in report["removed"]),
                      f"{report['heads_compared']} heads compared.", f"Head: {report['size']}:{report['root']}",
                      *(f"  {fault['says']}" for fault in report["faults"]),
                      "Nothing was changed." if report["ok"] else f"{report['fault_count']} fault{'' if report['fault_count'] == 1 else 's'}."])

def main():
    parser = argparse.ArgumentParser(description="Verifies an export or a proof of a Countersign trail.")
    parser.add_argument("file", help="an export, a .tlog-proof or a proof of continuation")
    parser.add_argument("--key", required=True, help="the log's key, as /trail/key showed it when you first trusted it")
    parser.add_argument("--checkpoint", action="append", default=[], help="a signed checkpoint kept elsewhere")
    parser.add_argument("--head", action="append", default=[], type=read_head, help="a head kept elsewhere, size:root")
    parser.add_argument("--mac-secret-file", help="check keyed MACs too, with these secrets, one a line")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        report = verify(given)
    except (OSError, UnicodeError, Refused) as cause:
        print(f"verify.py: {given.file} cannot be checked: {cause}", file=sys.stderr)
        return 2
    print(json.dumps(report) if given.json else say(report))
    return 0 if report["ok"] else 1

if __name__ == "__main__":
    sys.exit(main())
