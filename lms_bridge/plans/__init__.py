"""Import, benchmark, review and export of teaching plans."""
