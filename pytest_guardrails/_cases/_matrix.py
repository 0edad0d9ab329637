"""One entry of a case file to one case, or to one per combination of its matrix."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

from pytest_guardrails._cases._case import CASE_KEYS, case_of
from pytest_guardrails._cases._expectation import ABSENT
from pytest_guardrails._document import Node
from pytest_guardrails._model import Case

_AUTHORED = ("note", "xfail", "skip")  # published as written: no value of a matrix is filled in
# what an id may show of a value: words, a short number, or both, as of a fault (http_503); else the number of the row
_WORD = re.compile(r"[A-Za-z_]{1,24}|[A-Za-z]{1,16}_[0-9]{1,3}|[0-9]{1,3}")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def cases_of(node: Node, defaults: Mapping[str, Node]) -> Iterator[Case]:
    """Yield the case of a node, or one per combination of its matrix."""
    keys = dict(node.mapping("a case", CASE_KEYS))
    matrix = keys.pop("matrix", None)
    if "id" not in keys:
        node.fail("a case needs an id")
    if matrix is None:
        yield case_of(node, keys, defaults)
        return
    name = keys["id"].text("id")
    for row, values in enumerate(_combinations(matrix), 1):
        unused = set(values) - _placeholders(keys.values())
        if unused:
            matrix.fail(
                f"matrix name {sorted(unused)[0]!r} is used nowhere; write ${{{sorted(unused)[0]}}} in the case"
            )
        filled = {key: value if key in _AUTHORED else _filled(value, values) for key, value in keys.items()}
        if not _PLACEHOLDER.search(name):
            label = "-".join(value if _WORD.fullmatch(value) else str(row) for value in values.values())
            filled["id"] = dataclasses.replace(keys["id"], value=f"{name}[{label}]")
        yield case_of(node, filled, defaults)


def _combinations(matrix: Node) -> Iterator[dict[str, str]]:
    """Yield the rows of a list of mappings, or the product of a mapping of lists."""
    if isinstance(matrix.value, list) and matrix.value:
        names = tuple(matrix.value[0].mapping("a row of matrix"))
        for row in matrix.value:
            given = row.mapping("a row of matrix", names)
            if missing := [name for name in names if name not in given]:
                row.fail(f"this row of matrix has no {missing[0]!r}, and the first one has")
            yield {name: given[name].text(name) for name in names}
        return
    lists = matrix.mapping("matrix") if matrix.value else {}
    choices = {key: value.texts(key) for key, value in lists.items()}
    if not choices or not all(choices.values()):
        matrix.fail("matrix is empty: the case would not run")
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def _placeholders(nodes: Iterable[Node]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node.value, str):
            found.update(_PLACEHOLDER.findall(node.value))
        else:
            found |= _placeholders(node.value.values() if isinstance(node.value, dict) else node.value)
    return found


def _filled(node: Node, values: Mapping[str, str]) -> Node:
    """Return the node with ``${name}`` replaced, for the names of the matrix alone."""
    value = node.value
    if isinstance(value, str):
        value = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), value)
        if value != node.value and value in ABSENT:  # the matrix says a text here, not nothing
            return dataclasses.replace(node, value=value, plain=False)
    elif isinstance(value, dict):
        value = {key: _filled(item, values) for key, item in value.items()}
    else:
        value = [_filled(item, values) for item in value]
    return dataclasses.replace(node, value=value)
