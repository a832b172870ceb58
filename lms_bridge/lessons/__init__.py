"""Meetings, the door (join gateway), presence evidence, the built-in classroom, failover."""
