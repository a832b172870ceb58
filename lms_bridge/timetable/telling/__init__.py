"""Who hears of a change, what they are told, and how many people it disturbs."""
