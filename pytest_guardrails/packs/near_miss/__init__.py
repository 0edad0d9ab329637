"""Legitimate look-alikes that no guard should touch."""
