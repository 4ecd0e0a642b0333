"""The Open Inference Protocol, version 2: what is said, over HTTP and over gRPC."""
