"""What keeps an installation running for years: opening, backup, restore, checks."""
