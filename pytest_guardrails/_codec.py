"""Immutable JSON values, and frozen dataclasses to JSON and back."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


class FrozenDict(dict[str, Any]):
    """A JSON object that cannot be changed: hashable, equal to a dict of the same content, accepted by ``json``."""

    __slots__ = ()

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise TypeError("this mapping is part of an immutable value; make a dict() of it first")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenDict, (dict(self),))

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, _memo: object) -> FrozenDict:
        return self


EMPTY = FrozenDict()


def freeze(value: Any) -> Any:
    """Return an immutable copy of a JSON value: mappings become `FrozenDict`, sequences tuples.

    Raises:
        TypeError: for anything JSON has no word for.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return FrozenDict({str(key): freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def encode(value: Any, *, sparse: bool = False) -> Any:
    """Return ``value`` as JSON types: dataclasses become objects of their fields; ``sparse`` leaves defaults out."""
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [encode(item, sparse=sparse) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item, sparse=sparse) for key, item in value.items()}
    if isinstance(value, str | int | float):  # of a subclass, such as numpy.float64
        return value
    out = {}
    kind: Any = type(value)
    for name, default in _defaults(kind):
        item = getattr(value, name)
        if not (sparse and item == default):
            out[name] = encode(item, sparse=sparse)
    return out


def decode(kind: type[T], data: Any) -> T:
    """Build a ``kind`` (a dataclass) from what `encode` made of it; keys that are no field are ignored.

    Raises:
        TypeError, ValueError, KeyError: where ``data`` is not of that shape.
    """
    hint: Any = kind
    return typing.cast("T", _decoder(hint)(data))


_PLAIN = frozenset({str, int, float, bool})
_ABSENT = object()


@functools.cache
def _defaults(kind: Any) -> tuple[tuple[str, object], ...]:
    pairs = []
    for field in dataclasses.fields(kind):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        pairs.append((field.name, _ABSENT if default is dataclasses.MISSING else default))
    return tuple(pairs)


@functools.cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """Return the function that turns JSON into ``kind``, derived once from the type hints."""
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union_decoder(tuple(_decoder(part) for part in arguments if part is not type(None)))
    if origin is tuple:
        return functools.partial(_tuple, _decoder(arguments[0]))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind
    return freeze


def _tuple(item: Callable[[Any], Any], data: Any) -> tuple[Any, ...]:
    if isinstance(data, str | Mapping):
        raise TypeError(f"expected a list, got {type(data).__name__}")
    return tuple(item(part) for part in data)


def _dataclass_decoder(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    fields: list[tuple[str, Any]] = [(field.name, hints[field.name]) for field in dataclasses.fields(kind)]

    def build(data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise TypeError(f"{kind.__name__}: expected an object, got {type(data).__name__}")
        return kind(**{name: _decoder(hint)(data[name]) for name, hint in fields if name in data})

    return build


def _union_decoder(parts: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    def build(data: Any) -> Any:
        if data is None or (isinstance(data, str | bool | int | float) and freeze in parts):
            return data
        structured = [part for part in parts if part is not freeze]
        return (structured[0] if structured else freeze)(data)

    return build
