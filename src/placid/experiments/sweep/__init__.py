"""Sweeps: a grid of scenarios under several seeds, on this machine or on a cluster, into one table."""
