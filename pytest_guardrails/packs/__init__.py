"""Ready-made suites that anyone can run on their own guard: ``pytest --pyargs pytest_guardrails.packs``."""
