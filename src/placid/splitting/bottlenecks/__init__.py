"""Bottlenecks: encoder | codec | decoder | tail, trained in stages as the papers do."""

from __future__ import annotations

from placid.splitting.bottlenecks.methods import METHODS, Method
from placid.splitting.bottlenecks.network import DeviceSide, ServerSide, SplitNetwork
from placid.splitting.bottlenecks.train import train_bottleneck

__all__ = ["METHODS", "DeviceSide", "Method", "ServerSide", "SplitNetwork", "train_bottleneck"]
