"""How the units of plans lie in lessons: which ones a week teaches, and how they follow lessons that change."""
