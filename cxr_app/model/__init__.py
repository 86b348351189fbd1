"""The network: film to probability and heatmap. The only folder that imports torch."""
