"""What a command needs beside the core, asked before it begins."""

from __future__ import annotations

from importlib.util import find_spec

from placid.errors import InputError

__all__ = ["need"]

#: extra -> modules that it brings
_MODULES = {
    "serve": ("onnxruntime", "httptools", "orjson", "prometheus_client", "PIL"),
    "trace": ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"),
}


def need(extra: str, command: str) -> None:
    """Nothing, if the packages of `extra` are there.

    Raises:
        InputError: one is missing.
    """
    missing = [module for module in _MODULES[extra] if not _there(module)]
    if missing:
        raise InputError(f"'placid {command}' needs {', '.join(missing)}: pip install 'placid[{extra}]'")


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # what it is in is not there either
        return False
