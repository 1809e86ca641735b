"""Numbers to SVG; knows no database and no request."""
