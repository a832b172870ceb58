"""Jitsi Meet as a meeting provider."""
