"""Scoring of a folder of films into a CSV file; a run can be resumed."""
