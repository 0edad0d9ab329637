"""Every exception the package raises, and what each one means.

::

    GuardrailsError (Exception)
    ├── ConfigError (also ValueError)   what the user wrote cannot be meant: names the place, what came, the choices
    ├── GraderError     a grader gave no score: no answer, or one that is none
    ├── ReporterError   a reporter of another package made no report
    ├── VerdictMismatch (also AssertionError)   a trace is not what its test or case expects: its text is the diagnosis
    └── LassoError   the Lasso API gave no verdict
        ├── LassoConnectionError   no answer: refused, reset, name or certificate wrong
        ├── LassoTimeout           no answer in time
        ├── LassoStatusError       an answer other than 200: has status and retry_after
        └── LassoProtocolError     a 200 that is no verdict: has the oddities
    MissingRecording (BaseException)   nothing recorded answers a request: no ``except Exception`` can call it a verdict
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class GuardrailsError(Exception):
    """Base of every exception raised on purpose by pytest-guardrails."""


class ConfigError(GuardrailsError, ValueError):
    """What the user wrote cannot be meant; the message names the place, what came and the nearest choices."""

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        """Keep ``message`` and its place; ``line`` and ``column`` count from 1."""
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{where}: {self.message}" if where else self.message


class GraderError(GuardrailsError):
    """A grader gave no score; the message holds no credential and no text of a request."""


class ReporterError(GuardrailsError):
    """A reporter of another package made no report; the message names it and its package."""


class VerdictMismatch(GuardrailsError, AssertionError):  # noqa: N818 - a finding about the guard, not an error
    """A trace is not what its test or case expects; the text is the whole diagnosis, its first line the summary.

    ``judged`` is what a session judged in a generated test: the case, its trace, and what the model answered.
    """

    judged: Any = None


class LassoError(GuardrailsError):
    """The Lasso API gave no verdict; no message of one holds a credential or a text of a request."""


class LassoConnectionError(LassoError):
    """No answer: refused, reset, a name that does not resolve, a certificate that does not hold."""


class LassoTimeout(LassoError):  # noqa: N818 - as in every HTTP library
    """No whole answer within the time limit."""


class LassoStatusError(LassoError):
    """An answer with another status than 200; ``retry_after`` is in seconds, as the server said it."""

    def __init__(self, message: str, *, status: int, retry_after: float | None = None) -> None:
        """Keep the status and what the server said about trying again."""
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class LassoProtocolError(LassoError):
    """A 200 that is no verdict; ``oddities`` says what is wrong with it, one sentence each."""

    def __init__(self, message: str, *, oddities: tuple[str, ...] = ()) -> None:
        """Keep what is wrong."""
        super().__init__(message)
        self.oddities = oddities


class MissingRecording(BaseException):
    """Nothing recorded answers a request.

    It is on `BaseException`'s side of the tree, so that a guard with ``except Exception: allow`` cannot turn a
    recording that is missing into a verdict.
    """


def unknown(what: str, came: object, choices: Iterable[object]) -> str:
    """Say that ``came`` is an unknown ``what``, with the nearest choice first and every choice listed."""
    names = sorted(map(str, choices))
    near = difflib.get_close_matches(str(came), names, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"unknown {what} {str(came)!r}{hint} Choices: {', '.join(names)}"
