"""Documents made by code to try the readers with: how teachers really lay out their plans."""
