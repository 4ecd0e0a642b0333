"""Teerapittayanon, McDanel, Kung: BranchyNet (ICPR 2016), redone: B-LeNet on MNIST, B-AlexNet on CIFAR-10.

    python papers/teerapittayanon-2016-branchynet/study.py            the study; resumes if interrupted
    python papers/teerapittayanon-2016-branchynet/study.py --quick    one epoch of 3,000 images: does it run?

Trainings and answers go to runs/teerapittayanon-2016 (a finished training is not repeated), rows to results.json there. A
full study also puts results.json beside this file and rewrites the section of README.md between the results markers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from evaluations import rows_of  # noqa: E402
from tables import results  # noqa: E402
from trainings import STUDIES, Study, quickly, train  # noqa: E402

from placid.reports.studies import with_results  # noqa: E402
from placid.splitting.data import Images, load_dataset  # noqa: E402
from placid.splitting.exits import Branched, costs_of  # noqa: E402
from placid.splitting.measuring import export_onnx, open_session, time_together  # noqa: E402
from placid.splitting.training.batches import as_input  # noqa: E402

#: of the images, what the paper answers at its first exit
FIRST_SHARES = {"lenet": 0.943, "alexnet": 0.656}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one seed, one epoch, 3,000 images; README.md stays"
    )
    parser.add_argument("--only", choices=tuple(STUDIES), help="only this network; README.md stays")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None, help="default runs/teerapittayanon-2016, or -quick")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    out = asked.out or Path("runs/teerapittayanon-2016-quick" if asked.quick else "runs/teerapittayanon-2016")
    told: dict[str, object] = {}
    for study in STUDIES.values():
        if asked.only in {None, study.name}:
            told[study.name] = measure(quickly(study), out, 3000) if asked.quick else measure(study, out)
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(told, indent=1) + "\n"
    (out / "results.json").write_text(text)
    if asked.only:
        return
    print(results(told))
    if not asked.quick:
        (HERE / "results.json").write_text(text)
        readme = HERE / "README.md"
        readme.write_text(with_results(readme.read_text(), results(told)))


def measure(study: Study, out: Path, few: int = 0) -> dict[str, object]:
    """All of one network: what it was made from, rows, latencies; trained on `few` images, or all if 0."""
    data = load_dataset(study.dataset)
    if few:
        data = replace(data, train=Images(data.train.images[:few], data.train.labels[:few]))
    example = as_input(data.test.images[:2])
    rows: list[dict[str, object]] = []
    for seed in range(study.seeds):
        folder = out / study.name / f"seed{seed}"
        found = train(study, seed, data, folder, lambda line: print(line, flush=True))
        costs = costs_of(found["joint"][0], example)
        answers = {way: told for way, (_, told) in found.items()}
        rows += [
            r.as_dict() for r in rows_of(study.name, seed, answers, data, costs, FIRST_SHARES[study.name])
        ]
        if seed == 0:
            latencies = timed(found["baseline"][0], found["joint"][0], example)
    return {
        "recipes": {
            name: getattr(study, name).as_dict() | {"seed": "0 and on"}
            for name in ("baseline", "further", "heads")
        },
        "parts": costs.parts,
        "heads": costs.heads,
        "latency_s": latencies,
        "rows": rows,
    }


def timed(plain: Branched, branched: Branched, example: torch.Tensor) -> dict[str, object]:
    """Median seconds in ONNX Runtime at batch 1 on one thread: the network whole, and each segment with its exit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        works = {}
        crossing = example
        whole = folder / "whole.onnx"
        export_onnx(plain.network, example, whole, input_names=["images"], output_names=["logits"])
        works["whole"] = _once(whole, example)
        for i, segment in enumerate(branched.segments()):
            last = i + 1 == len(branched)
            file = folder / f"segment{i}.onnx"
            outputs = ["logits"] if last else ["crossing", "logits"]
            export_onnx(segment, crossing, file, input_names=["images"], output_names=outputs)
            works[f"segment{i}"] = _once(file, crossing)
            with torch.no_grad():
                crossing = crossing if last else segment.eval()(crossing)[0].contiguous()
        found = time_together(works, runs=1000)
    return {
        "whole": found["whole"].p50_s,
        "segments": [found[f"segment{i}"].p50_s for i in range(len(branched))],
    }


def _once(file: Path, example: torch.Tensor):  # type: ignore[no-untyped-def]  # a closure over a session
    session = open_session(file)
    feed = {session.get_inputs()[0].name: np.ascontiguousarray(example[:1].numpy())}
    return lambda: session.run(None, feed)


if __name__ == "__main__":
    main()
