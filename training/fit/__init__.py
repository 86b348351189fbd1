"""How a network learns: recipe, epochs, calibration, checkpoint."""
