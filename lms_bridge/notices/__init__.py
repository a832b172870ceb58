"""Outbox, bundling, rendering, channels, preferences, acknowledgement, iCalendar writing."""
