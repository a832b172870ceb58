"""LMS Bridge keeps a school system teaching when its schools must close."""

__version__ = "0.1.0"
