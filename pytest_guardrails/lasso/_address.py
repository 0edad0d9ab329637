"""Where the Lasso API is, in any of the forms in which gateways write its base URL."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from pytest_guardrails._errors import ConfigError

HOST = "https://server.lasso.security"
BASE_VARIABLE = "LASSO_API_BASE"

_ENDPOINT = re.compile(r"/(classify|classifix)\Z")
_VERSION = re.compile(r"(/gateway)?/v([0-9]+)\Z")


def base_url_of(base_url: str | None) -> str:
    """Return the base of the API: the argument, else LASSO_API_BASE, else Lasso's own.

    Raises:
        ConfigError: as `normalised_base_url`.
    """
    return normalised_base_url(base_url or os.environ.get(BASE_VARIABLE) or HOST)


def normalised_base_url(text: str) -> str:
    """Return the base of the v3 API for any of the forms in use: the host, ``.../gateway/v3``, ``.../v3/classify``.

    Source: Portkey wants the host, LiteLLM, Kong and TrueFoundry ``/gateway/v3``, older LiteLLM the whole URL.

    Raises:
        ConfigError: for what is no http URL, has credentials in it, or names another version of the API.
    """
    url = text.strip().rstrip("/")
    if url.startswith("os.environ/"):  # LiteLLM's way to name a variable
        raise ConfigError(f"the base URL of Lasso names a variable: pass the URL itself, or set {BASE_VARIABLE}")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        usable = usable and url.isprintable() and " " not in url
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError("the base URL of Lasso is an http or https URL, as in https://server.lasso.security")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError("the base URL of Lasso has no user, no query and no fragment")
    url = _ENDPOINT.sub("", url).rstrip("/")
    version = _VERSION.search(url)
    if version is not None and version[2] != "3":
        raise ConfigError("the base URL of Lasso names another version of its API; this client speaks /gateway/v3")
    return url if version is not None and version[1] else f"{url}/gateway/v3"
