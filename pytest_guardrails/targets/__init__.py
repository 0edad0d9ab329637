"""Targets: whatever turns a request into a trace."""
