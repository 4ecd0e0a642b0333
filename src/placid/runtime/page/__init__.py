"""The live page: what the network does now, in a browser."""
