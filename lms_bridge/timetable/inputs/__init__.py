"""What a campus states about its timetable: subject rules, teaching arrangements, teachers' limits."""
