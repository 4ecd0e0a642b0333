"""The messages of ``open_inference.proto``, made at import, in a pool of their own.

So a client of Triton in the same process can have its messages of the same names.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from placid.runtime.rpc.proto_file import read_proto

__all__ = ["CALLS", "SERVICE", "file_descriptor", "message"]

_NAME = "open_inference.proto"
_POOL = DescriptorPool()
_POOL.AddSerializedFile(
    read_proto(files(__package__).joinpath(_NAME).read_text("utf-8"), _NAME).SerializeToString()
)

SERVICE = "inference.GRPCInferenceService"
#: call -> names of its request and its response
CALLS = {
    method.name: (method.input_type.name, method.output_type.name)
    for method in _POOL.FindServiceByName(SERVICE).methods
}


@cache
def message(name: str) -> Any:
    """The class of a message; of one inside another with a dot: ``RepositoryIndexResponse.ModelIndex``."""
    return GetMessageClass(_POOL.FindMessageTypeByName(f"inference.{name}"))


def file_descriptor() -> Any:
    """Of all that the file describes."""
    return _POOL.FindFileByName(_NAME)
