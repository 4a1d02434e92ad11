"""explorer.html in a browser: headless Chromium, where there is one."""

import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from .explored import NAMES, N, html_of, read_blocks, study

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: the explorer is not tested in a browser")
AXE = os.environ.get("AXE", "node_modules/axe-core/axe.min.js")  # npm pack axe-core; not part of the project
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "a \"quoted\" 'name'",
    "\u202eright to left",
    "$$x^2$$",
    "=HYPERLINK(1)",
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer")
    links = {"Images": "https://example.org/?c={pert_id}&n={pert_iname}"}
    made = {"plain": study(), "hostile": study(names=HOSTILE, links=links)}
    for name, content in made.items():
        (folder / f"{name}.html").write_bytes(html_of(content))
    return folder


@pytest.fixture
def visit(browser, files):
    """Open a page, and check when the test has ended that it made no error, no request and no violation."""
    pages = []

    def go(name="plain", fragment="", **options):
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options).new_page()
        page.seen = []
        page.on("console", lambda said: page.seen.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.seen.append(str(error)))
        page.on("dialog", lambda dialog: (page.seen.append(dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda asked: None if asked.url.startswith(("file:", "blob:")) else page.seen.append(asked.url)
        )
        page.add_init_script(
            "window.violations = [];"
            "addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective))"
        )
        page.goto(f"file://{files}/{name}.html#{fragment}")
        page.wait_for_selector("html[data-ready]", state="attached")
        page.wait_for_selector("#panel h2")
        pages.append(page)
        return page

    yield go
    for page in pages:
        assert page.seen == [] and page.evaluate("violations") == []
        page.context.close()


def search(page, words):
    page.keyboard.press("Escape")
    page.locator("#search").fill(words)
    return page.locator("#found li").all_inner_texts()


def heading(page, text):
    page.locator("#panel h2", has_text=text).wait_for()


def cells(page, title):
    rows = page.get_by_role("region", name=title, exact=True).locator("tbody tr").all()
    return [row.locator("td").all_inner_texts() for row in rows]


def pixel(page, drug):
    """Where a drug is on the screen."""
    return page.evaluate(
        """drug => { const {map, x, y, view} = chart, box = document.getElementById("chart").getBoundingClientRect();
        const {left, top, width, height} = view.frame.bbox;
        return [box.left + left + width * (map.x[drug] - x.start) / (x.end - x.start),
                box.top + top + height * (y.end - map.y[drug]) / (y.end - y.start)]; }""",
        drug,
    )


def saved(page, click):
    with page.expect_download() as waiting:
        click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_the_first_page_says_simulated_and_how_far_to_trust_each_map(visit):
    page = visit()
    assert page.locator("#simulated").is_visible()
    trust = cells(page, "How far to trust each map")
    assert [row[0] for row in trust] == ["raw", "itml", "itml_crossfit"]
    assert all("✓ more than chance (p = 0.01)" in row[4] for row in trust)


def test_search_finds_names_ids_moas_and_features_and_selects(visit, files):
    page = visit()
    assert search(page, "drug 01")[0] == "drug 010\ndrug"
    assert search(page, "id-017") == ["drug 017\ndrug"]
    assert search(page, "moa c") == ["MoA c\nMoA"]
    assert search(page, "ph_golgi")[0].endswith("feature")
    assert search(page, "zebrafish") == ["nothing by this name"]
    assert search(page, "drgu 017")[0].startswith("drug 0")  # misspelt
    search(page, "drug 017")
    page.keyboard.press("Enter")
    heading(page, "drug 017")
    nearest = read_blocks((files / "plain.html").read_bytes())["raw/near"].reshape(-1, 10)[17]
    assert [row[1] for row in cells(page, "Nearest drugs of drug 017")] == [f"drug {i:03}" for i in nearest]
    assert len(cells(page, "Opposite profiles of drug 017")) == 5
    assert (
        page.locator("#panel a", has_text="Images").get_attribute("href")
        == "https://example.org/?c=ID-017&n=drug%20017"
    )
    page.locator("#search").fill("moa c")
    page.locator("#found li").first.click()
    heading(page, "MoA c")
    assert page.evaluate("state.colour") == "moa"


def test_switching_the_map_keeps_the_drug_and_warns_of_in_sample(visit):
    page = visit(fragment="drug=ID-017")
    heading(page, "drug 017")
    page.locator("#maps").select_option("itml")
    page.locator("#panel li", has_text="On the map itml").wait_for()
    assert page.locator("#panel h2").inner_text() == "drug 017"
    assert "In-sample" in page.locator("#note").inner_text()
    page.locator("#maps").select_option("itml_crossfit")
    page.locator("#note", has_text="Cross-fitted").wait_for()


def test_hover_choose_zoom_and_reopen(visit):
    page = visit()
    page.mouse.move(*pixel(page, 33))
    page.locator("#tip", has_text="drug 033").wait_for()
    page.mouse.click(*pixel(page, 33))
    heading(page, "drug 033")
    page.locator("#chart").focus()
    page.keyboard.press("+")
    page.wait_for_timeout(200)
    address, seen = page.url, page.evaluate("view()")
    again = visit(fragment=address.split("#")[1])
    heading(again, "drug 033")
    assert again.evaluate("view()") == pytest.approx(seen, abs=0.01)
    again.evaluate("location.hash = 'map=itml&community=2'")
    heading(again, "Community 2 of itml")


def test_a_lasso_gives_its_drugs_and_their_enrichment(visit, files):
    page = visit()
    page.locator("#lasso").click()
    box = page.locator("#chart").bounding_box()
    left, top, right, bottom = box["x"] + 5, box["y"] + 5, box["x"] + box["width"] / 2, box["y"] + box["height"] - 5
    page.mouse.move(left, top)
    page.mouse.down()
    for place in ((left, bottom), (right, bottom), (right, top), (left + 2, top)):
        page.mouse.move(*place, steps=3)
    page.mouse.up()
    heading(page, "in the lasso")
    inside = {drug for drug in range(N + 6) if pixel(page, drug)[0] < right}
    chosen = page.evaluate("state.lasso")
    assert set(chosen) == inside and 20 < len(inside) < N
    known = [drug for drug in inside if drug < N]
    for row in cells(page, "Enrichment of the lasso"):
        drawn = sum(drug % 8 == "abcdefgh".index(row[0][-1]) for drug in known)
        assert [int(row[1]), int(row[2])] == [drawn, 10]
        assert float(row[3]) == pytest.approx(hypergeom.sf(drawn - 1, N, 10, len(known)), rel=0.06)


def test_colours_by_feature_proposal_and_stability(visit):
    page = visit()
    page.locator("#search").fill(NAMES[3])
    page.keyboard.press("Enter")
    heading(page, NAMES[3])
    page.locator("#legend", has_text="robust standard deviations").wait_for()
    for colour, words in (("proposal", "probability of"), ("stability", "companions"), ("moa", "MoA a")):
        page.locator("#colours").select_option(colour)
        page.locator("#legend", has_text=words).wait_for()


def test_proposals_are_in_words(visit):
    page = visit(fragment="drug=ID-000")
    assert cells(page, "Proposals for drug 000")[0][:4] == ["proposed MoA", "MoA c", "0.95", "●●● very likely"]


def test_pictures_are_saved(visit):
    page = visit(fragment="drug=ID-017")
    name, content = saved(page, page.locator("#svg").click)
    assert name == "made_up_simulated_map_raw.svg" and content.startswith(b"<svg") and b">drug 017<" in content
    name, content = saved(page, page.locator("#png").click)
    assert name.endswith(".png") and content.startswith(b"\x89PNG")


def test_hostile_names_are_only_text(visit):
    page = visit("hostile", fragment="drug=ID-000")
    for number, name in enumerate(HOSTILE):
        page.locator("#search").fill(f"ID-{number:03}")
        assert page.locator("#found li").all_inner_texts() == [f"{name}\ndrug"]
        page.keyboard.press("Enter")
        heading(page, name)
        assert page.locator("#panel h2").inner_text() == name
        page.mouse.move(*pixel(page, number))
        page.locator("#tip strong", has_text=name).wait_for()
        if name.startswith("$$"):
            assert b">$$x^2$$<" in saved(page, page.locator("#svg").click)[1]
    assert page.locator("img").count() == 0
    page.evaluate("show({drug: null, moa: 5})")
    heading(page, "MoA f")
    name, content = saved(page, page.get_by_role("button", name="CSV: Drugs of MoA f").click)
    first = content.decode().splitlines()[1]
    assert first.startswith("'=HYPERLINK(1),ID-005,MoA f") and first.endswith(",simulated")


def contrast(page, selector):
    """WCAG's ratio of the colours of an element and of the page."""
    light, dark = sorted(
        page.evaluate(
            """selector => ["color", "backgroundColor"].map((key, i) => getComputedStyle(
            i ? document.body : document.querySelector(selector))[key].match(/\\d+/g).slice(0, 3).map(Number))""",
            selector,
        ),
        reverse=True,
    )
    channel = lambda v: v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4  # noqa: E731
    light, dark = (np.dot([0.2126, 0.7152, 0.0722], [channel(v / 255) for v in rgb]) for rgb in (light, dark))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read_and_axe_finds_nothing_serious(visit, theme):
    page = visit(fragment="drug=ID-017&map=itml", color_scheme=theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    for selector in ("#panel h2", "#note", "#panel .link", ".hint", "#note b", "#simulated"):
        assert contrast(page, selector) >= 4.5, selector
    back = page.evaluate("chart.figure.background_fill_color")
    assert (int(back[1:3], 16) < 64) == (theme == "dark")
    if not Path(AXE).is_file():
        pytest.skip("no axe-core: npm pack axe-core, and name its axe.min.js in AXE")
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate("axe.run().then(found => found.violations.map(v => [v.id, v.impact, v.nodes[0].html]))")
    assert [problem for problem in found if problem[1] in ("serious", "critical")] == []


def test_a_small_screen_needs_no_sideways_scrolling(visit):
    page = visit(fragment="drug=ID-017", viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    chart, panel = (page.locator(part).bounding_box() for part in ("#chart", "#panel"))
    assert chart["width"] > 300 and panel["y"] > chart["y"] + chart["height"]
    assert not math.isnan(pixel(page, 17)[0])
