"""Drawn pictures: chest films that show no real patient, and pictures that are no chest film."""
