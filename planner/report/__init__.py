"""The report room: a ``Result`` as one self-contained page, as Markdown, as CSV and as JSON."""
