"""Measurements of speed, memory and robustness against kills."""
