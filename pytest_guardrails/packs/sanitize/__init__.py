"""Sanitizing, proved by what the model received."""
