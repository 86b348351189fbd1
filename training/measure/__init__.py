"""What a checkpoint is worth on labelled films: figures, comparison, report."""
