"""Performance of checkpoints on labelled films: predictions, figures and comparisons."""
