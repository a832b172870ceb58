"""Evidence to verdicts, policies, the live board, write-back."""
