"""What a week's timetable is made from, read for one campus: slots, demand, rooms, and who can teach when."""
