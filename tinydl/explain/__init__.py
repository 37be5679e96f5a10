"""Read the math of a training step page by page.

`tinydl.explain.page` says what is on a page.
"""
