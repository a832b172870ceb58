"""Timetables that come from other programs and go out to them: lists and class tables in Excel and CSV, FET files."""
