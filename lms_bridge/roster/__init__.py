"""Organisations, people, classes, households, consent; OneRoster CSV in."""
