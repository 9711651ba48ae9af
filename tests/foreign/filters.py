"""A filter of api.md as a condition of SQL over `kv`, for the event numbered `e.n`.

A key's condition holds where any of its values matches; a negation where none does, the key's absence included.
"""

PLAUSIBLE = {
    "event:page": "path",
    "visit:entry_page": "entry",
    "visit:source": "source",
    "visit:channel": "channel",
    "visit:browser": "browser",
    "visit:os": "os",
    "visit:device": "device",
    "visit:utm_source": "utm_source",
    "visit:utm_medium": "utm_medium",
}
COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def key_of(name, names):
    """A key as it is stored: Plausible's names are ours, and `names` holds what this metric reads another key for."""
    key = PLAUSIBLE.get(name, name)
    return names.get(key, key)


def condition(given, names):
    """The condition of one filter."""
    operator, *rest = given
    if operator in ("and", "or"):
        return "(" + f" {operator} ".join(condition(inner, names) for inner in rest[0]) + ")"
    if operator == "not":
        return f"(NOT {condition(rest[0], names)})"
    negated = operator.removesuffix("_not") if operator != "is_not" else "is"
    if negated != operator:
        return f"(NOT {condition([negated, *rest], names)})"
    key = key_of(rest[0], names)
    return f"EXISTS (FROM kv WHERE kv.n = e.n AND key = {quoted(key)} AND {holds(operator, rest[1:])})"


def holds(operator, rest):
    """Whether one value, `text` with its number form `num`, matches."""
    if operator == "exists":
        return "true"
    wanted = rest[0]
    if operator in COMPARISONS:
        return any_of(f"num {COMPARISONS[operator]} {float(value)!r}" for value in wanted)
    folds = len(rest) > 1 and rest[1].get("case_sensitive") is False
    if operator == "matches":
        return any_of(f"regexp_matches(text, {quoted(value)}, '{'i' if folds else 'c'}')" for value in wanted)
    here = "lower(text)" if folds else "text"
    texts = [f"lower({quoted(value)})" if folds else quoted(value) for value in map(str, wanted)]
    if operator == "is":
        return f"{here} IN ({', '.join(texts)})"
    assert operator == "contains", operator
    return any_of(f"contains({here}, {value})" for value in texts)


def any_of(conditions):
    return "(" + " OR ".join(conditions) + ")"


def all_of(filters, names):
    """Every filter of a question at once."""
    return " AND ".join(["true", *(condition(each, names) for each in filters)])
