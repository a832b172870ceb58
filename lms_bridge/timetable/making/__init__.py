"""Makes a campus's timetable of a week: the inputs are checked, built into a problem, solved, and published."""
