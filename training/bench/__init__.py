"""Measurements of speed, memory and endurance."""
