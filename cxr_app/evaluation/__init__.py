"""What probabilities are worth: figures with intervals, thresholds, the queue they make."""
