"""Folders of images: what is in them, and what their names say."""
