"""The pages: translate requests, hold no rules of their own."""
