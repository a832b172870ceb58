"""Pages, mails and documents of LMS Bridge; found by importlib.resources, in a checkout or installed."""
