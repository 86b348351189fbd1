"""The web server around the pages: headers, static files, film data, error messages."""
