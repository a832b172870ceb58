"""Cases: what upsets a timetable becomes a case with ranked proposals; one is applied, the others are given up."""
