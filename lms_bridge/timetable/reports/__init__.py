"""What is read off the timetable: progress, the term at a glance, implementation plans, lists of lessons."""
