"""Labelled films: found, split by patient, augmented."""
