"""Home study: so far the homework that an LMS knows; check-ins, summaries and early warnings come with a later issue."""
