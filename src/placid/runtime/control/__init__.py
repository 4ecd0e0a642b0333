"""What decides for the live network: a policy, slot by slot, from what the nodes saw."""
