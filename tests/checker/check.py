#!/usr/bin/env python3
"""Verifies an exported ledger with the standard library alone, written from docs/format.md.

    python3 check.py EXPORT_DIR

Prints {"ok": true, "entries", "root", "lines", "accounts"} and exits 0, or {"ok": false, "first_bad": {seq, reason}} and exits 1.
"""
import base64
import datetime
import hashlib
import json
import re
import sys
from pathlib import Path

MAX = 2**53 - 1
KEYS = {"at", "body", "by", "cash", "kind", "ledger", "post", "prev", "seq", "v"}
LINE = re.compile(r"[a-z0-9_.]{1,40}/(?:[A-Z]{3}|[a-z]{1,16}:[A-Za-z0-9._-]{1,32})")
UNIT = re.compile(r"[A-Z]{3}|[a-z]{1,16}:[A-Za-z0-9._-]{1,32}")
GRAMMAR = {
    "ledger": re.compile(r"(?=.{1,100}$)[a-z0-9.-]+(/[a-z0-9-]+)+"),
    "by": re.compile(r"[a-z0-9_]{1,40}"),
    "kind": re.compile(r"(?=.{1,40}$)[a-z_]+\.[a-z_]+"),
    "prev": re.compile(r"[0-9a-f]{64}"),
    "at": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII),
}
ACCOUNT = re.compile(r"[a-z0-9_/-]{1,40}")


class Bad(Exception):
    """A rule is broken; the text says which."""


# ---- canonical JSON ----------------------------------------------------------------------------------------------------------

def canonical(value, depth=0):
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) > MAX:
            raise Bad("an integer beyond 2^53-1")
        return str(value)
    if isinstance(value, str):
        short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
        return '"' + "".join(short.get(ord(c)) or (f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in value) + '"'
    if depth >= 16:
        raise Bad("nested more than 16 deep")
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key], depth + 1) for key in keys) + "}"
    raise Bad("a float or null")


def parse(line):
    if len(line) > 65535:
        raise Bad("longer than 65,535 bytes")
    try:
        text = line.decode("utf-8")
        value = json.loads(text)
        if canonical(value) != text:
            raise Bad("not canonical JSON")
    except (UnicodeError, ValueError, RecursionError) as error:
        raise Bad(f"not canonical JSON: {error}") from error
    return value


# ---- signed notes ------------------------------------------------------------------------------------------------------------

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, d - c, d + c, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise Bad("not a point of the curve")
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * SQRT_M1 % P
    if x * x % P != x2 or (x == 0 and sign):
        raise Bad("not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = decompress(BASE_Y.to_bytes(32, "little"))


def ed25519(key, message, signature):
    """RFC 8032, section 5.1.7."""
    if len(signature) != 64:
        return False
    point, r, s = decompress(key), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    left, right = times(s, BASE), add(r, times(h, point))
    same = (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0
    return s < Q and same


def checkpoint(note, vkey):
    """Origin, size and root of a checkpoint that the key signed."""
    name, key_id, encoded = vkey.split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    digest = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if len(key) != 33 or key[0] != 1 or digest.hex() != key_id:
        raise Bad("log.vkey: the id does not belong to the key")
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.rstrip("\n").split("\n"):
        signed_by, _, signature = line.removeprefix("\u2014 ").rpartition(" ")
        raw = base64.b64decode(signature, validate=True)
        if signed_by == name and raw[:4] == digest:
            if not ed25519(key[1:], text.encode(), raw[4:]):
                raise Bad("checkpoint: the signature does not hold")
            origin, size, root = text.split("\n")[:3]
            if origin != name or str(int(size)) != size:
                raise Bad("checkpoint: another origin, or the size is not a plain number")
            return int(size), base64.b64decode(root, validate=True)
    raise Bad("checkpoint: not signed by log.vkey")


def merkle_root(leaves):
    """RFC 6962, section 2.1, over leaf hashes."""
    peaks = []
    for count, leaf in enumerate(leaves):
        while count & 1:
            leaf, count = hashlib.sha256(b"\x01" + peaks.pop() + leaf).digest(), count >> 1
        peaks.append(leaf)
    if not peaks:
        return hashlib.sha256(b"").digest()
    root = peaks.pop()
    while peaks:
        root = hashlib.sha256(b"\x01" + peaks.pop() + root).digest()
    return root


# ---- posting algebra ---------------------------------------------------------------------------------------------------------

class Book:
    """Lines as lists of runs [from, to, state, by]; inflows as [from, to, seq]; transfers as (outs, ins)."""

    def __init__(self):
        self.runs, self.inflows, self.transfers, self.accounts = {}, {}, {}, {}

    def end(self, line):
        return self.runs[line][-1][1] if self.runs.get(line) else 0

    def cut(self, line, a, b):
        """Splits runs so that a and b are boundaries; gives the places of the runs between."""
        runs = self.runs[line]
        for at in (a, b):
            place = self.find(line, at)
            if place < len(runs) and runs[place][0] < at:
                start, stop, state, by = runs[place]
                runs[place:place + 1] = [[start, at, state, by], [at, stop, state, by]]
        return self.find(line, a), self.find(line, b)

    def find(self, line, at):
        """Place of the run that holds position `at`."""
        runs, low, high = self.runs[line], 0, len(self.runs[line])
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if runs[middle][1] <= at else (low, middle)
        return low

    def states(self, line, a, b):
        first, last = self.cut(line, a, b)
        return {(state, by) for _, _, state, by in self.runs[line][first:last]}

    def set(self, line, a, b, state, by):
        first, last = self.cut(line, a, b)
        runs = self.runs[line]
        runs[first:last] = [[a, b, state, by]]
        for place in (first + 1, first):
            if 0 < place < len(runs) and runs[place - 1][2:] == runs[place][2:]:
                runs[place - 1:place + 1] = [[runs[place - 1][0], runs[place][1], state, by]]

    def apply(self, seq, posts, cash):
        ends, cash_due, own_out, foreign_out = {}, {}, False, False
        for post in posts:
            op, line, a, b, of = post["op"], post["line"], post["from"], post["to"], post.get("of")
            if not LINE.fullmatch(line):
                raise Bad("line_name")
            if op not in ("in", "hold", "out", "free", "void"):
                raise Bad("unknown_op")
            if not 0 <= a < b <= MAX:
                raise Bad("interval")
            if (of is None and op in ("free", "void")) or (of is not None and op in ("in", "hold")):
                raise Bad("of_misplaced")
            if of is not None and not 0 <= of < seq:
                raise Bad("of_not_earlier")
            end = self.end(line)
            ends.setdefault(line, end)
            unit, change = line.split("/", 1)[1], 0
            if op == "in":
                if a != end:
                    raise Bad("in_not_at_end")
                self.runs.setdefault(line, []).append([a, b, "free", None])
                self.set(line, a, b, "free", None)
                self.inflows.setdefault(line, []).append((a, b, seq))
                change = b - a
            else:
                if b > end:
                    raise Bad("beyond_end")
                found = self.states(line, a, b)
                if op in ("hold", "void") or (op == "out" and of is None):
                    if found != {("free", None)}:
                        raise Bad("not_free")
                elif op == "out" and found != {("held", of)}:
                    raise Bad("not_held_by")
                elif op == "free" and found not in ({("held", of)}, {("spent", of)}):
                    raise Bad("not_held_or_spent_by")
                if op == "void" and sum(max(0, min(b, y) - max(a, x)) for x, y, by in self.inflows[line] if by == of) != b - a:
                    raise Bad("not_brought_in_by")
                if op == "out" and of is None and a < ends[line] < b:
                    raise Bad("own_inflow_mixed")
                if op == "out":
                    own = of is None and a >= ends[line]
                    own_out, foreign_out = own_out or own, foreign_out or not own
                state = {"hold": "held", "out": "spent", "free": "free", "void": "void"}[op]
                self.set(line, a, b, state, None if op == "free" else seq)
                if op in ("out", "void"):
                    change = a - b
                elif op == "free" and found == {("spent", of)}:
                    change = b - a
            cash_due[unit] = cash_due.get(unit, 0) + change
        self.transfer(seq, posts, own_out, foreign_out)
        self.taken_back(posts)
        for row in cash:
            if not ACCOUNT.fullmatch(row["account"]) or not UNIT.fullmatch(row["unit"]) or row["amount"] == 0:
                raise Bad("cash_row")
            cash_due[row["unit"]] = cash_due.get(row["unit"], 0) - row["amount"]
            key = row["account"] + " " + row["unit"]
            self.accounts[key] = self.accounts.get(key, 0) + row["amount"]
        if any(cash_due.values()):
            raise Bad("cash_differs")

    def transfer(self, seq, posts, own_out, foreign_out):
        outs = [(p["line"], p["from"], p["to"]) for p in posts if p["op"] == "out"]
        ins = [(p["line"], p["from"], p["to"]) for p in posts if p["op"] == "in"]
        if not (ins and foreign_out):
            return
        units = [{line.split("/", 1)[1] for line, _, _ in side} for side in (outs, ins)]
        apart = not {line for line, _, _ in outs} & {line for line, _, _ in ins}
        if len(outs) + len(ins) != len(posts) or own_out or not apart or len(units[0]) != 1 or len(units[1]) != 1:
            raise Bad("transfer_shape")
        if units[0] == units[1] and length(outs) != length(ins):
            raise Bad("transfer_sums")
        self.transfers[seq] = (outs, ins, units[0] != units[1])

    def taken_back(self, posts):
        sides = {}
        for post in posts:
            if post.get("of") in self.transfers and post["op"] in ("free", "void"):
                side = sides.setdefault(post["of"], {"free": [], "void": []})
                side[post["op"]].append((post["line"], post["from"], post["to"]))
        for of, side in sides.items():
            outs, _, conversion = self.transfers[of]
            if conversion and side["free"] and merged(side["free"]) != merged(outs):
                raise Bad("conversion_whole")
        for of, side in sides.items():
            outs, ins, _ = self.transfers[of]
            m, n, image = length(outs), length(ins), []
            for line, a, b in side["free"]:
                for offset, x, y in offsets(outs, line, a, b):
                    image += pieces(ins, offset * n // m, (offset + y - x) * n // m)
            if merged(image) != merged(side["void"]):
                raise Bad("image_differs")


def length(side):
    return sum(b - a for _, a, b in side)


def offsets(side, line, a, b):
    start = 0
    for name, x, y in side:
        low, high = max(a, x), min(b, y)
        if name == line and low < high:
            yield start + low - x, low, high
        start += y - x


def pieces(side, a, b):
    start, found = 0, []
    for name, x, y in side:
        low, high = max(a, start), min(b, start + y - x)
        if low < high:
            found.append((name, x + low - start, x + high - start))
        start += y - x
    return found


def merged(side):
    result = []
    for line, a, b in sorted(side):
        if result and result[-1][0] == line and result[-1][2] == a:
            result[-1] = (line, result[-1][1], b)
        else:
            result.append((line, a, b))
    return result


# ---- the log -----------------------------------------------------------------------------------------------------------------

def integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def check_members(entry):
    if not isinstance(entry, dict) or not KEYS - {"cash", "post"} <= set(entry) <= KEYS:
        raise Bad("a member is missing or unknown")
    for name, rule in GRAMMAR.items():
        if not isinstance(entry[name], str) or not rule.fullmatch(entry[name]):
            raise Bad(f"/{name} breaks its grammar")
    datetime.datetime.strptime(entry["at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    if not integer(entry["v"]) or entry["v"] != 1 or not integer(entry["seq"]) or not isinstance(entry["body"], dict):
        raise Bad("/v, /seq or /body has another form")
    wanted = {"post": ({"from", "line", "op", "to"}, {"of"}), "cash": ({"account", "amount", "unit"}, set())}
    for member, (needed, optional) in wanted.items():
        rows = entry.get(member, [None] if member in entry else [])
        if member in entry and (not isinstance(rows, list) or not rows):
            raise Bad(f"/{member} is empty")
        for row in rows:
            if not isinstance(row, dict) or not needed <= set(row) <= needed | optional:
                raise Bad(f"/{member}: a member is missing or unknown")
            numbers = {"from", "to", "of", "amount"} & set(row)
            if not all(integer(row[name]) for name in numbers) or not all(isinstance(row[k], str) for k in set(row) - numbers):
                raise Bad(f"/{member}: a value has another form")


def check(folder):
    vkey = (folder / "log.vkey").read_text().strip()
    size, root = checkpoint((folder / "checkpoint").read_text(encoding="utf-8"), vkey)
    origin, prev, before, leaves, book, seq = vkey.split("+")[0], "0" * 64, "", [], Book(), -1
    try:
        for seq, line in enumerate((folder / "entries.jsonl").read_bytes().split(b"\n")[:-1]):
            entry = parse(line)
            check_members(entry)
            if (entry["ledger"], entry["seq"], entry["prev"]) != (origin, seq, prev):
                raise Bad("ledger, seq or prev is not that of the next entry")
            if entry["at"] < before:
                raise Bad("its time lies before that of the entry before")
            if len(entry.get("post", [])) > 500:
                raise Bad("too_many_posts")
            book.apply(seq, entry.get("post", []), entry.get("cash", []))
            leaf = hashlib.sha256(b"\x00" + line).digest()
            leaves.append(leaf)
            prev, before = leaf.hex(), entry["at"]
        seq += 1
        if (len(leaves), merkle_root(leaves)) != (size, root):
            raise Bad("the entries are not those that the checkpoint signs")
    except (Bad, ValueError, KeyError) as error:
        return {"ok": False, "first_bad": {"seq": seq, "reason": str(error)}}
    lines = {}
    for line, runs in book.runs.items():
        totals = dict.fromkeys(("free", "held", "spent", "void"), 0)
        for a, b, state, _ in runs:
            totals[state] += b - a
        lines[line] = {"end": book.end(line), **totals}
    return {"ok": True, "entries": size, "root": root.hex(), "lines": lines, "accounts": book.accounts}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check.py FOLDER (one that `mingzhang export FOLDER` wrote)")
    try:
        verdict = check(Path(sys.argv[1]))
    except (Bad, OSError, IndexError, ValueError) as error:
        verdict = {"ok": False, "first_bad": {"seq": 0, "reason": str(error)}}
    print(json.dumps(verdict, ensure_ascii=False))
    sys.exit(0 if verdict["ok"] else 1)
