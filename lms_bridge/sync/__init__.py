"""What is exchanged with an LMS; filled by the issue on Moodle."""
