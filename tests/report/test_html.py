"""The HTML file around scripts, texts and data."""

import json
import re
from importlib.resources import files

from imbalance_lab.report.html import SCRIPTS, SHARED_SCRIPTS, render_page

NOTES = dict.fromkeys(("settings_note", "swept_note", "epochs_note", "differences_note"), "")
TEXTS = {"title": "<b>$</b>", "verdict": "a & b", "failures": ["</p><script>hit()</script>"], **NOTES}
DATA = {"keys": [], "runs": [], "differences": [], "epochs": [], "study": None}


def test_texts_are_escaped() -> None:
    page = render_page("comparison", TEXTS, DATA)
    assert "<title>&lt;b&gt;$&lt;/b&gt;</title>" in page
    assert "a &amp; b" in page
    assert "hit()</script>" not in page


def test_data_cannot_end_their_script_element() -> None:
    data = {**DATA, "runs": ["</script><script>hit()"]}
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', render_page("comparison", TEXTS, data)
    )
    assert found is not None
    assert json.loads(found[1]) == data


def test_every_script_belongs_to_a_page() -> None:
    assets = {file.name for file in files("imbalance_lab.report").joinpath("assets").iterdir()}
    listed = {*SHARED_SCRIPTS, *(name for names in SCRIPTS.values() for name in names)}
    assert {name for name in assets if name.endswith(".js")} == {f"{name}.js" for name in listed}
