"""What a cassette says of itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_guardrails._cassette._interaction import scrubbed
from pytest_guardrails._errors import ConfigError, unknown

KINDS = ("recorded", "synthetic")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a cassette says of itself.

    ``kind``: recorded from a real service, or synthetic (made up, or from a stand-in). ``recorded_at``: ISO 8601.
    ``base_url``, ``api``: against what; None is unknown. ``key_id``: texts are masked, under the key of that id.
    """

    kind: str = "recorded"
    recorded_at: str | None = None
    base_url: str | None = None
    api: str | None = None
    note: str | None = None
    key_id: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(unknown("kind of cassette", self.kind, KINDS))
        if self.base_url is not None:
            object.__setattr__(self, "base_url", scrubbed(self.base_url))

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Metadata:
        """Read what `as_dict` wrote.

        Raises:
            ConfigError: for an unknown key or kind, or a value that is no text.
        """
        data = dict(value)
        masked = data.pop("masked", None)
        if masked is not None:
            if not isinstance(masked, Mapping) or set(masked) != {"key_id"}:
                raise ConfigError("masked in the metadata of a cassette is a mapping with key_id")
            data["key_id"] = masked["key_id"]
        names = [field.name for field in dataclasses.fields(cls)]
        for name, item in data.items():
            if name not in names or (name == "key_id" and masked is None):
                choices = [*names[:-1], "masked"]
                raise ConfigError(unknown("key in the metadata of a cassette", name, choices))
            if not isinstance(item, str | None):
                raise ConfigError(f"{name} in the metadata of a cassette is a text")
        if not data.get("kind"):
            raise ConfigError(f"the metadata of a cassette has a kind: {' or '.join(KINDS)}")
        try:
            return cls(**data)
        except ValueError as exc:
            raise exc if isinstance(exc, ConfigError) else ConfigError("base_url is no URL") from None

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is written, without what is not known."""
        out = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        if key_id := out.pop("key_id", None):
            out["masked"] = {"key_id": key_id}
        return out
