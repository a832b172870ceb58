"""How lessons change: change sets, changes by hand, and what is wrong with lessons where they are put."""
