"""A live network as manifests of Kubernetes."""
