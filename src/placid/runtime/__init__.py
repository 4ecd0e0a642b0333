"""The live network: nodes that are processes, hold ONNX segments, answer real requests and pass on what they cannot answer.

Needs the extra ``serve``.
"""
