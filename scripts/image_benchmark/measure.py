"""Which runs are due, and their measurement through the program itself, seed by seed."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from measurements.json_lines import append_line, read_lines
from measurements.markdown import machine

from image_benchmark.methods import Method
from image_benchmark.results import ImageResult, score
from image_benchmark.stored_run import StoredRun
from image_benchmark.studies import EVERYWHERE, ImageSet
from image_benchmark.summary import best_variant
from imbalance_lab.text import split_override


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        sets: in the order of measurement.
        methods: names; all if empty.
        seeds: of subsets and trainings; alternatives are tried with the first.
        tuned: whether the alternatives are tried, and the best of them measured with every seed.
        results: the file that results are appended to, then files of results that need not be repeated.
        predictions: the folder of the predictions.
        commit: of the code.
        deadline: of `time.monotonic`, after which no other run begins.
    """

    sets: Sequence[ImageSet]
    methods: Sequence[str]
    seeds: Sequence[int]
    tuned: bool
    results: Sequence[Path]
    predictions: Path
    commit: str
    deadline: float = float("inf")


def measure(plan: Plan) -> list[str]:
    """All runs that are due; one sentence for each that failed."""
    failed: list[str] = []
    for image_set in plan.sets:
        for method, variant, seed in _jobs(plan, image_set):
            if time.monotonic() > plan.deadline:
                return failed
            try:
                _measure(plan, image_set, method, variant, seed)
            except Exception as error:
                name = f"{method.name} {variant}".rstrip()
                failed.append(f"{image_set.name}, {name}, seed {seed}: {error}")
                print(failed[-1], flush=True)
    return failed


def _jobs(plan: Plan, image_set: ImageSet) -> Iterator[tuple[Method, str, int]]:
    """Defaults with every seed, alternatives with the first, and then the best of each method with the others."""
    methods = [method for method in image_set.methods if not plan.methods or method.name in plan.methods]
    yield from ((method, "", seed) for seed in plan.seeds for method in methods)
    if not plan.tuned:
        return
    yield from ((method, each, plan.seeds[0]) for method in methods for each in method.alternatives)
    for seed in plan.seeds[1:]:
        for method in methods:
            results = read_lines(plan.results, ImageResult)
            yield method, best_variant(results, image_set, method, plan.seeds[0]) or "", seed


def _measure(plan: Plan, image_set: ImageSet, method: Method, variant: str, seed: int) -> None:
    """Run a method and append its scores, unless they are there."""
    overrides = command_words(image_set, method, variant, seed)
    known = {result.key: result for result in read_lines(plan.results, ImageResult)}
    done = known.get((image_set.name, method.name, variant, seed))
    if done is not None and set(done.overrides) == set(overrides):
        return
    started = time.process_time()
    trained, own = (method, variant) if method.of is None else (image_set.method(method.of), "")
    path = prediction_file(plan.predictions, image_set, trained.name, own, seed)
    if method.of is None or not path.is_file():
        words = command_words(image_set, trained, own, seed)
        trained.train([*image_set.files(), *words]).write(path)
    run = StoredRun.read(path)
    val, test = score(run, overrides)
    seconds = round(time.process_time() - started, 2)
    key = image_set.name, method.name, variant, seed
    result = ImageResult(*key, test, val, seconds, run.epochs, overrides, plan.commit, machine())
    append_line(plan.results[0], result)
    print(
        f"{image_set.name}  seed {seed}  {method.name} {variant}: {image_set.main} {test[image_set.main]:.4f}",
        flush=True,
    )


def command_words(image_set: ImageSet, method: Method, variant: str, seed: int) -> list[str]:
    """The words behind ``python train.py`` but for files of this machine; of two for the same key the later."""
    words = [*EVERYWHERE, *image_set.overrides, "seed={seed}"]
    words = [word.replace("{seed}", str(seed)) for word in [*words, *method.overrides.split(), *variant.split()]]
    return list({split_override(word)[0]: word for word in words}.values())


def prediction_file(folder: Path, image_set: ImageSet, method: str, variant: str, seed: int) -> Path:
    """Where the predictions of a run lie."""
    name = re.sub(r"[^\w.,=-]+", "_", ",".join([method, *variant.split(), f"seed={seed}"]))
    return folder / image_set.name / f"{name}.npz"
