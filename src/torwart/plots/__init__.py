"""Pictures drawn on the server: numbers in, SVG with a text twin out; no database, no request, no JavaScript.

Every picture is a function ``draw(data, *, language, width, theme) -> Picture``. The same picture stands on a page,
in a mail, in a PDF: its colours are plain values there, and the page's tokens on a page (``Theme``).
"""
