"""Measurements of speed, memory and robustness against kills and damaged films."""
