"""Real networks, real data: what splitting a model buys. Imported by nothing below the command line."""
