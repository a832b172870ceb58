"""Lessons, the solver, change sets, substitutions and feeds."""
