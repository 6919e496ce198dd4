"""Figures as papers print them, drawn by matplotlib: vector files with embedded fonts, readable in grey."""
