"""Home study: so far the homework that an LMS knows; check-ins and early warnings come with a later issue."""
