"""Running what a lab made: ONNX segments, the bytes between them, pictures on their way, and whether an exit is sure.

The lab measures with this, and live nodes serve with it. No PyTorch.
"""
