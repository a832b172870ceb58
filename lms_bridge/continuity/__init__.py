"""Closure events, duties, readiness, health, notice documents; filled by a later issue."""
