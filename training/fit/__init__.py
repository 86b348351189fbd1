"""Training a network: recipe, epochs, calibration, checkpoint."""
