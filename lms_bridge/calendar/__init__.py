"""Terms in teaching weeks, holidays, period grids, and the days on which an organisation is online."""
