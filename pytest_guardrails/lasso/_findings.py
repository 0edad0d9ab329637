"""What Lasso found, as the engine's findings: names that may be published, places in the texts, what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_guardrails._model import SEVERITIES, Action, Finding, Text
from pytest_guardrails.lasso._answer import AUTO_MASKING, BLOCK, LassoAnswer, LassoFinding, label
from pytest_guardrails.lasso._masking import maskings, placed
from pytest_guardrails.lasso._offsets import Ruler
from pytest_guardrails.lasso._policies import Decision, Policy, decide

CATEGORY = "LASSO"


def findings_of(
    answer: LassoAnswer, policy: Policy, texts: Sequence[Text], *, mask: bool = False, offsets: str = "cover"
) -> list[Finding]:
    """Return the findings of an answer, each at one of ``texts``; one that spans several texts is there for each.

    BLOCK denies where the policy counts it, AUTO_MASKING sanitizes where ``mask`` and the policy apply it, OFF does
    nothing, and all else warns. A policy that blocks without such a finding adds one that says why.
    """
    found = list(maskings(answer, policy.masks, offsets)) if mask else []
    applied = {id(finding): edits for finding, edits in found if finding is not None}
    rulers: dict[int, Ruler] = {}
    out: list[Finding] = []
    for finding in answer.findings:
        base = _base(finding, _action(finding, answer, policy), texts[0])
        if edits := applied.get(id(finding)):
            out += [_masking(base, edit) for edit in edits]
        else:
            out += list(placed(base, finding, answer.sent, offsets, rulers)) or [base]
    unclaimed = [edit for finding, edits in found if finding is None for edit in edits]
    out += [_masking(edit, edit) for edit in unclaimed]
    if decide(answer, policy) is Decision.BLOCK and not any(finding.action is Action.DENY for finding in out):
        name = "Protocol oddity" if answer.oddities else "Conflict"
        place = texts[0]
        out.append(Finding(name, CATEGORY, message_index=place.message_index, field=place.field, action=Action.DENY))
    return out


def _action(finding: LassoFinding, answer: LassoAnswer, policy: Policy) -> Action:
    if finding.action == BLOCK and (answer.delivers_block or not policy.gated):
        return Action.DENY
    return Action.NONE if finding.action == "OFF" else Action.WARN


def _base(finding: LassoFinding, action: Action, place: Text) -> Finding:
    """Return a finding without a span, at ``place``; what is no label is not taken over: it could hold a text."""
    severity = (finding.severity or "").lower()
    return Finding(
        label(finding.name) or label(finding.deputy) or "finding",
        label(finding.category) or CATEGORY,
        severity if severity in SEVERITIES else label(finding.severity),
        finding.score,
        place.message_index,
        place.field,
        action=action,
        vendor_action=label(finding.action),
    )


def _masking(base: Finding, edit: Finding) -> Finding:
    """Return ``base`` as what masks: at the place of ``edit``, with its replacement."""
    return replace(
        base,
        message_index=edit.message_index,
        field=edit.field,
        start=edit.start,
        end=edit.end,
        replacement=edit.replacement,
        action=Action.SANITIZE,
        vendor_action=AUTO_MASKING,
    )
