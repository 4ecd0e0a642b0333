"""What the pages show is what happens: their code runs, their tables name everything, the site builds without a warning.

In a page, a block with a language of `RUN` is run, all blocks of a page in order, in one folder and (for Python) one
namespace. A block with a title is a file of that name; ``title="prints"`` is what the block before it prints, to the
letter. Other languages (``console``, ``text``, ``yaml`` without a title) are only shown.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
RUN = ("python", "bash")
_BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]*)"')


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    line: int
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of `page`, in order."""
    text = page.read_text()
    found = []
    for match in _BLOCK.finditer(text):
        title = _TITLE.search(match[2])
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(line, match[1], title[1] if title else "", match[3]))
    return found


PAGES = sorted(page for page in [*DOCS.glob("*.md"), ROOT / "README.md"] if page.exists())
RUNNING = [page for page in PAGES if any(b.language in RUN and not b.title for b in blocks(page))]


def environment(folder: Path) -> dict[str, str]:
    """An environment in which the command `placid` is this checkout's, whether it is installed or not."""
    command = folder / "bin" / "placid"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from placid.cli import main; main()" "$@"\n')
    command.chmod(0o755)
    return os.environ | {
        "PATH": f"{command.parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "COLUMNS": "100",
    }


def run_page(page: Path, folder: Path, env: dict[str, str]) -> None:
    """Run the blocks of `page` in `folder`."""
    namespace: dict[str, Any] = {"__name__": "__page__"}
    printed = ""
    for block in blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.title == "prints":
            assert printed.strip() == block.text.strip(), f"{where}: the block before it prints\n{printed}"
        elif block.title:
            (folder / block.title).write_text(block.text)
        elif block.language == "python":
            # dataclasses look their module up by name
            heard = io.StringIO()
            with contextlib.redirect_stdout(heard):
                exec(compile(block.text, where, "exec"), namespace)
            printed = heard.getvalue()
        elif block.language == "bash":
            done = subprocess.run(
                ["bash", "-euc", block.text], cwd=folder, env=env, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"{where}:\n{done.stdout}{done.stderr}"
            printed = done.stdout


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: page.name)
def test_the_code_on_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    if page.parent == ROOT:
        (folder / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    run_page(page, folder, environment(tmp_path))


def test_most_pages_have_running_code() -> None:
    assert {"mathematics.md", "tutorial.md", "networks.md", "catalogs.md", "workloads.md"} <= {
        page.name for page in RUNNING
    }


def test_what_is_wrong_on_a_page_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('```python\nprint(1 + 1)\n```\n\n```text title="prints"\n3\n```\n')
    with pytest.raises(AssertionError, match="line 5"):
        run_page(page, tmp_path, {})
    page.write_text("```bash\nfalse\n```\n")
    with pytest.raises(AssertionError, match="line 1"):
        run_page(page, tmp_path, dict(os.environ))


#: page -> tables whose every name stands on it
NAMED = {
    "policies.md": (
        ("placid.placement.online", "POLICIES"),
        ("placid.placement.rounding", "ROUNDINGS"),
        ("placid.placement.projections", "PROJECTIONS"),
    ),
    "workloads.md": (("placid.workload", "WORKLOADS"),),
    "catalogs.md": (("placid.catalog", "CATALOGS"),),
    "networks.md": (("placid.network", "NETWORKS"),),
    "mathematics.md": (("placid.placement.offline", "SOLVERS"),),
}


@pytest.mark.parametrize(
    ("page", "module", "table"), [(page, *table) for page, tables in NAMED.items() for table in tables]
)
def test_every_name_stands_on_its_page(page: str, module: str, table: str) -> None:
    text = (DOCS / page).read_text()
    missing = [name for name in getattr(import_module(module), table) if f"`{name}`" not in text]
    assert not missing, f"docs/{page} does not speak of {missing}"


def test_every_policy_is_compared() -> None:
    from placid.placement.online import POLICIES

    table = (DOCS / "policies.md").read_text().split("## Side by side")[1].split("## One by one")[0]
    compared = [
        name
        for row in re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)
        for name in re.findall("`([^`]+)`", row)
    ]
    assert set(compared) | {"fixed"} == set(POLICIES)


def test_every_dotted_name_on_the_pages_exists() -> None:
    wrong = []
    for page in PAGES:
        for name in sorted(set(re.findall(r"`(placid(?:\.\w+)+)(?:\([^`]*\))?`", page.read_text()))):
            if not _exists(name):
                wrong.append(f"{page.name}: {name}")
    assert not wrong


def _exists(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part) and part not in getattr(found, "__dataclass_fields__", {}):
                return False
            found = getattr(found, part, None)
        return True
    return False


#: what a section on a page is put into, to see that it is a valid one
_REST = """
slots: 300
network:
  topology: sndlib/geant
  memory: 1 GiB
  processor: rtx2070
  cloud: {rtt: 40 ms, processor: v100}
catalog: {family: yolov4, tasks: 4}
workload: {process: poisson, rate: 20 /s}
objective: {latency: 1}
"""
SECTIONS = [
    (page, block) for page in PAGES for block in blocks(page) if block.language == "yaml" and not block.title
]


@pytest.mark.parametrize(
    ("page", "block"), SECTIONS, ids=lambda part: part.name if isinstance(part, Path) else str(part.line)
)
def test_sections_of_scenarios_are_valid(
    page: Path, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yaml

    from placid.experiments.scenario import build, load_scenario

    monkeypatch.chdir(tmp_path)
    for other in blocks(page):
        if other.title and other.title != "prints":
            (tmp_path / other.title).write_text(other.text)
    given = yaml.safe_load(block.text)
    content = yaml.safe_load(_REST) | given
    # a page may speak of processors that only its own catalog, or network, has
    if "network" in given and "catalog" not in given:
        text = page.read_text()
        processors = [name for name in ("gpu-small", "gpu-large") if name in text]
        content["catalog"] = {
            "family": "parametric",
            "gflops_per_s": dict.fromkeys(processors, 1000.0),
            "power": {},
        }
    elif "catalog" in given and "network" not in given and "rtx2070" not in block.text:
        processor = "server" if "file" in given["catalog"] else "gpu"
        content["network"] |= {"processor": processor, "cloud": {"rtt": "40 ms", "processor": processor}}
    built = build(load_scenario(content))
    assert built.slots == content["slots"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr + done.stdout
    return folder


class _Fetched(HTMLParser):
    """What a browser would fetch for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        source = given.get("src") or (given.get("href") if tag == "link" else None)
        if tag == "link" and given.get("rel") in ("canonical", "prev", "next"):
            return
        if source:
            self.found.append(source)


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 12
    for page in pages:
        parser = _Fetched()
        parser.feed(page.read_text())
        remote = [source for source in parser.found if re.match(r"(https?:)?//", source)]
        assert not remote, f"{page.name} fetches {remote}"


def test_every_picture_names_what_it_shows() -> None:
    for picture in DOCS.glob("pictures/*.svg"):
        text = picture.read_text()
        assert "<title" in text, f"{picture.name} has no title for who cannot see it"
        assert "\n\n" not in text, f"{picture.name}: a blank line would end the block that it is put into"


def test_formulas_need_no_script() -> None:
    hooks = load_hooks()
    text = "x_e ≤ `x_e` and Σ_{o of r} f_o, y^N\n```formula\na_1 < b\n```\n```python\nx_e = y^2\n```\n"
    assert hooks.with_formulas(text) == (
        "x<sub>e</sub> ≤ `x_e` and Σ<sub>o of r</sub> f<sub>o</sub>, y<sup>N</sup>\n"
        '<pre class="formula">a<sub>1</sub> &lt; b</pre>\n```python\nx_e = y^2\n```\n'
    )


def test_marks_are_filled_in() -> None:
    hooks = load_hooks()
    filled = hooks.fill_in("before\n<!-- made: scaling -->\nafter")
    assert "made:" not in filled
    assert filled.startswith("before\n")
    with pytest.raises(KeyError):
        hooks.fill_in("<!-- made: nonsense -->")


def load_hooks() -> Any:
    """`scripts/docs_hooks.py` as a module."""
    spec = spec_from_file_location("docs_hooks", ROOT / "scripts" / "docs_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    hooks = module_from_spec(spec)
    spec.loader.exec_module(hooks)
    return hooks
