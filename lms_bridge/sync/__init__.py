"""What is exchanged with an LMS: people and enrolments in, events and activities out, and the comparison of both."""
