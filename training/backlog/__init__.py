"""A folder of films scored to a CSV file, resumable."""
