"""An interaction in vcrpy's form, and back.

What vcrpy has no word for stands in the response, where it survives vcrpy: ``guardrails: {latency_ms, raises}``.
"""

from __future__ import annotations

import base64
import http
import zlib
from typing import Any

from pytest_guardrails._cassette._interaction import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    Headers,
    Interaction,
    header,
    kept,
    normalised,
    scrubbed,
)
from pytest_guardrails._errors import unknown

_LONGEST_BODY = 64 * 2**20
_LONGEST_WAIT_MS = 3_600_000.0
_EXTRA = ("latency_ms", "raises")


def to_dict(interaction: Interaction, *, binary: bool) -> dict[str, Any]:
    """Return vcrpy's form of an interaction, without credentials.

    ``binary`` leaves bytes that are no UTF-8 as they are, for YAML; else they become ``{"base64": ...}``.
    """
    response: dict[str, Any] = {
        "status": {"code": interaction.status, "message": _phrase(interaction.status)},
        "headers": _listed(kept(interaction.response_headers, RESPONSE_HEADERS)),
        "body": _body(interaction.response_body, binary=binary),
    }
    if not isinstance(response["body"], dict):
        response["body"] = {"string": response["body"]}
    extra = {name: getattr(interaction, name) for name in _EXTRA if getattr(interaction, name) is not None}
    if extra:
        response["guardrails"] = extra
    return {
        "request": {
            "method": interaction.method,
            "uri": scrubbed(interaction.url),
            "body": _body(interaction.request_body, binary=binary),
            "headers": _listed(kept(interaction.request_headers, REQUEST_HEADERS)),
        },
        "response": response,
    }


def _body(body: bytes, *, binary: bool) -> Any:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body if binary else {"base64": base64.b64encode(body).decode()}


def _listed(headers: Headers) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, value in headers:
        out.setdefault(name, []).append(value)
    return out


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def from_dict(data: Any) -> Interaction:
    """Read vcrpy's form of an interaction, also that of its httpx cassettes before version 8.2.

    Request headers that may not be written are not kept in memory either.

    Raises:
        ValueError: saying what is wrong; no value of the file is quoted.
    """
    request, response = _part(data, "request"), _part(data, "response")
    method, url = request.get("method"), request.get("uri")
    if not isinstance(method, str) or not isinstance(url, str):
        raise ValueError("a request has a method and a uri, both texts")
    status, body = _answer_of(response)
    headers = _headers(response.get("headers"))
    if encoding := header(headers, "content-encoding").strip().lower():
        body = _decompressed(body, encoding)
        headers = tuple(pair for pair in headers if pair[0].lower() not in ("content-encoding", "content-length"))
    latency_ms, raises = _extra(response.get("guardrails"))
    normalised(url)  # a URL that cannot be read is found here, not in the middle of a run
    return Interaction(
        method=method,
        url=scrubbed(url),
        request_headers=kept(_headers(request.get("headers")), REQUEST_HEADERS),
        request_body=_bytes(request.get("body"), "the body of a request"),
        status=status,
        response_headers=headers,
        response_body=body,
        latency_ms=latency_ms,
        raises=raises,
    )


def _part(data: Any, name: str) -> dict[str, Any]:
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, dict):
        raise ValueError(f"an interaction has a mapping {name!r}")
    return value


def _answer_of(response: dict[str, Any]) -> tuple[int, bytes]:
    if "status_code" in response:
        status, body = response["status_code"], response.get("content")
    else:
        status, body = response.get("status"), response.get("body")
        status = status.get("code") if isinstance(status, dict) else None
        body = body.get("string", body if "base64" in body else None) if isinstance(body, dict) else body
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise ValueError("the status of a response is a number from 100 to 599")
    return status, _bytes(body, "the body of a response")


def _bytes(value: Any, what: str) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict) and isinstance(value.get("base64"), str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except ValueError:
            raise ValueError(f"{what} is no base64") from None
    raise ValueError(f"{what} is a text, not a {type(value).__name__}")


def _headers(value: Any) -> Headers:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise ValueError("headers are a mapping")
    out = []
    for name, values in value.items():
        for item in values if isinstance(values, list | tuple) else (values,):
            if not isinstance(item, str) or not isinstance(name, str):
                raise ValueError("a header is a text, or a list of texts")
            out.append((name, item))
    return tuple(out)


def _decompressed(body: bytes, encoding: str) -> bytes:
    """Return what vcrpy stored compressed, as it does unless told otherwise."""
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "deflate"):
        raise ValueError("a body is stored with a content-encoding other than gzip and deflate: record it decoded")
    if encoding == "deflate":
        with_header = body[:1] == b"\x78"
        unpacker = zlib.decompressobj(zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS)
    elif body[:2] != b"\x1f\x8b":
        return body  # decoded by whoever stored it, and the header left there
    else:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        out = unpacker.decompress(body, _LONGEST_BODY)
    except zlib.error:
        raise ValueError(f"a body is not the {encoding} that its header says") from None
    if unpacker.unconsumed_tail:
        raise ValueError(f"a body unpacks to more than {_LONGEST_BODY:,} bytes")
    return out


def _extra(value: Any) -> tuple[float | None, str | None]:
    if value is None:
        return None, None
    if not isinstance(value, dict):
        raise ValueError("guardrails in a response is a mapping")
    for name in value:
        if name not in _EXTRA:
            raise ValueError(unknown("key in guardrails of a response", name, _EXTRA))
    latency, raises = value.get("latency_ms"), value.get("raises")
    if latency is not None and not (_is_number(latency) and 0 <= latency <= _LONGEST_WAIT_MS):
        raise ValueError(f"latency_ms is a number from 0 to {_LONGEST_WAIT_MS:.0f}")
    if raises is not None and not (isinstance(raises, str) and raises.isidentifier() and len(raises) <= 80):
        raise ValueError("raises is the name of an exception")
    return (None if latency is None else float(latency)), raises


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
