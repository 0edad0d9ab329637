"""The history of guard versions as static pages: rates over runs, versions compared, a badge; written or served."""

from __future__ import annotations

from pytest_guardrails.dashboard._site import Site, Sources, build

__all__ = ["Site", "Sources", "build"]
