"""Which configuration is under test, and the engine that it makes, once per session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_guardrails._errors import ConfigError
from pytest_guardrails.targets.embedded import Engine


class Engines:
    """The configurations of one pytest process and their engines."""

    def __init__(self, config: pytest.Config, connect: Callable[[Engine], Engine]) -> None:
        self.config = config
        self.connect = connect  # gives the checks that ask an API what answers them in this session
        self._engines: dict[object, tuple[Engine, object]] = {}

    def overriding(self) -> Path | None:
        """Return the configuration of ``--guardrails-config``, which goes before every other."""
        path = self.config.getoption("guardrails_config")
        return self.config.invocation_params.dir / path if path else None

    def default(self) -> Path | None:
        """Return the configuration of ``--guardrails-config``, else of the ini file, else None."""
        if (path := self.overriding()) is not None:
            return path
        return self.of_ini()

    def of_ini(self) -> Path | None:
        """Return the configuration of the ini file, or None."""
        named = self.config.getini("guardrails_config")
        base = self.config.inipath.parent if self.config.inipath else self.config.rootpath
        return base / named if named else None

    def of(self, config: Any) -> Engine:
        """Return the engine of a configuration (a path, a mapping or an engine), made once per session.

        Raises:
            ConfigError: where there is none, or it cannot be meant.
        """
        if config is None:
            raise ConfigError(
                "no guardrail configuration: give --guardrails-config=PATH, override the fixture guardrails_config, "
                "name it under guardrails: in the case file, or set guardrails_config in the ini file"
            )
        if isinstance(config, Engine) and not config.guardrails:
            raise ConfigError("the engine under test has no guardrail: every request would pass")
        by_path = isinstance(config, str | Path)
        key = str(config) if by_path else id(config)
        if key not in self._engines:
            engine = Engine.from_file(self._shown(config)) if by_path else config
            engine = engine if isinstance(engine, Engine) else Engine.from_config(engine)
            self._engines[key] = self.connect(engine), config  # kept, so that no other mapping gets its id
        return self._engines[key][0]

    def _shown(self, path: str | Path) -> Path:
        """Return a path as short as errors and reports should show it."""
        absolute = Path(path) if Path(path).is_absolute() else self.config.rootpath / path
        cwd = self.config.invocation_params.dir
        return absolute.relative_to(cwd) if absolute.is_relative_to(cwd) and Path.cwd() == cwd else absolute
