"""``python -m placid.runtime.node SPEC.json``."""

from placid.runtime.node.process import main

main()
