"""Labelled films: finding, splitting by patient, augmenting."""
