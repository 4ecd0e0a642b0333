"""Asking a live network what a workload says, and writing down what it answered and when."""
