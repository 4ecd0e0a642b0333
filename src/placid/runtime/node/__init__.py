"""A node of the live network: one process that holds segments, answers what it can, and passes on the rest."""
