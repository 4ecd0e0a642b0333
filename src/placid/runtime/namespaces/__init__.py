"""Links that the kernel imposes: a network namespace for each node, a pair of devices with a rate for each link."""
