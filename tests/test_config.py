"""Configurations: every accepted form and what it does, and every mistake with its place and the nearest choice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails import Action, ConfigError, Engine, Guardrail, OnError, Phase, Scope, Trace, Verdict
from pytest_guardrails import _config as config
from pytest_guardrails._document import parse_yaml
from pytest_guardrails.checks import (
    Contains,
    ContentModeration,
    JsonSchema,
    NotNull,
    PiiRedact,
    PromptInjectionDetect,
    RegexMatch,
    RegexReplace,
    WordCount,
    factories,
)

BEFORE, AFTER = Phase.BEFORE_REQUEST, Phase.AFTER_REQUEST
NO_FOO = Contains(words=("foo",), operator="none")
HOOK = """before_request_hooks:
  - id: g
    checks:
      - id: default.contains
        parameters: {words: [foo], operator: none}
"""


def read(text: str) -> config.Configuration:
    """Read a configuration from YAML text."""
    return config.configure(parse_yaml(text, "g.yaml"), "g.yaml")


def refusal(text: str) -> ConfigError:
    """Return the error that a configuration in YAML is refused with."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    return caught.value


def ran(text: str, said: str, answer: str | None = None) -> Trace:
    """Send a text through a configuration in YAML."""
    engine = Engine.from_configuration(read(text))
    return engine.run(said) if answer is None else engine.run(said, upstream=lambda _request: answer)


FORMS: dict[str, tuple[str, tuple[Guardrail, ...]]] = {
    "hook with all keys": (
        """
        before_request_hooks:
          - id: g
            type: guardrail
            deny: true
            async: false
            sequential: true
            on_fail: {feedback: {value: -5, weight: 1}}
            on_success: {feedback: {value: 5}}
            on_error: allow
            scope: {messages: last, roles: [user, tool]}
            checks:
              - id: default.contains
                is_enabled: true
                parameters: {words: [foo], operator: none}
              - {id: default.notNull, is_enabled: false}
        """,
        (
            Guardrail(
                "g",
                BEFORE,
                (NO_FOO,),
                Action.DENY,
                OnError.ALLOW,
                Scope(True, ("user", "tool")),
                True,
                ("default.notNull",),
            ),
        ),
    ),
    "hook in camel case": (
        """
        afterRequestHooks:
          - id: g
            onError: allow
            onFail: {feedback: {value: 1}}
            checks: [{id: wordCount, isEnabled: true, parameters: {minWords: 1, max_words: 5, not: true}}]
        """,
        (Guardrail("g", AFTER, (WordCount(1, 5, True),), Action.WARN, OnError.ALLOW),),
    ),
    "hook without type": (
        "before_request_hooks: [{id: g, deny: true, checks: [default.notNull]}]",
        (Guardrail("g", BEFORE, (NotNull(),)),),
    ),
    "hook without id": (
        "before_request_hooks: [{deny: true, checks: [notNull]}, {deny: true, checks: [notNull]}]",
        (
            Guardrail("before_request_hook_1", BEFORE, (NotNull(),)),
            Guardrail("before_request_hook_2", BEFORE, (NotNull(),)),
        ),
    ),
    "bare checks": (
        "before_request_hooks: [pii_redact, prompt_injection_detect]",
        (
            Guardrail("pii_redact", BEFORE, (PiiRedact(action="sanitize"),), Action.SANITIZE),
            Guardrail("prompt_injection_detect", BEFORE, (PromptInjectionDetect(),), Action.DENY),
        ),
    ),
    "a check as an id": (
        "output_guardrails: [{id: content_moderation}]",
        (Guardrail("content_moderation", AFTER, (ContentModeration(),), Action.DENY),),
    ),
    "shorthand": (
        "input_guardrails: [{default.contains: {words: [foo], operator: none}, deny: true}]",
        (Guardrail("input_guardrail_1", BEFORE, (NO_FOO,)),),
    ),
    "shorthand without prefix": (
        "output_guardrails: [{id: g, contains: {words: foo, operator: none}}]",
        (Guardrail("g", AFTER, (NO_FOO,), Action.WARN),),
    ),
    "shorthand with aliases": (
        """
        input_guardrails:
          - a: {id: default.contains, words: [foo], operator: none}
            b: {id: contains, words: [bar], operator: all}
            c: {id: notNull, is_enabled: false}
            deny: true
        """,
        (Guardrail("input_guardrail_1", BEFORE, (NO_FOO, Contains(("bar",), "all")), disabled=("default.notNull",)),),
    ),
    "shorthand with every own key": (
        """
        input_guardrails:
          - {id: g, type: guardrail, regexReplace: {rule: x, redactText: y}, async: false, sequential: true,
             deny: false, on_fail: {feedback: {}}, on_success: {feedback: {}}, on_error: block, scope: all}
        """,
        (Guardrail("g", BEFORE, (RegexReplace("x", "y", action="sanitize"),), Action.SANITIZE, sequential=True),),
    ),
    "defined above": (
        """
        guardrails:
          strict: {deny: true, checks: [notNull]}
          shape: {id: shape, regexMatch: {rule: x}, action: warn}
          named: pii_redact
        inputGuardrails: [strict, {id: shape}, {id: named, type: guardrail}]
        output_guardrails: [strict]
        """,
        (
            Guardrail("strict", BEFORE, (NotNull(),)),
            Guardrail("shape", BEFORE, (RegexMatch("x"),), Action.WARN),
            Guardrail("named", BEFORE, (PiiRedact(action="sanitize"),), Action.SANITIZE),
            Guardrail("strict", AFTER, (NotNull(),)),
        ),
    ),
    "shorthand and hooks of one phase": (
        "before_request_hooks: [{id: b, checks: [notNull]}]\ninput_guardrails: [{id: a, notNull: {}}]",
        (Guardrail("b", BEFORE, (NotNull(),), Action.WARN), Guardrail("a", BEFORE, (NotNull(),), Action.WARN)),
    ),
    "a mutator": (
        "before_request_hooks: [{id: g, type: mutator, checks: [{id: regexReplace, parameters: {rule: x}}, notNull]}]",
        (Guardrail("g", BEFORE, (RegexReplace("x", action="sanitize"), NotNull()), Action.SANITIZE, sequential=True),),
    ),
    "only observing": (
        "before_request_hooks: [{id: g, async: true, checks: [pii_redact]}]",
        (Guardrail("g", BEFORE, (PiiRedact(action="sanitize"),), Action.WARN, OnError.ALLOW),),
    ),
    "action sanitize": (
        "before_request_hooks: [{id: g, action: sanitize, checks: [pii_redact]}]",
        (Guardrail("g", BEFORE, (PiiRedact(action="sanitize"),), Action.SANITIZE),),
    ),
    "action deny": (
        "before_request_hooks: [{id: g, action: deny, deny: true, checks: [pii_redact]}]",
        (Guardrail("g", BEFORE, (PiiRedact(action="deny"),), Action.DENY),),
    ),
    "action warn": (
        "before_request_hooks: [{id: g, action: warn, deny: false, checks: [pii_redact]}]",
        (Guardrail("g", BEFORE, (PiiRedact(action="warn"),), Action.WARN),),
    ),
    "failOnError": (
        "before_request_hooks: [{id: g, checks: [{id: notNull, parameters: {failOnError: true, not: true}}]}]",
        (Guardrail("g", BEFORE, (NotNull(True),), Action.WARN, OnError.BLOCK),),
    ),
    "failOnError false": (
        "before_request_hooks: [{id: g, on_error: allow, checks: [{id: notNull, parameters: {failOnError: false}}]}]",
        (Guardrail("g", BEFORE, (NotNull(),), Action.WARN, OnError.ALLOW),),
    ),
    "parameters of pii_redact": (
        """
        before_request_hooks:
          - id: g
            checks:
              - id: pii_redact
                parameters:
                  {entities: [EMAIL, US_SSN], action: deny, allowlist: "a@b.example", placeholder: "[{entity}]"}
        """,
        (
            Guardrail(
                "g", BEFORE, (PiiRedact(("EMAIL", "US_SSN"), "deny", ("a@b.example",), "[{entity}]"),), Action.SANITIZE
            ),
        ),
    ),
    "a schema": (
        """
        output_guardrails:
          - {id: g, deny: true, jsonSchema: {schema: {type: object, maxProperties: 1, required: [aB]}}}
        """,
        (Guardrail("g", AFTER, (JsonSchema({"type": "object", "maxProperties": 1, "required": ["aB"]}),)),),
    ),
    "scope last": (
        "before_request_hooks: [{id: g, scope: last, deny: true, checks: [notNull]}]",
        (Guardrail("g", BEFORE, (NotNull(),), scope=Scope(last_only=True)),),
    ),
    "scope roles": (
        "before_request_hooks: [{id: g, scope: {roles: system}, deny: true, checks: [notNull]}]",
        (Guardrail("g", BEFORE, (NotNull(),), scope=Scope(roles=("system",))),),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_accepted_form_has_its_guardrails(form: str) -> None:
    """A form of the configuration reads as exactly these guardrails, in this order."""
    text, guardrails = FORMS[form]
    assert read(text).guardrails == guardrails


@pytest.mark.parametrize("form", FORMS)
def test_a_file_and_python_data_mean_the_same(form: str, tmp_path: Path) -> None:
    """YAML, JSON and a Python mapping of one configuration make equal guardrails and equal versions."""
    data = parse_yaml(FORMS[form][0], "x").data()
    path = tmp_path / "g.json"
    path.write_text(json.dumps(data, indent="\t"), encoding="utf-8")
    from_json, from_python, from_yaml = Engine.from_file(path), Engine.from_config(data), read(FORMS[form][0])
    assert from_json.guardrails == from_python.guardrails == from_yaml.guardrails
    assert from_json.version == from_python.version == from_yaml.version
    assert (from_json.source, from_python.source) == (str(path), "inline")


@pytest.mark.parametrize(
    ("settings", "verdict", "action", "status"),
    [
        ("deny: true", Verdict.BLOCK, Action.DENY, 446),
        ("deny: false", Verdict.ALLOW, Action.WARN, 246),
        ("on_error: block", Verdict.ALLOW, Action.WARN, 246),
        ("action: deny", Verdict.BLOCK, Action.DENY, 446),
        ("action: warn", Verdict.ALLOW, Action.WARN, 246),
        ("async: true", Verdict.ALLOW, Action.WARN, 246),
        ("deny: false, action: warn", Verdict.ALLOW, Action.WARN, 246),
    ],
)
@pytest.mark.parametrize("form", ["input_guardrails", "before_request_hooks"])
def test_a_detector_does_what_its_guardrail_says(
    form: str, settings: str, verdict: Verdict, action: Action, status: int
) -> None:
    """A guardrail that only detects denies where it says so, and warns otherwise."""
    text = f"{form}: [{{id: g, {settings}, contains: {{words: [foo], operator: none}}}}]"
    trace = ran(text, "a foo")
    assert (trace.verdict, trace.action, trace.decided_by, trace.status) == (verdict, action, "g", status)
    assert len(trace.upstream_requests) == (0 if verdict is Verdict.BLOCK else 1)
    assert ran(text, "a bar").action is Action.NONE


@pytest.mark.parametrize(
    ("settings", "parameters", "verdict", "received"),
    [
        ("deny: false", "", Verdict.ALLOW, "to <EMAIL>"),
        ("deny: true", "", Verdict.BLOCK, None),
        ("deny: true", "action: sanitize", Verdict.ALLOW, "to <EMAIL>"),
        ("action: sanitize", "", Verdict.ALLOW, "to <EMAIL>"),
        ("action: deny", "", Verdict.BLOCK, None),
        ("action: warn", "", Verdict.ALLOW, "to a@b.example"),
        ("async: true", "", Verdict.ALLOW, "to a@b.example"),
        ("deny: false", "action: warn", Verdict.ALLOW, "to a@b.example"),
        ("deny: false", "entities: [PHONE]", Verdict.ALLOW, "to a@b.example"),
        ("deny: false", "allowlist: [a@b.example]", Verdict.ALLOW, "to a@b.example"),
        ("deny: false", 'placeholder: "***"', Verdict.ALLOW, "to ***"),
    ],
)
def test_a_redactor_does_what_it_is_told(
    settings: str, parameters: str, verdict: Verdict, received: str | None
) -> None:
    """A redactor rewrites what upstream receives unless an action says otherwise; as in Portkey, deny: true redacts."""
    trace = ran(f"input_guardrails: [{{id: g, {settings}, pii_redact: {{{parameters}}}}}]", "to a@b.example")
    assert trace.verdict is verdict
    assert [request.text for request in trace.upstream_requests] == ([] if received is None else [received])


@pytest.mark.parametrize("nothing", ["null", ""])
def test_an_optional_parameter_may_be_nothing(nothing: str) -> None:
    """A parameter that may be absent may be written as nothing."""
    (guardrail,) = read(
        f"input_guardrails:\n  - id: g\n    wordCount:\n      minWords: 1\n      maxWords: {nothing}\n"
    ).guardrails
    assert guardrail.checks == (WordCount(1, None),)


def test_phases_are_where_their_keys_say() -> None:
    """Input guardrails see the request, output guardrails the answer of the model, and nothing else."""
    text = "{}: [{{id: g, deny: true, contains: {{words: [foo], operator: none}}}}]"
    for key, phase in config.PHASES.items():
        asked, answered = ran(text.format(key), "foo", "fine"), ran(text.format(key), "fine", "foo")
        blocked = (Verdict.BLOCK, Verdict.ALLOW) if phase is BEFORE else (Verdict.ALLOW, Verdict.BLOCK)
        assert (asked.verdict, answered.verdict) == blocked


def test_guardrails_run_in_the_order_of_the_file() -> None:
    """The first guardrail that denies decides, and the next one is skipped."""
    text = """input_guardrails:
      - {id: a, deny: true, contains: {words: [foo], operator: none}}
      - {id: b, deny: true, notNull: {not: true}}
    """
    assert [ran(text, said).decided_by for said in ("foo", "bar")] == ["a", "b"]
    assert [str(result.status) for result in ran(text, "foo").results] == ["ran", "skipped"]


def test_sequential_checks_see_what_the_one_before_wrote() -> None:
    """A sequential guardrail feeds each check the text of the one before; any other shows all checks the same text."""
    text = """input_guardrails:
      - id: g
        sequential: {}
        a: {{id: regexReplace, rule: foo, redactText: bar}}
        b: {{id: regexReplace, rule: bar, redactText: baz}}
    """
    assert [ran(text.format(flag), "foo").upstream_requests[0].text for flag in ("true", "false")] == ["baz", "bar"]
    mutator = text.replace("sequential: {}", "type: mutator")
    assert ran(mutator.format(), "foo").upstream_requests[0].text == "baz"


@pytest.mark.parametrize(
    ("settings", "parameters", "verdict"),
    [
        ("", "", Verdict.BLOCK),
        ("on_error: block", "", Verdict.BLOCK),
        ("on_error: allow", "", Verdict.ALLOW),
        ("", "failOnError: true", Verdict.BLOCK),
        ("", "failOnError: false", Verdict.ALLOW),
        ("", "fail_on_error: false", Verdict.ALLOW),
    ],
)
def test_an_errored_check_blocks_unless_somebody_chose_otherwise(
    settings: str, parameters: str, verdict: Verdict
) -> None:
    """A check without an answer blocks; ``on_error: allow`` and Portkey's ``failOnError: false`` let it pass."""
    parts = ["id: g", settings, "jsonSchema: {schema: {$ref: 'http://nowhere.invalid/s'}, " + parameters + "}"]
    trace = ran(f"input_guardrails: [{{{', '.join(filter(None, parts))}}}]", "{}")
    assert (trace.verdict, len(trace.errors), trace.failed_open) == (verdict, 1, False)


@pytest.mark.parametrize(
    ("scope", "blocked"),
    [
        ("all", {"system", "user", "assistant", "last"}),
        ("last", {"last"}),
        ("{messages: all}", {"system", "user", "assistant", "last"}),
        ("{roles: [user]}", {"user", "last"}),
        ("{roles: [system, assistant]}", {"system", "assistant"}),
        ("{messages: last, roles: [user]}", {"last"}),
    ],
)
def test_scope_names_the_messages_that_are_checked(scope: str, blocked: set[str]) -> None:
    """Every message is in scope unless the guardrail narrows it to the last one or to some roles."""
    engine = Engine.from_configuration(
        read(f"input_guardrails: [{{id: g, deny: true, scope: {scope}, contains: {{words: [foo], operator: none}}}}]")
    )
    roles = {"system": "system", "user": "user", "assistant": "assistant", "last": "user"}
    for place in roles:
        messages = [{"role": role, "content": "foo" if name == place else "-"} for name, role in roles.items()]
        assert (engine.run(messages).verdict == "block") is (place in blocked)


CHECKS = ", ".join(sorted(factories()))
MISTAKES: dict[str, tuple[str, int, str, str]] = {
    "top key": ("input_guardrials:\n  - pii_redact\n", 1, "'input_guardrials'", "did you mean 'input_guardrails'?"),
    "phase": (
        "version: 1\nduring_request_hooks: [pii_redact]\n",
        2,
        "'during_request_hooks'",
        "after_request_hooks, before_request_hooks",
    ),
    "guardrail key": (HOOK + "    denny: true\n", 6, "'denny'", "did you mean 'deny'?"),
    "shorthand key": ("input_guardrails:\n  - id: g\n    denny: true\n", 3, "'denny'", "did you mean 'deny'?"),
    "shorthand check": (
        "input_guardrails:\n  - id: g\n    contians: {words: a}\n",
        3,
        "'contians'",
        "default.contains",
    ),
    "check": (
        "input_guardrails:\n  - id: g\n    checks:\n      - id: default.contain\n",
        4,
        "'default.contain'",
        "did you mean 'default.contains'?",
    ),
    "check as text": (
        "input_guardrails:\n  - id: g\n    checks: [pii_redcat]\n",
        3,
        "'pii_redcat'",
        "did you mean 'pii_redact'?",
    ),
    "check in wrong case": (
        "input_guardrails: [default.wordcount]\n",
        1,
        "'default.wordcount'",
        "did you mean 'default.wordCount'?",
    ),
    "aliased check": ("input_guardrails:\n  - a: {id: contians}\n", 2, "'contians'", CHECKS),
    "check key": (
        "input_guardrails:\n  - id: g\n    checks:\n      - id: notNull\n        params: {}\n",
        5,
        "'params'",
        "did you mean 'parameters'?",
    ),
    "parameter": (HOOK.replace("words", "wrods"), 5, "'wrods'", "did you mean 'words'?"),
    "Portkey's own wrong example": (
        "input_guardrails: [{id: g, default.regexMatch: {regex: test}}]\n",
        1,
        "'regex'",
        "Choices: not, rule",
    ),
    "parameter in a block": (
        "input_guardrails:\n  - id: g\n    contains:\n      wrods:\n        - a\n",
        4,
        "'wrods'",
        "Choices: operator, words",
    ),
    "entity": (
        "input_guardrails:\n  - id: g\n    pii_redact: {entities: [EMIAL]}\n",
        3,
        "'EMIAL'",
        "did you mean 'EMAIL'?",
    ),
    "guardrail id": (
        "guardrails:\n  strict: {checks: [notNull]}\ninput_guardrails:\n  - strict\n  - strcit\n",
        5,
        "'strcit'",
        "did you mean 'strict'?",
    ),
    "guardrail id alone": (
        "guardrails:\n  strict: {checks: [notNull]}\ninput_guardrails:\n  - strict\n  - id: strcit\n",
        5,
        "'strcit'",
        "did you mean 'strict'?",
    ),
    "hosted guardrail id": ("input_guardrails: [pg-abc123]\n", 1, "'pg-abc123'", CHECKS),
    "type": (HOOK + "    type: guradrail\n", 6, "'guradrail'", "did you mean 'guardrail'? Choices: guardrail, mutator"),
    "on_error": (HOOK + "    on_error: alow\n", 6, "'alow'", "did you mean 'allow'? Choices: allow, block"),
    "action": (HOOK + "    action: dney\n", 6, "'dney'", "did you mean 'deny'? Choices: deny, sanitize, warn"),
    "action none": (HOOK + "    action: none\n", 6, "'none'", "Choices: deny, sanitize, warn"),
    "scope": (HOOK + "    scope: lst\n", 6, "'lst'", "did you mean 'last'? Choices: all, last"),
    "scope key": (HOOK + "    scope: {mesages: last}\n", 6, "'mesages'", "did you mean 'messages'?"),
    "scope messages": (HOOK + "    scope: {messages: first}\n", 6, "'first'", "Choices: all, last"),
    "role": (HOOK + "    scope: {roles: [usr]}\n", 6, "'usr'", "did you mean 'user'?"),
    "no role": (HOOK + "    scope: {roles: []}\n", 6, "roles is empty", "no message would be checked"),
    "feedback key": (HOOK + "    on_fail: {feedbck: {}}\n", 6, "'feedbck'", "did you mean 'feedback'?"),
    "check action": (
        "input_guardrails:\n  - id: g\n    pii_redact: {action: redact}\n",
        3,
        "'redact'",
        "Choices: deny, sanitize, warn",
    ),
    "operator": (HOOK.replace("none", "None"), 5, "'None'", "did you mean 'none'? Choices: all, any, none"),
    "two actions": (
        "input_guardrails:\n  - id: g\n    deny: false\n    pii_redact: {action: deny}\n",
        4,
        "action: deny",
        "deny: false says two things",
    ),
    "two other actions": (
        "input_guardrails:\n  - id: g\n    action: deny\n    pii_redact: {action: sanitize}\n",
        4,
        "action: sanitize",
        "action: deny says two things",
    ),
    "detection without deny": (
        "input_guardrails:\n  - id: g\n    regexReplace: {rule: x, failOnDetection: true}\n",
        3,
        "failOnDetection",
        "write deny: true",
    ),
    "duplicate ids": (HOOK + "  - id: g\n    checks: [notNull]\n", 6, "guardrail 'g'", "there twice in before_request"),
    "duplicate ids in two keys": (
        HOOK + "input_guardrails: [{id: g, notNull: {}}]\n",
        6 if HOOK.startswith("before") else 2,
        "guardrail 'g'",
        "there twice",
    ),
    "one id, two meanings": (
        HOOK + "output_guardrails:\n  - {id: g, notNull: {}}\n",
        7,
        "guardrail 'g'",
        "one thing before the request and another after it",
    ),
    "duplicate YAML keys": (
        HOOK + "    deny: true\n    deny: false\n",
        7,
        "'deny' is there twice",
        "the first is in line 6",
    ),
    "snake and camel": (
        HOOK + "    on_error: block\n    onError: block\n",
        7,
        "'onError' is there twice",
        "camel case",
    ),
    "snake and camel phases": (
        HOOK + "beforeRequestHooks: []\n",
        6,
        "'beforeRequestHooks' is there twice",
        "camel case",
    ),
    "snake and camel parameters": (
        "input_guardrails: [{id: g, wordCount: {minWords: 1, min_words: 1}}]\n",
        1,
        "'min_words' is there twice",
        "camel case",
    ),
    "hook without checks": (
        "before_request_hooks:\n  - id: g\n    deny: true\n",
        2,
        "'g' would pass everything",
        "it has no checks",
    ),
    "hook without id or checks": (
        "before_request_hooks:\n  - deny: true\n",
        2,
        "'before_request_hook_1' would pass everything",
        "it has no checks",
    ),
    "checks: []": (
        "before_request_hooks:\n  - id: g\n    checks: []\n",
        2,
        "'g' would pass everything",
        "it has no checks",
    ),
    "checks empty": ("before_request_hooks:\n  - id: g\n    checks:\n", 3, "checks is a list", "not nothing"),
    "all disabled": (
        "before_request_hooks:\n  - id: g\n    checks: [{id: notNull, is_enabled: false}]\n",
        2,
        "'g' would pass everything",
        "every check of it is disabled",
    ),
    "all of a shorthand disabled": (
        "input_guardrails:\n  - notNull: {isEnabled: false}\n",
        2,
        "would pass everything",
        "disabled",
    ),
    "a check without id": (
        "before_request_hooks:\n  - id: g\n    checks:\n      - parameters: {}\n",
        4,
        "a check has no id",
        "",
    ),
    "empty guardrail": ("input_guardrails:\n  - {}\n", 2, "would pass everything", "it has no checks"),
    "nothing for a guardrail": ("input_guardrails:\n  -\n", 2, "a guardrail is a text", "not nothing"),
    "a list for a guardrail": ("input_guardrails:\n  - [pii_redact]\n", 2, "an id or a mapping", "not a list"),
    "empty phase": ("input_guardrails: []\n", 1, "no guardrail in any phase", "before_request_hooks, input_guardrails"),
    "phase is no list": ("input_guardrails: pii_redact\n", 1, "input_guardrails is a list", "not pii_redact"),
    "empty configuration": ("", 1, "the configuration is a mapping", "not nothing"),
    "only a version": ("version: 1\n", 1, "no guardrail in any phase", "every request would pass"),
    "unused definition": (
        HOOK + "guardrails:\n  spare:\n    checks: [notNull]\n",
        7,
        "'spare' is defined and in no phase",
        "never run",
    ),
    "definition with another id": (
        "guardrails:\n  a: {id: b, checks: [notNull]}\ninput_guardrails: [a]\n",
        2,
        "'a' has another id inside",
        "'b'",
    ),
    "definition and more": (
        "guardrails:\n  a: {checks: [notNull]}\ninput_guardrails:\n  - {id: a, deny: true}\n",
        4,
        "'a' is defined above",
        "deny belongs there",
    ),
    "definition of no check": (
        "guardrails:\n  a: pii_redcat\ninput_guardrails: [a]\n",
        2,
        "'pii_redcat'",
        "did you mean 'pii_redact'?",
    ),
    "definitions are a list": ("guardrails: [pii_redact]\n", 1, "guardrails is a mapping", "not a list"),
    'deny: "true"': (HOOK + '    deny: "true"\n', 6, "deny is true or false", "not 'true'"),
    "deny: yes": (HOOK + "    deny: yes\n", 6, "deny is true or false", "not yes"),
    "is_enabled: 0": (
        "input_guardrails: [{id: g, checks: [{id: notNull, is_enabled: 0}]}]\n",
        1,
        "is_enabled is true or false",
        "not 0",
    ),
    "deny and warn": (HOOK + "    action: warn\n    deny: true\n", 7, "deny: true and action: warn", "say two things"),
    "no deny and deny": (
        HOOK + "    action: deny\n    deny: false\n",
        7,
        "deny: false and action: deny",
        "say two things",
    ),
    "async and deny": (
        HOOK + "    deny: true\n    async: true\n",
        7,
        "an async guardrail only observes",
        "neither deny nor sanitize",
    ),
    "async and action": (HOOK + "    action: deny\n    async: true\n", 7, "an async guardrail only observes", ""),
    "async and sanitize": (
        "input_guardrails:\n  - id: g\n    action: sanitize\n    async: true\n    pii_redact: {}\n",
        4,
        "an async guardrail only observes",
        "",
    ),
    "sanitize by a detector": (
        HOOK + "    action: sanitize\n",
        6,
        "default.contains only detects",
        "it cannot sanitize",
    ),
    "warn and sanitize": (
        "input_guardrails:\n  - id: g\n    action: warn\n    pii_redact: {action: sanitize}\n",
        4,
        "action: sanitize inside a guardrail with action: warn",
        "two things",
    ),
    "on_error and failOnError": (
        "input_guardrails:\n  - id: g\n    on_error: allow\n    notNull: {failOnError: true}\n",
        3,
        "on_error: allow and failOnError",
        "say two things",
    ),
    "failOnError of two minds": (
        "input_guardrails:\n  - a: {id: notNull, failOnError: true}\n    b: {id: notNull, failOnError: false}\n",
        2,
        "disagree on failOnError",
        "",
    ),
    "words is a mapping": (
        HOOK.replace("[foo]", "{a: foo}"),
        5,
        "parameter words of default.contains is a list",
        "not a mapping",
    ),
    "words is empty": (HOOK.replace("[foo]", "[]"), 4, "default.contains: words is a list of at least one text", ""),
    "a number of another kind": (
        "input_guardrails: [{id: g, wordCount: {minWords: 1.5}}]\n",
        1,
        "is a whole number",
        "not 1.5",
    ),
    "a number in quotes": (
        "input_guardrails: [{id: g, wordCount: {minWords: '1'}}]\n",
        1,
        "is a whole number",
        "not '1'",
    ),
    "threshold is no number": (
        "input_guardrails: [{id: g, prompt_injection_detect: {threshold: high}}]\n",
        1,
        "parameter threshold",
        "is a number, not high",
    ),
    "threshold out of range": (
        "input_guardrails: [{id: g, prompt_injection_detect: {threshold: 0}}]\n",
        1,
        "threshold is above 0 and at most 1",
        "not 0",
    ),
    "not is a text": (
        "input_guardrails: [{id: g, notNull: {not: maybe}}]\n",
        1,
        "parameter not of default.notNull is true or false",
        "",
    ),
    "failOnError is a text": (
        "input_guardrails: [{id: g, notNull: {failOnError: 'true'}}]\n",
        1,
        "failOnError is true or false",
        "not 'true'",
    ),
    "schema is a text": (
        "input_guardrails: [{id: g, jsonSchema: {schema: object}}]\n",
        1,
        "parameter schema",
        "is a mapping, not object",
    ),
    "rule is nothing": (
        "input_guardrails:\n  - id: g\n    regexMatch:\n      rule:\n",
        4,
        "parameter rule",
        "is a text, not nothing",
    ),
    "parameters are a list": (
        "input_guardrails: [{id: g, notNull: [1]}]\n",
        1,
        "parameters of default.notNull is a mapping",
        "not a list",
    ),
    "missing parameter": (
        "input_guardrails: [{id: g, contains: {words: [a]}}]\n",
        1,
        "default.contains needs the parameter 'operator'",
        "",
    ),
    "missing limits": ("input_guardrails: [{id: g, wordCount: {}}]\n", 1, "neither a minimum nor a maximum", ""),
    "crossed limits": (
        "input_guardrails: [{id: g, wordCount: {minWords: 3, maxWords: 2}}]\n",
        1,
        "the minimum 3 is above the maximum 2",
        "",
    ),
    "invalid regex": (
        "input_guardrails:\n  - id: g\n    regexMatch: {rule: '('}\n",
        3,
        "rule '(' is no regular expression",
        "missing )",
    ),
    "too large a regex": (
        "input_guardrails:\n  - id: g\n    regexMatch: {rule: 'a{4294967296}'}\n",
        3,
        "is no regular expression",
        "too large",
    ),
    "invalid schema": (
        "input_guardrails:\n  - id: g\n    jsonSchema: {schema: {type: objekt}}\n",
        3,
        "schema is no JSON Schema",
        "objekt",
    ),
    "version is a list": (HOOK + "version: [1]\n", 6, "version is a text", "not a list"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_names_its_line_what_came_and_what_to_write(mistake: str) -> None:
    """A mistake is a ConfigError at its line, with what came and the choices or the reason."""
    text, line, came, help_ = MISTAKES[mistake]
    error = refusal(text)
    assert str(error).startswith(f"g.yaml:{line}:{error.column}: ")
    assert came in str(error)
    assert help_ in str(error)


@pytest.mark.parametrize("mistake", [name for name in MISTAKES if name != "duplicate YAML keys"])
def test_every_mistake_in_python_data_is_refused_too(mistake: str) -> None:
    """What a file is refused for, a Python mapping is refused for."""
    text, _, came, _ = MISTAKES[mistake]
    with pytest.raises(ConfigError) as caught:
        Engine.from_config(parse_yaml(text, "x").data())
    assert caught.value.line is None
    assert came in str(caught.value)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"input_guardrails": [{"id": "g", "checks": [{"id": "nope"}]}]}, "input_guardrails[0].checks[0].id: "),
        ({"input_guardrails": [{"id": "g", "checks": [{"id": "contains"}]}]}, "input_guardrails[0].checks[0]: "),
        ({"input_guardrails": ["pii_redact", {"id": "g", "denny": True}]}, "input_guardrails[1].denny: "),
        ({"input_guardrails": [{"id": "g", "notNull": {"nto": True}}]}, "input_guardrails[0].notNull.nto: "),
        ({"input_guardrails": [{"id": "", "notNull": {}}]}, "input_guardrails[0]: "),
        ({"output_guardrails": [{"checks": []}]}, "output_guardrails[0]: "),
        ({"guardrails": {"a": {"checks": [1]}}, "input_guardrails": ["a"]}, "guardrails.a.checks[0]: "),
        ({"input_guardrials": []}, "input_guardrials: "),
        ({"version": 3, "input_guardrails": ["pii_redact"]}, "version: "),
        (
            {"input_guardrails": [{"id": "g", "scope": {"roles": ["usr"]}, "notNull": {}}]},
            "input_guardrails[0].scope.roles: ",
        ),
    ],
)
def test_errors_in_python_data_name_a_path(data: dict[str, Any], path: str) -> None:
    """Python data has no lines: its errors begin with the path of the value."""
    with pytest.raises(ConfigError) as caught:
        Engine.from_config(data)
    assert str(caught.value).startswith(path)


def test_invalid_json_is_refused_with_its_place(tmp_path: Path) -> None:
    """A JSON file is read as JSON, not as YAML."""
    path = tmp_path / "g.json"
    path.write_text('{"input_guardrails": ["pii_redact"],}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"g\.json:1:\d+: not JSON"):
        Engine.from_file(path)


def test_a_json_file_names_lines_too(tmp_path: Path) -> None:
    """A mistake in a JSON file has its line and column."""
    path = tmp_path / "g.json"
    path.write_text('{\n\t"input_guardrails": [\n\t\t"pii_redcat"\n\t]\n}\n', encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"g\.json:3:3: unknown guardrail id or check 'pii_redcat'; did you mean 'pii_redact'"
    ):
        Engine.from_file(path)


def test_an_engine_refuses_equal_ids_in_one_phase_only() -> None:
    """Guardrails built in Python may share an id across phases, and not within one."""
    before, after = Guardrail("g", BEFORE, (NotNull(),)), Guardrail("g", AFTER, (NotNull(),))
    assert Engine([before, after]).guardrails == (before, after)
    with pytest.raises(ConfigError, match="'g' is there twice in before_request"):
        Engine([before, before])
    with pytest.raises(ConfigError, match="takes guardrails, not str"):
        Engine(["pii_redact"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"id": ""}, "has no id"),
        ({"checks": ()}, "has no checks"),
        ({"checks": (len,)}, "a check is a callable with an id"),
        ({"checks": ("pii_redact",)}, "a check is a callable with an id"),
        ({"action": "none"}, "action none would make it do nothing"),
        ({"action": "dney"}, "did you mean 'deny'?"),
        ({"phase": "befor_request"}, "did you mean 'before_request'?"),
        ({"on_error": "alow"}, "did you mean 'allow'?"),
    ],
)
def test_a_guardrail_built_in_python_is_checked_as_well(wrong: dict[str, Any], said: str) -> None:
    """The constructor refuses what a configuration refuses."""
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        Guardrail(**{"id": "g", "phase": BEFORE, "checks": (NotNull(),), **wrong})


def test_an_async_guardrail_cannot_be_told_to_block_on_errors() -> None:
    """``async`` beside a written ``on_error: block`` is a contradiction."""
    with pytest.raises(ConfigError, match="its errors cannot block"):
        Engine.from_config(
            {"input_guardrails": [{"id": "g", "checks": ["content_moderation"], "async": True, "on_error": "block"}]}
        )
