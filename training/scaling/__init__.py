"""How many films an installation carries, from what one film costs: arithmetic and a simulation."""
