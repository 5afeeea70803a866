#!/usr/bin/env python3
"""Writes python-answers.json: what Python's re says about generated and hand-picked patterns (run with CPython 3.11)."""
import json
import random
import re
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
rng = random.Random(20260101)
LETTERS = ["a", "b", "A", "K", "s", "1", "_", " ", "\n", "-", "\u00e9", "\u212a", "\u017f", "\u0130", "\u03c3", "\U0001f600", "\u0661"]
ATOMS = ["a", "b", "s", "k", "i", "1", ".", r"\d", r"\w", r"\s", r"\W", r"\S", r"\D", "[ab]", "[^a]", "[a-s]", r"[\w-]", r"[^\d_]", r"\x61", r"\u00e9", r"[\x00-\x20]", r"\.", "\u03a3", "[K-s]", r"[^\S\n]", "-", "\n"]
PLACES = ["^", "$", r"\b", r"\B", r"\A", r"\Z"]


def pattern(depth):
    kind = rng.random()
    if depth == 0 or kind < 0.35:
        return rng.choice(ATOMS) if rng.random() < 0.8 else rng.choice(PLACES)
    inner = lambda: pattern(depth - 1)
    if kind < 0.6:
        return inner() + inner()
    if kind < 0.68:
        return "(?:" + inner() + "|" + inner() + ")"
    if kind < 0.84:
        body = rng.choice(["(?:%s)", "(%s)", "%s"]) % inner()
        return body + rng.choice(["*", "+", "?", "{2}", "{1,3}", "{,2}", "{2,}", "*?", "+?", "??", "{1,2}?", "*+", "++", "?+", "{0,2}+"])
    if kind < 0.88:
        return "(" + inner() + ")" + inner() + rng.choice([r"\1", r"\1*", r"(?(1)a|b)", r"\2"])
    if kind < 0.96:
        return rng.choice(["(?=%s)", "(?!%s)", "(?<=%s)", "(?<!%s)", "(?>%s)"]) % inner()
    return rng.choice(["(?i:%s)", "(?s:%s)", "(?m:%s)", "(?a:%s)", "(?-i:%s)", "(?x: %s )", "(?#c)%s"]) % inner()


def text():
    return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(0, 9)))


HAND = [
    "a{,3}b", "a{2", "a{}", "a{,}", "{3}", "a**", "a+*", "(?i)ABC", "a(?i)b", "(?P<n>a)(?P=n)", "(?P<n>a)(?P<n>b)", "(?P=x)", r"\y", r"\_", r"\8", r"\08", r"\101", r"\400",
    r"[\8]", r"[\b]", "[]a]", "[^]a]", "[a", "[a-", "[z-a]", r"[\d-a]", "(a", "a)", "(?", "(?z)", "(?<=a*)b", "(?<=a{2})b", "(?<=ab|cd)e", "(?<=a|bc)d", "^*", r"\b+", "(?:^)*a", "(?=a)*b", "()*", "(a*)*", "(a*)+b", "(a|ab)(c|bcd)(d*)",
    r"(a)(?<=\1)b", r"(a\1)", "x{3,2}", "x{99999999999}", "(?x) a b # c", "(?x)a\\ b", "(?s).", "(?m)^a$", "(?ai)k", "(?i)k", "(?i)\u0130", "(?i)i", "(?i)[i-j]", "(?i)[^i]", "(?i)\u03c3", "(?i)(a)\\1", "$", "a$", "a$\\n", "\\Z", "a\\Z", "", "|a", "a||b", "(?:)", "(?:a", r"\u12", r"\xg1", r"\U00110000", r"\U0001F600", ".", "(?-s:.)", "(?s-i:.)", "(?i-)", "(?-)", "(?(1)a)", "(a)?(?(1)b|c)", "(?(1)a|b|c)", r"\Bx", r"\B", r"\b", "(?>a+)ab", "a++ab", "a{1,2}+a", "(?:a+)+$", "(a+)+$", r"^(?!/workspace/).*", r"(?<![\w])rm\s+-rf", "a{2}{3}", "a??b", "a?+b", "a{1}?", "a{1}+", "(?P<1a>x)", "(?P<a>x)(?(a)y|z)", "(?'a'x)", "(?&a)", r"\Qa", r"\pL", r"\p{L}", "\\", "[\\", "a|*", "(*a)", "(?i:a)b", "(?i-i:a)", "[a-\\d]", "[--a]", "[a\\]]", "[[:alpha:]]", "[a--b]", "[a&&b]", r"\0", r"\00", r"\07a", r"\x0", r"[\x]", r"\N{DASH}", "(?u)a", "(?L)a", "(?au)a",
]
TEXTS = ["", "a", "b", "ab", "aab", "aaab", "AB", "abc", "abcd", "a\n", "a\nb", "aa", "aaa", "c", "k", "\u212a", "i", "\u0130", "\u0131", "\u03c2", "x", "y", " ", "aA", "rm  -rf /", "/workspace/x", "/etc", "xx", "axa", "\U0001f600", "A", "e", "abe", "cde", "bcd", "ad", "]", "-", "8", "\b", "{", "a{}", "a{2", "xy", "z"]


def ask(source, texts):
    try:
        compiled = re.compile(source)
    except (re.error, OverflowError, RecursionError):
        return {"pattern": source, "error": True}
    spans = []
    for one in texts:
        found = compiled.search(one)
        spans.append([one, None if found is None else list(found.span())])
    return {"pattern": source, "answers": spans}


answers = [ask(source, TEXTS) for source in HAND]
while len(answers) < 1500:
    source = rng.choice(["", "", "", "(?i)", "(?m)", "(?a)", "(?is)"]) + pattern(rng.randrange(1, 5))
    answers.append(ask(source, [text() for _ in range(5)]))
Path(__file__).with_name("python-answers.json").write_text(json.dumps(answers, ensure_ascii=True, separators=(",", ":")).replace("},{", "},\n{") + "\n")
