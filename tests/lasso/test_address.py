"""The base URL in every known form, and what is no base URL."""

from __future__ import annotations

import pytest

from pytest_guardrails import ConfigError
from pytest_guardrails.lasso import normalised_base_url

BASE = "https://server.lasso.security/gateway/v3"


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param("", id="portkey"),
        pytest.param("/", id="portkey-slash"),
        pytest.param("/gateway/v3", id="litellm"),
        pytest.param("/gateway/v3/", id="kong-slash"),
        pytest.param("/gateway/v3/classify", id="litellm-2025"),
        pytest.param("/gateway/v3/classifix/", id="classifix"),
    ],
)
def test_every_known_form_is_one_base(tail: str) -> None:
    """Host root, base, and whole URL of an endpoint mean the same; and the result means itself."""
    assert normalised_base_url(f"https://server.lasso.security{tail}") == BASE
    assert normalised_base_url(BASE) == BASE


def test_a_path_of_ones_own_deployment_is_kept() -> None:
    """A prefix and a port stay, whatever the scheme."""
    assert normalised_base_url("http://127.0.0.1:8080/lasso/") == "http://127.0.0.1:8080/lasso/gateway/v3"
    assert normalised_base_url("https://[::1]:8443") == "https://[::1]:8443/gateway/v3"


@pytest.mark.parametrize("version", ["/gateway/v1", "/gateway/v2", "/gateway/v2/classify", "/v1", "/v2/"])
def test_an_older_api_is_refused_by_name(version: str) -> None:
    """Versions before 3 answer otherwise: the error says which one this client speaks."""
    with pytest.raises(ConfigError, match="/gateway/v3"):
        normalised_base_url(f"https://server.lasso.security{version}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "server.lasso.security",
        "ftp://host",
        "https://",
        "https://host:port",
        "https://host:0x",
        "http://a b",
        "//host",
    ],
    ids=["empty", "no-scheme", "ftp", "no-host", "word-port", "odd-port", "space", "no-scheme-slashes"],
)
def test_what_is_no_http_url_is_refused(url: str) -> None:
    """Only http and https with a host are an address."""
    with pytest.raises(ConfigError, match="base URL of Lasso"):
        normalised_base_url(url)


@pytest.mark.parametrize(
    "form", ["https://{0}@host", "https://user:{0}@host", "https://host/?key={0}", "https://host#{0}"]
)
def test_credentials_in_a_url_are_refused_and_never_quoted(form: str) -> None:
    """A key in the URL is an error whose text does not hold it."""
    secret = "-".join(("made", "up", "key"))
    with pytest.raises(ConfigError) as caught:
        normalised_base_url(form.format(secret))
    assert secret not in str(caught.value)


def test_the_name_of_a_variable_is_no_url() -> None:
    """LiteLLM's ``os.environ/NAME`` is refused with what to write instead."""
    with pytest.raises(ConfigError, match="LASSO_API_BASE"):
        normalised_base_url("os.environ/LASSO_API_BASE")
