"""Timetables of FET: what a ``.fet`` file says, and what its constraints mean for the engine."""
