from dataclasses import replace

import pytest
from image_benchmark.methods import CROSS_ENTROPY, FOR_LONGER, LOGIT_ADJUSTMENT, PLAIN, Method
from image_benchmark.page import Section, page_text
from image_benchmark.summary import best_variant, compare
from scipy import stats

from imbalance_lab.metrics import holm

NOISE = (0.0, 0.004, -0.003, 0.001, -0.002)
OTHER = (0.002, 0.0, -0.001, 0.003, -0.004)


@pytest.fixture
def results(result):
    """Focal helps against cross-entropy, not against its adjustment."""
    found = []
    for seed, (noise, other) in enumerate(zip(NOISE, OTHER, strict=True)):
        found += [result(CROSS_ENTROPY, seed, 0.8 + noise), result(LOGIT_ADJUSTMENT, seed, 0.85 + noise)]
        found.append(result("focal", seed, 0.85 + other))
    return found


def section(image_set, results):
    return "\n\n".join(Section(image_set, "tiny", results).parts())


def test_means_differences_and_p_are_those_of_student_and_holm(image_set, results):
    found = compare(results, [("focal", ""), (LOGIT_ADJUSTMENT, "")], (CROSS_ENTROPY, ""), "balanced_accuracy")
    differences = [[0.05 + b - a for a, b in zip(NOISE, OTHER, strict=True)], [0.05] * 5]
    wanted = stats.ttest_1samp(differences[0], 0).pvalue
    # The adjustment's differences are all equal: no spread, no p, and it is not one of the family.
    assert found["focal", ""].p == pytest.approx(holm([wanted])[0])
    text = section(image_set, results)
    half = stats.t.ppf(0.975, 4) * stats.sem(NOISE) * 100
    assert f"| {CROSS_ENTROPY} | 5 | 80.0 ± {half:.1f} |" in text
    assert text.index("| focal | 5") > text.index(f"| {LOGIT_ADJUSTMENT} | 5"), "equal means keep the order of the list"
    assert "Not better than cross-entropy in balanced accuracy: none." in text
    assert "Not better than post-hoc logit adjustment in balanced accuracy: focal." in text


def test_gates_say_whether_they_are_reached(image_set, results):
    text = section(image_set, results)
    assert f"- CE at least 50 %: reached ({CROSS_ENTROPY} 80.0, 5 seeds)" in text
    assert f"- best at least 90 %: **not reached** ({LOGIT_ADJUSTMENT} 85.0, 5 seeds)" in text
    assert "CE at least 50 %: not measured" in section(image_set, results[2:3])


def test_the_recipe_is_compared_with_every_method(image_set, results, result):
    own = f"- `recipe=auto` chooses {LOGIT_ADJUSTMENT}"
    near = [each for each in section(image_set, results).splitlines() if each.startswith(own)]
    assert len(near) == 1
    assert "no method is better; the best other method is focal, +0.0 ± 0.4, p = 1" in near[0]
    tuned = [result("focal", seed, 0.95 + noise, "loss.gamma=1") for seed, noise in enumerate(OTHER)]
    far = section(image_set, [*results, *tuned, result("focal", 0, 0.6, "loss.gamma=3")])
    assert f"{own}, with the net and the optimizer of this page 85.0 ± 0.3: **worse than focal (loss.gamma=1)**;" in far
    assert "; the best other method is focal (loss.gamma=1)" in far
    assert "p < .001" in far
    assert f"{own}: not measured" in section(image_set, results[:3])


def test_what_is_trained_for_longer_is_compared_with_baselines_trained_for_as_long(image_set, results, result):
    assert "Trained for longer" not in section(image_set, results)
    longer = tuple(Method(f"{name}{FOR_LONGER}", "") for name in (CROSS_ENTROPY, "focal"))
    image_set = replace(image_set, methods=(*image_set.methods, *longer), recipe=longer[0].name)
    for seed, (noise, other) in enumerate(zip(NOISE, OTHER, strict=True)):
        results += [result(longer[0].name, seed, 0.9 + noise), result(longer[1].name, seed, 0.88 + other)]
    text = section(image_set, results)
    table = text[text.index("### Trained for longer") :]
    assert f"| balanced accuracy against {CROSS_ENTROPY}{FOR_LONGER} | difference | p |  |" in table
    assert f"| focal{FOR_LONGER} | −2.0 ± " in table
    assert "| < .001 | worse |" in table
    assert "no method is better (the methods that do not say 30 epochs had fewer); the best" in text


def test_the_best_may_be_a_tuned_one_and_is_told_so(image_set, results, result):
    tried = [result("focal", 0, 0.95, "loss.gamma=1"), result("focal", 0, 0.6, "loss.gamma=3")]
    text = section(image_set, [*results, *tried])
    assert "- best at least 90 %: reached (focal (loss.gamma=1) 95.0, 1 seed)" in text
    assert "| focal | loss.gamma=1 | 1, 3 | 1 |" in text
    assert "### Tuned" not in section(image_set, [*results, tried[0]]), "one of its alternatives is not tried"


def test_validation_chooses_not_test(image_set, result):
    results = [
        result("focal", 0, 0.9, val=0.5),
        result("focal", 0, 0.7, "loss.gamma=1", val=0.6),
        result("focal", 0, 0.8, "loss.gamma=3", val=0.6),
        result("focal", 1, 0.7, "loss.gamma=3", val=0.99),
    ]
    focal = image_set.method("focal")
    assert best_variant(results, image_set, focal, 0) == "loss.gamma=1", "the earlier of equals"
    assert best_variant(results[:1], image_set, focal, 0) == ""
    assert best_variant(results, image_set, focal, 7) is None


def test_a_worse_method_is_called_worse_and_a_lower_loss_better(image_set, results, result):
    worse = [result("focal", seed, 0.7 + noise) for seed, noise in enumerate(OTHER)]
    kept = [each for each in results if each.method != "focal"]
    assert "| worse |" in section(image_set, [*kept, *worse])
    found = compare([*kept, *worse], [("focal", "")], (CROSS_ENTROPY, ""), "log_loss")
    assert found["focal", ""].is_worse("log_loss")
    assert not found["focal", ""].is_better("log_loss")


def test_methods_of_one_ranking_differ_by_rounding_alone_and_are_neither_better_nor_worse(image_set, results, result):
    base = {each.seed: each.test["balanced_accuracy"] for each in results if each.method == CROSS_ENTROPY}
    shifted = [result("focal", seed, value + 1e-7 * (1 + seed)) for seed, value in base.items()]
    kept = [each for each in results if each.method != "focal"]
    found = compare([*kept, *shifted], [("focal", "")], (CROSS_ENTROPY, ""), "balanced_accuracy")["focal", ""]
    assert found.p < 0.05
    assert not found.is_better("balanced_accuracy")
    assert not found.is_worse("balanced_accuracy")


def test_a_score_that_is_the_main_one_or_undefined_has_no_column(image_set, results):
    head = next(line for line in section(image_set, results).splitlines() if line.startswith("| method | seeds"))
    assert head == "| method | seeds | balanced accuracy | log loss |"
    others = [replace(each, test=each.test | {"accuracy": 0.5, "recall_few": 0.1}) for each in results]
    head = next(line for line in section(image_set, others).splitlines() if line.startswith("| method | seeds"))
    assert head == "| method | seeds | accuracy | balanced accuracy | recall, few | log loss |"


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "agree"), (0.02, "differ")])
def test_a_plain_loop_is_apart_from_the_methods(image_set, results, result, shift, verdict):
    plain = [result(f"{PLAIN}focal", seed, 0.851 + shift + noise) for seed, noise in enumerate(NOISE)]
    text = section(image_set, [*results, *plain])
    assert f"| {verdict} |" in text.split("### Beside the formula")[1]
    assert PLAIN not in text.split("### Beside the formula")[0]


def test_one_seed_has_no_interval_and_no_test(image_set, result):
    text = section(image_set, [result(CROSS_ENTROPY, 0, 0.8), result("focal", 0, 0.9)])
    assert "| focal | 1 | 90.0 |" in text
    assert "not measured with two common seeds yet" in text
    assert "nan" not in text.lower()


def test_the_page_shows_the_sets_that_were_measured(results):
    measured = [replace(each, set="fashion_mnist_lt") for each in results]
    text = page_text(measured)
    assert text.count("\n## ") == 1
    assert "python scripts/reproduce.py fashion_mnist_lt" in text
    assert "Commit c0ffee." in text
    assert "a machine" in text
