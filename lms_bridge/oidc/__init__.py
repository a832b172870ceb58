"""OpenID Connect alone: what identity providers say of themselves, the way to one and back, and the checks."""
