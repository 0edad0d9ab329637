"""Every way in which Lasso's API fails, in both phases, for a guard that fails safe and for one that chose to pass."""
