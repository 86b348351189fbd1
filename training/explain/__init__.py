"""What the heatmap is worth, and which shortcuts the score takes."""
