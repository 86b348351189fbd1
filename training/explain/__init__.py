"""Measurements of the heatmap's quality and of the shortcuts that the score takes."""
