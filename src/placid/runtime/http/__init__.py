"""HTTP/1.1 for the protocol: kept-alive connections, hard limits, nothing else."""
