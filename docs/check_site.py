"""Look at the built site: its files, and with a browser as a reader would.

    python docs/check_site.py --no-browser

No link within the site leads nowhere, nothing is asked of another host, and the index
of the search has some words, English and Chinese.

    npm install --prefix /tmp/axe axe-core
    pip install selenium
    python docs/check_site.py --axe /tmp/axe/node_modules/axe-core/axe.min.js

This needs Chromium and its driver, of the system, and opens every page: no warning in
the console, every formula rendered, no page wider than a phone, no serious fault by
axe-core in light and in dark. The search has to find the words, and the keyboard the
main links. What is wrong is printed, and ends in an error.
"""

import argparse
import base64
import json
import re
import sys
import threading
import time
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

HERE = Path(__file__).resolve().parent
SITE = HERE / "_build"
sys.path.append(str(HERE / "_ext"))
DESKTOP, PHONE = (1280, 900), (375, 800)
WORDS = ("quantile", "leaky", "激活函数", "隐藏层", "predict_interval")


class Links(HTMLParser):
    """The links of a page, the places that links may lead to, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.places, self.loaded = [], {""}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Called by the parser for each element."""
        attrs = dict(attrs)
        self.places.add(attrs.get("id", ""))
        if tag in ("script", "img", "iframe"):
            self.loaded.append(attrs.get("src") or "")
        if tag == "link" and attrs.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(attrs.get("href") or "")
        if tag == "a":
            self.places.add(attrs.get("name", ""))
            if "href" in attrs:
                self.targets.append(attrs["href"])


def faults_of_files(site):
    """Links that lead nowhere, and what would be loaded from another host."""
    pages = {
        path.relative_to(site).as_posix(): Links(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }
    for name, page in pages.items():
        for url in page.loaded:
            if url.startswith(("http:", "https:", "//")):
                yield f"{name}: asks another host: {url}"
        for target in page.targets:
            if urlsplit(target).scheme or target.startswith("//"):
                continue
            path, place = urldefrag(urljoin(f"/{name}", target))
            path = unquote(path).lstrip("/")
            if path in pages:
                if unquote(place) not in pages[path].places:
                    yield f"{name}: leads nowhere: {target}"
            elif not (site / path).is_file():
                yield f"{name}: leads nowhere: {target}"


def faults_of_index(site, words):
    """Words that the index of the search does not have; a script without stemmer."""
    from two_language_search import SearchEnglishAndChinese

    language = SearchEnglishAndChinese({})
    code = (site / "_static" / "language_data.js").read_text(encoding="utf-8")
    if not re.search(r"window\.Stemmer = \w+;", code) or "splitQuery" not in code:
        yield "search: its script has no stemmer or no splitter"
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(index[index.index("(") + 1 : -1])["terms"]
    for word in words:
        pages = [
            {
                page
                for term, found in terms.items()
                if stem in term
                for page in (found if isinstance(found, list) else [found])
            }
            for stem in map(language.stem, language.split(word))
        ]
        if not set.intersection(*pages):
            yield f"search: {word} is not in the index"


class Quiet(SimpleHTTPRequestHandler):
    """The files of a folder, without a line for each."""

    def log_message(self, *args):
        """Print nothing."""


def serve(folder):
    """The address at which the files of a folder are served until the program ends."""
    server = ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{server.server_port}/"


def open_browser():
    """Chromium without a window, which keeps what it logs and what it loads."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ):
        options.add_argument(argument)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    return webdriver.Chrome(options=options, service=service)


def resize(browser, size):
    """The size of what is seen of a page."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
    )


def asked(browser):
    """What was loaded since the last time."""
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"]


def wait_for_formulas(browser):
    """Until MathJax is through, where a page has it."""
    browser.execute_async_script(
        "const done = arguments[0];"
        "window.MathJax ? MathJax.startup.promise.then(done, done) : done();"
    )


def use_theme(browser, theme):
    """Light or dark, as the button of the theme does it."""
    browser.execute_script(
        "localStorage.setItem('mode', arguments[0]);"
        "localStorage.setItem('theme', arguments[0]);"
        "document.documentElement.dataset.mode = arguments[0];"
        "document.documentElement.dataset.theme = arguments[0];",
        theme,
    )


def faults_by_axe(browser, axe, rules=None):
    """The serious and critical violations, with where the first of each is."""
    only = json.dumps({"runOnly": rules} if rules else {})
    browser.execute_script(axe)
    found = browser.execute_async_script(
        "const done = arguments[0];"
        f"axe.run(document, {{resultTypes: ['violations'], ...{only}}}).then("
        "  r => done(r.violations), e => done([{impact: 'critical', id: String(e),"
        "  nodes: []}]));"
    )
    for fault in found:
        if fault["impact"] in ("serious", "critical"):
            where = fault["nodes"][0] if fault["nodes"] else {}
            html = str(where.get("html"))[:160]
            yield f"{fault['id']}, {len(fault['nodes'])}: {html}"


def faults_of_page(browser, home, name, axe, screenshots):
    """What is wrong with a page."""
    resize(browser, DESKTOP)
    browser.get(home + quote(name))
    wait_for_formulas(browser)
    for entry in browser.get_log("browser"):
        if entry["level"] in ("WARNING", "SEVERE"):
            yield f"console: {entry['message']}"
    for url in asked(browser):
        if not url.startswith((home, "data:", "blob:")):
            yield f"asks another host: {url}"
    formulas, rendered, wrong = browser.execute_script(
        "return ['.math', 'mjx-container', 'mjx-merror, [data-mjx-error]'].map("
        "  q => document.querySelectorAll(`article ${q}`).length)"
    )
    if wrong or rendered < formulas:
        yield f"formulas: {formulas}, rendered {rendered}, wrong {wrong}"
    for theme in ("light", "dark"):
        use_theme(browser, theme)
        time.sleep(0.3)  # colours fade into each other
        # Between light and dark nothing but the colours differs.
        rules = None if theme == "light" else ["color-contrast"]
        for fault in faults_by_axe(browser, axe, rules) if axe else ():
            yield f"axe, {theme}: {fault}"
        take(browser, screenshots, name, theme)
    use_theme(browser, "light")
    resize(browser, PHONE)
    # What scrolls by itself may be wider; what is cut off may not.
    wide, cut = browser.execute_script(
        "return [document.documentElement.scrollWidth,"
        "  [...document.querySelectorAll('article *')].filter(e =>"
        f"  e.getBoundingClientRect().right > {PHONE[0]} + 1"
        "  && !e.closest('pre, table, div.math, .floors'))"
        "  .slice(0, 2).map(e => e.outerHTML.slice(0, 120))]"
    )
    if cut or wide > PHONE[0]:
        yield f"on a phone {wide} pixels wide: {cut}"
    take(browser, screenshots, name, "phone")


def take(browser, folder, name, kind):
    """The whole page as a picture, up to a height that can be looked at."""
    if folder is None:
        return
    size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "scale": 1, "width": size["width"]}
    picture = browser.execute_cdp_cmd(
        "Page.captureScreenshot",
        {
            "clip": {**clip, "height": min(size["height"], 6000)},
            "captureBeyondViewport": True,
        },
    )
    path = folder / f"{name.removesuffix('.html').replace('/', '.')}.{kind}.png"
    path.write_bytes(base64.b64decode(picture["data"]))


def faults_of_search(browser, home, words):
    """Words that the search does not find."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    resize(browser, DESKTOP)
    for word in words:
        browser.get(f"{home}search.html?q={quote(word)}")
        found = WebDriverWait(browser, 20).until(
            lambda b: b.find_elements(
                By.CSS_SELECTOR, "#search-results p.search-summary"
            )
        )
        for _ in range(100):
            if "found" in found[0].text.lower() or "did not match" in found[0].text:
                break
            time.sleep(0.1)
        results = browser.find_elements(By.CSS_SELECTOR, "#search-results ul.search li")
        print(f"search {word}: {len(results)} pages")
        if not results:
            yield f"search: {word} is not found"


def faults_of_keyboard(browser, home):
    """Links of the header that the tabulator key does not reach, or does not show."""
    from selenium.webdriver.common.keys import Keys

    resize(browser, (1600, 900))
    browser.get(home + "index.html")
    wanted = set(
        browser.execute_script(
            "return [...document.querySelectorAll("
            "  '.bd-header .nav-link, article a:not(.headerlink)')]"
            "  .filter(e => e.offsetParent && e.href).map(e => e.href)"
        )
    )
    reached = set()
    for _ in range(200):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        href, outline = browser.execute_script(
            "const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.href, s.outlineStyle != 'none' || s.boxShadow != 'none']"
        )
        if href in wanted and outline:
            reached.add(href)
    print(f"keyboard: {len(reached)} of {len(wanted)} links")
    for href in sorted(wanted - reached):
        yield f"keyboard: does not reach {href}"


def main():
    """Print what is wrong; whether anything is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--no-browser", action="store_true", help="only the files")
    parser.add_argument("--axe", type=Path, help="axe.min.js of axe-core")
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures")
    parser.add_argument("--only", default="", help="pages whose path has this in it")
    options = parser.parse_args()
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    axe = options.axe and options.axe.read_text(encoding="utf-8")
    faults = [*faults_of_files(options.site), *faults_of_index(options.site, WORDS)]
    names = sorted(
        path.relative_to(options.site).as_posix()
        for path in options.site.rglob("*.html")
        if "_static" not in path.parts
    )
    if not options.no_browser:
        home = serve(options.site)
        browser = open_browser()
        try:
            for name in (name for name in names if options.only in name):
                found = faults_of_page(browser, home, name, axe, options.screenshots)
                faults += [f"{name}: {fault}" for fault in found]
            faults += faults_of_search(browser, home, WORDS)
            faults += faults_of_keyboard(browser, home)
        finally:
            browser.quit()
    print(*faults, f"{len(names)} pages, {len(faults)} faults", sep="\n")
    return len(faults) > 0


if __name__ == "__main__":
    sys.exit(main())
