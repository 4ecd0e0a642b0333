from __future__ import annotations

import subprocess
import sys


def test_networkx_and_topohub_are_loaded_only_where_used() -> None:
    code = "import sys, placid.network; print(sorted({'networkx', 'topohub'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
