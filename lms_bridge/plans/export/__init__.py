"""Documents out: plans, review sheets, and the pieces that other documents of the school are put together from."""
