"""The REST way in: translates requests, holds no rules of its own."""
