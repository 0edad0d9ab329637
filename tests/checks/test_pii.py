"""What `PiiRedact` finds, what it leaves alone, and what always holds."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

import pytest_guardrails
from pytest_guardrails import Case, ConfigError, Engine, _cases
from pytest_guardrails._model import Text
from pytest_guardrails.checks import PiiRedact

VISA = "4111" + "1111" * 3
OLD_VISA = "4" + "2" * 12
MASTERCARD = "5555" * 3 + "4444"
AMEX = "3782" + "822463" + "10005"
SSN = "-".join(("078", "05", "1120"))
GERMAN = "DE89" + "370400440532013000"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
OPENAI = "sk" + "-proj-" + "a1B2c3D4e5F6g7H8i9J0"
GITHUB = "gh" + "p_" + "a1B2c3D4e5F6" * 3


def grouped(digits: str, sizes: tuple[int, ...], separator: str = " ") -> str:
    """Return the digits in groups of these sizes."""
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return separator.join(digits[start : start + size] for start, size in zip(starts, sizes, strict=True))


def found(text: str, check: PiiRedact | None = None) -> list[tuple[str, str]]:
    """Return the kinds and values that the check finds."""
    return [(f.name, text[f.start : f.end]) for f in (check or PiiRedact())([Text(text)])]


def masked(text: str, check: PiiRedact | None = None) -> str:
    """Return the text with its findings replaced."""
    for finding in sorted((check or PiiRedact())([Text(text)]), key=lambda f: f.start or 0, reverse=True):
        text = f"{text[: finding.start]}{finding.replacement}{text[finding.end :]}"
    return text


FOUR = (4, 4, 4, 4)


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("write to jane.doe+tag@mail.example.co.uk.", "EMAIL", "jane.doe+tag@mail.example.co.uk"),
        ("'jim@x.org'", "EMAIL", "jim@x.org"),
        ("Mr <o'brien@x.ie>", "EMAIL", "o'brien@x.ie"),
        ("user@163.com", "EMAIL", "user@163.com"),
        ("邮箱jane@example.com啊", "EMAIL", "jane@example.com"),
        ("a@xn--d1acufc.xn--p1ai", "EMAIL", "a@xn--d1acufc.xn--p1ai"),
        ("x jane＠example.com", "EMAIL", "jane＠example.com"),
        (VISA, "CREDIT_CARD", VISA),
        (f"card:{VISA}", "CREDIT_CARD", VISA),
        (f"number {MASTERCARD}, thanks", "CREDIT_CARD", MASTERCARD),
        (grouped(AMEX, (4, 6, 5)), "CREDIT_CARD", grouped(AMEX, (4, 6, 5))),
        (f"{grouped(VISA, FOUR)} 12/27 123", "CREDIT_CARD", grouped(VISA, FOUR)),
        (f"{grouped(VISA, FOUR)} 123", "CREDIT_CARD", grouped(VISA, FOUR)),
        (f"pay 50 {grouped(VISA, FOUR)}", "CREDIT_CARD", grouped(VISA, FOUR)),
        (grouped(VISA, FOUR, "."), "CREDIT_CARD", grouped(VISA, FOUR, ".")),
        (grouped(VISA, FOUR, "\u2011"), "CREDIT_CARD", grouped(VISA, FOUR, "\u2011")),
        (grouped(VISA, FOUR, "\u00a0"), "CREDIT_CARD", grouped(VISA, FOUR, "\u00a0")),
        (f"我的卡号{VISA}谢谢", "CREDIT_CARD", VISA),
        (f"card {OLD_VISA}", "CREDIT_CARD", OLD_VISA),
        (SSN, "US_SSN", SSN),
        ("123-45" + "-6789", "US_SSN", "123-45" + "-6789"),
        (f"SSN {SSN.replace('-', '')}", "US_SSN", SSN.replace("-", "")),
        (f'"user_ssn": {SSN.replace("-", "")}', "US_SSN", SSN.replace("-", "")),
        (f"social security number: {SSN.replace('-', ' ')}", "US_SSN", SSN.replace("-", " ")),
        (f"{SSN.replace('-', '')} is my social security number", "US_SSN", SSN.replace("-", "")),
        (f"IBAN:{GERMAN} ok", "IBAN", GERMAN),
        (f"AB12 {grouped(GERMAN, (4, 4, 4, 4, 4, 2))} and go", "IBAN", grouped(GERMAN, (4, 4, 4, 4, 4, 2))),
        ("gb82 west 1234 5698 7654 32.", "IBAN", "gb82 west 1234 5698 7654 32"),
        ("host 10.0.0.1:8080", "IP_ADDRESS", "10.0.0.1"),
        ("the address was updated to 10.20.30.4", "IP_ADDRESS", "10.20.30.4"),
        ("ip=10.20.30.4", "IP_ADDRESS", "10.20.30.4"),
        ("http://10.1.2.3/path", "IP_ADDRESS", "10.1.2.3"),
        ("dns server 8.8.8.8", "IP_ADDRESS", "8.8.8.8"),
        ("IP:2001:db8::1", "IP_ADDRESS", "2001:db8::1"),
        ("from [2001:db8::1]:443", "IP_ADDRESS", "2001:db8::1"),
        ("via fe80::1.", "IP_ADDRESS", "fe80::1"),
        ("(415) 555-2671 x12", "PHONE", "(415) 555-2671 x12"),
        ("415.555.2671", "PHONE", "415.555.2671"),
        ("1-415-555-2671", "PHONE", "1-415-555-2671"),
        ("+14155552671 10 times", "PHONE", "+14155552671"),
        ("call me at 4155552671", "PHONE", "4155552671"),
        ("+44 20 7946 0958", "PHONE", "+44 20 7946 0958"),
        ("+442079460958", "PHONE", "+442079460958"),
        ("call me on +44 20 7946 0958", "PHONE", "+44 20 7946 0958"),
        ("+49 (30) 1234567", "PHONE", "+49 (30) 1234567"),
        ("Tel.: 030 1234567", "PHONE", "030 1234567"),
        (f"key={AWS}.", "API_KEY", AWS),
        (f"use {OPENAI}", "API_KEY", OPENAI),
        (f'token: "{GITHUB}"', "API_KEY", GITHUB),
        ("sk" + "_live_" + "a1B2c3D4e5F6g7H8", "API_KEY", "sk" + "_live_" + "a1B2c3D4e5F6g7H8"),
        ("xox" + "b-123456789012-a1B2c3D4e5F6g7H8", "API_KEY", "xox" + "b-123456789012-a1B2c3D4e5F6g7H8"),
    ],
)
def test_value_is_found(text: str, entity: str, value: str) -> None:
    """A value is found once, with its kind and exact span, famous test numbers included."""
    assert found(text) == [(entity, value)]


@pytest.mark.parametrize(
    "text",
    [
        "OpenAI API",
        "the OpenAI API key page, the AWS API and Visa cards",
        "logo@2x.png or logo@2x.min",
        "sprite@home.png",
        "numpy@1.26.0",
        "git@example.org:team/tools",
        "this@Activity.getString()",
        "see you @ home. Bye",
        "a..b@",
        "a.@example.com",
        VISA[:-1] + "2",
        f"{VISA}9",
        f"x{VISA}",
        f"0.{VISA}",
        f"posts/{VISA}",
        f"id-{VISA}",
        grouped(VISA, (3, 5, 3, 5)),
        f"{VISA[:4]} {VISA[4:8]}-{VISA[8:12]} {VISA[12:]}",
        f"1234 {grouped(VISA, FOUR)}",
        "1234 5678 1234 5670",
        "4" * 16,
        OLD_VISA,
        "9783161484100",
        SSN.replace("-", ""),
        "000-12-3456",
        "666-12-3456",
        "912-45-6789",
        "219-00-4518",
        "219-34-0000",
        f"{SSN}-7",
        f"A-{SSN}",
        GERMAN[:-1] + "1",
        f"X{GERMAN}",
        "XX" + GERMAN[2:],
        "version 10.2.30.4",
        "v10.2.30.4",
        "upgraded to 10.2.30.4",
        "nginx/1.20.30.4",
        "tool==3.11.20.5",
        "1.20.30.4-beta",
        "1.2.3.4",
        "1.20.30.40.5",
        "010.001.002.003",
        "256.1.1.1",
        "127.0.0.1, [::1], 0.0.0.0, 255.255.255.0",
        "12:34:56 and 1:2:3:4",
        "std::dec, abc::def, aa:bb:cc:dd:ee:ff",
        "text2001:db8::1",
        "555-0132",
        "911-555-1234",
        "415-911-2671",
        "4155552671",
        "1700000000",
        "91-415-555-26711",
        "phone: 2024-05-17",
        "call 1234567",
        "call 12.05.2024",
        "+51.5073219 -0.1276474",
        "+05:30 and +0000",
        "YOUR_API_KEY",
        "sk" + "-" + "x" * 24,
        "sk" + "-your-key-here-a1b2c3d4e5f6",
        "ta" + "sk-notification-a1b2c3d4e5f6g7h8",
        "sk" + "-learn-incomputably-long-name 2",
        "sk" + "-ab1-cd2-ef3-gh4-ij5-kl6",
        "sk" + "-" + "a1" * 12,
        "sk" + "-abcdefg1-hijklmn2-opqrst34",
        "2 AKIA" + "ABCDEFGHIJKLMNOP",
        AWS + "7",
        "114-7730281-9904417",
        "5b0e8c1a-94d7-4f5c-a3b2-7e61d09f4c28",
        "3f786850e387550fdab836ed7e6dc881de23001b",
    ],
)
def test_look_alike_is_no_finding(text: str) -> None:
    """What only looks like personal data is left alone."""
    assert found(text) == []


@given(st.text(alphabet="0123456789", min_size=11, max_size=11), st.sampled_from(["", " ", "-"]))
def test_valid_card_leaves_no_digits(tail: str, separator: str) -> None:
    """Masking a Luhn-valid card leaves no digit of it, however it is grouped."""
    payload = "4539" + tail
    card = payload + luhn.calc_check_digit(payload)
    text = grouped(card, FOUR, separator) if separator else card
    assert masked(f"my card is {text} ok") == "my card is <CREDIT_CARD> ok"


@given(st.text(alphabet="0123456789", min_size=11, max_size=11), st.integers(0, 15), st.integers(1, 9))
def test_card_with_one_digit_changed_is_none(tail: str, place: int, change: int) -> None:
    """A card with one digit changed fails its checksum, and is never a CREDIT_CARD."""
    payload = "4539" + tail
    card = payload + luhn.calc_check_digit(payload)
    wrong = f"{card[:place]}{(int(card[place]) + change) % 10}{card[place + 1 :]}"
    assert "CREDIT_CARD" not in dict(found(f"my card is {wrong} ok"))


@given(st.text(alphabet="0123456789", min_size=18, max_size=18), st.integers(4, 21), st.integers(1, 9))
def test_iban_is_found_and_its_twin_is_not(account: str, place: int, change: int) -> None:
    """A valid German IBAN is found; with one digit changed it is none."""
    value = f"DE{iban.calc_check_digits(f'DE00{account}')}{account}"
    wrong = f"{value[:place]}{(int(value[place]) + change) % 10}{value[place + 1 :]}"
    only = PiiRedact(entities=("IBAN",))
    assert found(f"to {value} today", only) == [("IBAN", value)]
    assert found(f"to {wrong} today", only) == []


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 9999))
def test_social_security_ranges(area: int, group: int, serial: int) -> None:
    """A hyphenated number is a US_SSN if and only if its area, group and serial are ever given out."""
    possible = area not in (0, 666) and area < 900 and group > 0 and serial > 0
    text = f"{area:03}-{group:02}-{serial:04}"
    assert found(text, PiiRedact(entities=("US_SSN",))) == ([("US_SSN", text)] if possible else [])


PIECES = st.sampled_from(
    [VISA, SSN, GERMAN, AWS, OPENAI, "jane@example.com", "10.0.0.1", "+442079460958", "fe80::1", " ", "-", ".", "@",
     ":", "+", "ssn ", "call ", "1", "4111", "é", "卡", "１", "\u2011", "sk-", "\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_spans_are_in_range_and_apart(text: str) -> None:
    """Every span lies in its text, is not empty, and does not lie inside another of its kind."""
    findings = PiiRedact()([Text(text)])
    for finding in findings:
        assert finding.start is not None
        assert finding.end is not None
        assert 0 <= finding.start < finding.end <= len(text)
    spans = [(finding.name, finding.start, finding.end) for finding in findings]
    assert len(set(spans)) == len(spans)


@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from([VISA, "jane@example.com", "10.0.0.1", "1", "-"]))
def test_allowlist_only_takes_away_what_lies_inside(text: str, entry: str) -> None:
    """An allowlist entry takes away exactly the findings that lie wholly inside one of its occurrences."""
    places = [i for i in range(len(text)) if text.startswith(entry, i)]
    every = PiiRedact()([Text(text)])
    inside = [f for f in every if any(i <= (f.start or 0) and (f.end or 0) <= i + len(entry) for i in places)]
    left = PiiRedact(allowlist=(entry,))([Text(text)])
    assert left == [finding for finding in every if finding not in inside]


def test_allowlist_does_not_swallow_a_longer_token() -> None:
    """An entry that is only part of a value does not hide the value."""
    check = PiiRedact(allowlist=("example.com", "jane@example.com", "4111"))
    assert found("jane@example.com", check) == []
    assert found("mary.jane@example.com", check) == [("EMAIL", "mary.jane@example.com")]
    assert found("jane@example.com.au", check) == [("EMAIL", "jane@example.com.au")]
    assert found(VISA, check) == [("CREDIT_CARD", VISA)]


def test_finding_says_where_and_what_to_write() -> None:
    """A finding carries the message, the field, the category, the placeholder and the action."""
    check = PiiRedact(action="deny", placeholder="[{entity}]")
    email, key = check([Text("a@b.io", 3, "tool_calls[0]"), Text(f"{AWS}", 4)])
    assert (email.message_index, email.field, email.category, email.replacement) == (
        3,
        "tool_calls[0]",
        "pii",
        "[EMAIL]",
    )
    assert (key.message_index, key.category, key.replacement, key.action) == (4, "credential", "[API_KEY]", "deny")


def test_entities_limit_what_is_found() -> None:
    """Only the chosen kinds are found, and the category of nothing else changes."""
    assert found(f"a@b.io {SSN}", PiiRedact(entities=("US_SSN",))) == [("US_SSN", SSN)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"entities": ()}, "entities is empty"),
        ({"entities": ("EMIAL",)}, "did you mean 'EMAIL'"),
        ({"allowlist": ("",)}, "empty entry"),
    ],
)
def test_settings_that_cannot_be_meant(arguments: dict[str, tuple[str, ...]], said: str) -> None:
    """A setting that would find nothing, or allow everything, is refused."""
    with pytest.raises(ConfigError, match=said):
        PiiRedact(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "unit", ["a@", "a@b.c1", "1-", "1 ", "x.1", "+1", "+49 ", "sk-1", ":1", "::1", "DE89 ", "4111 ", "call 1"]
)
def test_hostile_text_costs_linear_time(unit: str) -> None:
    """Four times the text costs about four times the time, never sixteen times."""

    def seconds(size: int) -> float:
        text = [Text((unit * size)[:size])]
        times = []
        for _ in range(3):
            begun = time.process_time()
            PiiRedact()(text)
            times.append(time.process_time() - begun)
        return min(times)

    assert seconds(20_000) < 10 * seconds(5_000) + 0.02


PACK = Path(pytest_guardrails.__file__).parent / "packs" / "near_miss"
SUITE = _cases.load(PACK / "near_miss.guardrails.yaml")


@pytest.mark.parametrize("case", SUITE.cases, ids=lambda case: case.id)
def test_near_miss_reaches_the_model_untouched(case: Case) -> None:
    """No case of the near-miss pack makes any of the three guardrails act."""
    trace = Engine.from_file(PACK / "guard.yaml").run(case.request)
    assert (trace.verdict, trace.action, trace.errors) == ("allow", "none", ())


def test_near_miss_pack_holds_no_secret_shape_in_its_source() -> None:
    """The file itself holds no value that a scanner would find: they are put together when it is read."""
    source = (PACK / "near_miss.guardrails.yaml").read_text(encoding="utf-8")
    assert found(source) == []
    assert "sk-" not in source.replace("sk-SK", "").replace("ask-", "")
    assert len({case.id for case in SUITE.cases}) >= 70
