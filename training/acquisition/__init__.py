"""Acquisition: which X-ray machine made a film, and whether a network reads the machine."""
