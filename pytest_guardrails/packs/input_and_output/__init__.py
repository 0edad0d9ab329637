"""Nine rows in the manner of the "Guardrails Input And Output" eval."""
