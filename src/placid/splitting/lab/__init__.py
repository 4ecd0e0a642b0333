"""A lab: one network, one data set, and the variants that splitting makes of them."""
