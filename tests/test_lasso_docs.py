"""docs/lasso.md: its matrix is the one that the code makes, and its suite does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_guardrails.lasso import verdict_matrix

PAGE = Path(__file__).resolve().parent.parent / "docs/lasso.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the wheel has no docs: tested in a checkout")


def test_the_matrix_is_generated() -> None:
    """The table between the two comments is exactly what the policies say."""
    between = PAGE.read_text().partition("<!-- matrix -->\n")[2].partition("<!-- end of matrix -->")[0]
    assert between == verdict_matrix()


def test_the_suite_of_the_page_fails_until_it_is_recorded(pytester: pytest.Pytester) -> None:
    """As the page says: two cases miss their recordings, and the four outages block already."""
    guard, suite = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)[:2]
    (pytester.path / "guard.yaml").write_text(guard)
    (pytester.path / "chat.guardrails.yaml").write_text(suite)
    result = pytester.runpytest()
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(["*no recording answers*"])
