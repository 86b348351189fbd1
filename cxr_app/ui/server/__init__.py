"""What the web server sends besides the pages: headers, static files, films."""
