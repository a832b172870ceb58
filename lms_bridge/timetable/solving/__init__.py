"""The solver of a week: a plain problem in, a plain answer out, or why there is none. Pure: it knows no database."""
