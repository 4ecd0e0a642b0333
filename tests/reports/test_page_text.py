"""The page as text: escaping, size, speed, what is left out when it is not known; figures as files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from placid.errors import RunError
from placid.reports import write_figures, write_report
from placid.testing.run_folder import make_run_folder

HOSTILE = "</script><script>alert('x')</script>&\"<b>"
EXTERNAL = re.compile(
    r"""(?:src|href)\s*=\s*["']?(?!#|data:)[^"'\s>]|@import|url\(\s*["']?https?:""", re.IGNORECASE
)


class Outline(HTMLParser):
    """Collects ids and tags, and checks that tags close in order."""

    VOID = frozenset(("meta", "br", "hr", "input", "link", "img"))

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [v for k, v in attrs if k == "id" and v]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def without_bundle(text: str) -> str:
    """The page without the Vega bundle, which is not ours."""
    return max(text.split("<script>"), key=len) and "".join(
        part for part in re.split(r"(?=<script)", text) if len(part) < 800_000
    )


def data_of(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_a_page_has_every_section_and_balanced_tags(tmp_path: Path) -> None:
    page = write_report(make_run_folder(tmp_path / "run", slots=30))
    assert page == tmp_path / "run" / "report.html"
    found = outline(page.read_text())
    for section in (
        "comparison",
        "gain",
        "latency-error",
        "regret",
        "map",
        "loaded",
        "tiers",
        "table",
        "origin",
    ):
        assert section in found.ids
    assert len(found.ids) == len(set(found.ids))
    assert not (tmp_path / "run" / "report.html.tmp").exists()


def test_nothing_is_fetched(tmp_path: Path) -> None:
    text = without_bundle(write_report(make_run_folder(tmp_path / "run", slots=30)).read_text())
    assert EXTERNAL.findall(text) == []
    assert "default-src 'none'" in text


def test_names_are_never_markup(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", slots=20, name=HOSTILE)
    for file in ("meta.json", "network.json"):
        content = json.loads((folder / file).read_text())
        if file == "meta.json":
            content |= {"description": HOSTILE, "declared": [HOSTILE], "sources": [HOSTILE], "commit": HOSTILE,
                        "settings": {HOSTILE: HOSTILE}}  # fmt: skip
        else:
            content["name"] = HOSTILE
            renamed = {n["name"]: n["name"] + HOSTILE for n in content["nodes"]}
            for node in content["nodes"]:
                node |= {"name": renamed[node["name"]], "processor": HOSTILE}
            for link in content["links"]:
                link |= {"a": renamed[link["a"]], "b": renamed[link["b"]]}
        (folder / file).write_text(json.dumps(content))
    (folder / "scenario.yaml").write_text(f"name: {HOSTILE}\n")
    import polars as pl

    rows = pl.read_parquet(folder / "rows.parquet")
    rows.with_columns(policy=pl.col("policy") + HOSTILE).write_parquet(folder / "rows.parquet")
    events = pl.read_parquet(folder / "placements.parquet")
    events.with_columns(
        *(pl.col(c) + HOSTILE for c in ("policy", "node", "model", "variant", "task"))
    ).write_parquet(folder / "placements.parquet")
    text = write_report(folder).read_text()
    assert outline(text).tags.count("script") == 3
    assert "<b>" not in without_bundle(text)
    assert "alert('x')</script>" not in text
    specs = data_of(text)["specs"]
    assert isinstance(specs, dict)
    assert HOSTILE in json.dumps(specs, ensure_ascii=False).replace('\\"', '"')


@pytest.mark.parametrize(
    ("made", "absent"),
    [
        ({"seeds": [3]}, []),
        ({"bounds": False}, []),
        ({"bounds": False, "hindsight": 0}, ["regret"]),
        ({"adaptive": True}, []),
        ({"adaptive": True, "bounds": False, "hindsight": 0}, ["regret"]),
        ({"positions": False}, []),
        ({"slots": 1}, []),
        ({"slots": 2, "seeds": [0, 1], "online": 1, "static": 0, "hindsight": 1}, []),
    ],
)  # fmt: skip
def test_pages_of_runs_that_lack_something(
    tmp_path: Path, made: dict[str, object], absent: list[str]
) -> None:
    arguments: dict[str, object] = {"slots": 20} | made
    text = write_report(make_run_folder(tmp_path / "run", **arguments)).read_text()  # type: ignore[arg-type]
    found = outline(text)
    for section in ("comparison", "gain", "map", "table"):
        assert section in found.ids
    for section in absent:
        assert section not in found.ids
    words = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"\b(nan|NaN|None|inf)\b", words)


def test_a_page_without_network_and_placements(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path / "run", slots=10)
    for file in ("network.json", "placements.parquet", "bounds.parquet", "scenario.yaml"):
        (folder / file).unlink()
    found = outline(write_report(folder).read_text())
    assert "map" not in found.ids
    assert "table" in found.ids


def test_a_theorem_ends_where_the_network_changes(tmp_path: Path) -> None:
    import polars as pl

    folder = make_run_folder(tmp_path / "run", slots=60)
    rows = pl.read_parquet(folder / "rows.parquet")
    late = pl.when(pl.col("slot") < 30).then(pl.col("regret_bound")).otherwise(float("nan"))
    rows.with_columns(late.alias("regret_bound")).write_parquet(folder / "rows.parquet")
    text = write_report(folder).read_text()
    assert "After 30 slots the tightest theorem" in text
    assert "Later the network changes" in text
    rows.with_columns(pl.lit(float("nan")).alias("regret_bound")).write_parquet(folder / "rows.parquet")
    assert "No policy of this run has a theorem" in write_report(folder).read_text()


def test_one_seed_says_so_and_draws_no_bands(tmp_path: Path) -> None:
    text = write_report(make_run_folder(tmp_path / "run", slots=20, seeds=[0])).read_text()
    assert "One seed, so there are no bands." in text
    specs = data_of(text)["specs"]
    assert isinstance(specs, dict)
    assert all("value_low" not in point for point in specs["gain"]["datasets"]["gain"])


def test_a_sweep_gives_curves_over_the_weight_of_an_error(tmp_path: Path) -> None:
    runs = []
    for k, weight in enumerate((0.01, 0.1, 1.0)):
        folder = make_run_folder(tmp_path / f"run{k}", slots=20, rng_seed=k)
        meta = json.loads((folder / "meta.json").read_text())
        meta["objective"]["error"] = weight
        (folder / "meta.json").write_text(json.dumps(meta))
        runs.append(folder)
    specs = data_of(write_report(runs[0], sweep=runs).read_text())["specs"]
    assert isinstance(specs, dict)
    points = [p for p in specs["weights"]["datasets"]["weights"] if p["policy"] == "infida"]
    assert sorted(p["alpha"] for p in points) == [0.01, 0.1, 1.0]
    assert "weights" not in json.dumps(list(data_of(write_report(runs[1]).read_text())["specs"]))  # type: ignore[call-overload]


def test_the_page_of_a_large_run_is_quick_and_light(tmp_path: Path) -> None:
    folder = make_run_folder(
        tmp_path / "run", seeds=range(10), slots=1000, nodes=36, tasks=20, online=9, static=3, hindsight=3
    )
    began = time.perf_counter()
    page = write_report(folder)
    assert time.perf_counter() - began < 20  # about 3 s on an idle core; the machine may be shared
    assert page.stat().st_size < 6e6
    specs = data_of(page.read_text())["specs"]
    assert isinstance(specs, dict)
    gain = specs["gain"]["datasets"]["gain"]
    assert len(gain) == 15 * 100


def test_the_command_says_how_to_run_it_again(tmp_path: Path) -> None:
    text = write_report(make_run_folder(tmp_path / "my run; rm", slots=10)).read_text()
    assert "placid run scenario.yaml --out &#x27;my run; rm&#x27; --fresh" in text
    assert "0123456789ab" in text
    assert "Memory per tier" in text


def test_no_run_no_page(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_figures_are_drawn(tmp_path: Path) -> None:
    written = write_figures(make_run_folder(tmp_path / "run", slots=30), tmp_path / "figures")
    names = {p.name for p in written}
    for chart in ("comparison", "gain", "latency-error", "regret", "bound", "loaded", "tiers", "network"):
        assert {f"{chart}.svg", f"{chart}.png"} <= names
    for file in written:
        content = file.read_bytes()
        assert content.startswith(b"\x89PNG" if file.suffix == ".png" else b"<svg")
        assert len(content) > 2000
    # bands, lines and bars are there, not only axes
    assert (tmp_path / "figures" / "gain.svg").read_text().count("<path") > 10


def test_importing_reports_loads_nothing_heavy() -> None:
    heavy = ["altair", "polars", "vl_convert", "rich", "numpy", "scipy"]
    script = f"import json, sys, placid.reports; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
