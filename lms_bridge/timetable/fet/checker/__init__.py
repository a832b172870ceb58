"""Checks a timetable of a FET school with plain loops: shares nothing with the engine that made it, on purpose.

Each file holds the rules of one subject; a rule gets the placed timetable and one constraint of the file and yields a
sentence for each time that it is broken. The meaning of each constraint is that of FET 6.8 in its mode "Official".
"""
