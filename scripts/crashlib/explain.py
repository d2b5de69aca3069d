"""explain.py - from evidence to the verdict: the first rule that has something to say.

A rule is a small function of rules_*.py: it looks at the evidence and gives a verdict, or None if
it has nothing to say.  A new one is a row in its file's RULES, before those that are less
particular, and a row of SCENARIOS in tests/host/test_crash_explain.py.
"""

from __future__ import annotations

import re
from dataclasses import replace

from crashlib import rules_corruption, rules_memory, rules_processor, rules_stack
from crashlib.evidence import Evidence
from crashlib.verdict import Verdict, access_words

# panic.c's words: condition, file:line, function.
ASSERTION = re.compile(r"assertion failed: (.*), ([^,]+:\d+), (\w+)")


def panic(evidence: Evidence) -> Verdict | None:
    if evidence.kind != "PANIC":
        return None
    text = evidence.cause.text or "no words recorded"
    found = ASSERTION.fullmatch(text)
    if found is None and text.startswith("assertion failed: "):  # cut short: no room for the rest
        return Verdict("assert", text, [])
    if found is None:
        return Verdict("panic", f"panic: {text}", ["The kernel gave up by itself."])
    return Verdict("assert", f"assertion failed: {found[1]}",
                   [f"{found[3]} checked at {found[2]} what must be true there, and it was not."])


def by_name(evidence: Evidence) -> Verdict:
    """The hardware's name for it, for want of an explanation."""
    if evidence.cause is None:
        told = evidence.record.annotations.get("cause", "")
        meant = [access_words(evidence, access) for access in evidence.accesses()]
        return Verdict("unknown", told or "cause unknown",
                       ["The section that tells the cause, CAUS, is lost.", *meant])
    return Verdict("unexplained", evidence.cause.name or f"vector {evidence.vector}", [])


# Most particular first.
RULES = (panic, *rules_stack.RULES, *rules_corruption.RULES, *rules_memory.RULES,
         *rules_processor.RULES)
LEAD_NOWHERE = ("wild-pointer", "non-canonical")  # rules after which a flipped bit is looked for


def explain(evidence: Evidence) -> Verdict:
    for rule in RULES:
        verdict = rule(evidence)
        if verdict is not None and verdict.rule in LEAD_NOWHERE:
            return replace(verdict, reasons=verdict.reasons + rules_corruption.flip_words(evidence))
        if verdict is not None:
            return verdict
    return by_name(evidence)
