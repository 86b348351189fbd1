"""Values as a reader sees them: words, numbers, tables."""
