"""Cases: what upsets the timetable (absences, closures, lost rooms and days), and the proposals that settle it."""
