"""Adapting a network to a node: its own mix of classes, its own corruption, few labels.

What a node is like is in `mixes` and `corruptions`, the ways to adapt in `methods`, one adaptation in `adapt`, what has to
be shipped in `update`, what it takes in `energy`, and nodes x ways x labels x seeds in `study`.
"""
