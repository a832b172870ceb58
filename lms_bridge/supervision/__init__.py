"""Study plans, check-ins, weekly summaries, early warnings; filled by a later issue."""
