"""The demonstration school system, and the walk through the main job on it."""
