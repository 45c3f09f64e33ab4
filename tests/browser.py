#!/usr/bin/env python3
"""Opens the built book in a headless Chromium, as a reader would, from file://.

usage: browser.py BOOK_HTML_FOLDER

For each page, at 390, 500 and 1200 px: nothing sticks out of the page, and nothing is written to the
console as an error. Each ladder steps by its buttons, by keys and by link, and the keys do not turn
the page. Text has a contrast of at least 4.5:1 in all five themes. Standard library only: Chromium
is spoken to over a pipe (--remote-debugging-pipe).
"""

import base64
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

WIDTHS = (390, 500, 1200)
THEMES = ("light", "rust", "coal", "navy", "ayu")
CONTRAST = 4.5
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --disable-extensions "
    "--disable-default-apps --remote-debugging-pipe"
).split()

# What sticks out of the page: wider than the window, and not inside something that scrolls.
OVERFLOW = """
(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const scrolls = (node) => {
        for (; node && node !== document.body; node = node.parentElement) {
            if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(node).overflowX)) return true;
        }
        return false;
    };
    return [...document.querySelectorAll('main *')]
        .filter((node) => node.getBoundingClientRect().right > root.clientWidth + 1)
        .filter((node) => !scrolls(node.parentElement))
        .map((node) => node.tagName + ': ' + node.textContent.trim().slice(0, 60))
        .slice(0, 5)
        .concat('page is ' + root.scrollWidth + ' wide');
})()
"""

# The lowest contrasts of text in the page, by kind, in the theme that is on.
CONTRASTS = """
(() => {
    const parse = (text) => {
        const numbers = (text.match(/[\\d.]+/g) || []).map(Number);
        const [r, g, b, a = 1] = text.startsWith('color(') ? numbers.map((n, i) => i < 3 ? n * 255 : n) : numbers;
        return {r, g, b, a};
    };
    const over = (top, below) => ({
        r: top.r * top.a + below.r * (1 - top.a),
        g: top.g * top.a + below.g * (1 - top.a),
        b: top.b * top.a + below.b * (1 - top.a),
        a: 1,
    });
    const light = ({r, g, b}) => {
        const [x, y, z] = [r, g, b].map((v) => v / 255)
            .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ratio = (a, b) => {
        const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05);
    };
    const behind = (node) => {
        const layers = [];
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.a > 0) layers.push(colour);
            if (colour.a === 1) break;
        }
        return layers.reduceRight((below, top) => over(top, below), {r: 255, g: 255, b: 255, a: 1});
    };
    const worst = {};
    const note = (kind, value, text) => {
        if (!(kind in worst) || value < worst[kind][0]) worst[kind] = [value, text.trim().slice(0, 40)];
    };
    const visible = (node) => node.getClientRects().length > 0;
    for (const text of document.querySelectorAll('.ladder text')) {
        if (text.closest('.later')) continue;
        const band = text.closest('.step.now') && parse(getComputedStyle(text.closest('.step').querySelector('.band')).fill);
        const page = band && band.a === 1 ? band : behind(text.closest('.ladder'));
        note('ladder ' + text.getAttribute('class') + (band ? ' now' : ''), ratio(over(parse(getComputedStyle(text).fill), page), page), text.textContent);
    }
    for (const text of document.querySelectorAll('.picture text')) {
        // It stands on the page, or in a shape of the picture.
        const fill = (node) => parse(getComputedStyle(node).fill);
        const shapes = [...text.closest('svg').querySelectorAll('rect, circle')].map(fill);
        const page = behind(text.closest('.picture'));
        for (const ground of [page, ...shapes.filter((shape) => shape.a === 1)]) {
            note('picture', ratio(fill(text), ground), text.textContent);
        }
    }
    for (const node of document.querySelectorAll('main p, main li, main a, main em, main summary, main h1, main h2, main h3, main td, main th, main :not(pre) > code, .ladder-bar button:enabled, .ladder-now, figcaption')) {
        if (!visible(node) || !node.textContent.trim()) continue;
        const page = behind(node);
        const kind = node.closest('.ladder') ? 'ladder ' + node.tagName : node.tagName;
        note(kind, ratio(over(parse(getComputedStyle(node).color), page), page), node.textContent);
    }
    return worst;
})()
"""


# A theme brings a style sheet for code, which the browser loads when it is first wanted.
STYLED = """
new Promise((done) => {
    const links = [...document.querySelectorAll('link[rel~=stylesheet]')];
    const look = () => {
        if (links.every((link) => link.disabled || link.sheet)) requestAnimationFrame(() => done());
        else setTimeout(look, 5);
    };
    look();
})
"""


class Browser:
    """A Chromium of our own, with one page."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp()
        from_us, to_them = os.pipe()
        to_us, from_them = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (from_us, from_them)]
        start = 'exec "$0" "$@" 3<&{} 4>&{}'.format(*theirs)
        self.process = subprocess.Popen(
            ["bash", "-c", start, program, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (from_us, from_them, *theirs):
            os.close(fd)
        self.input = os.fdopen(to_them, "wb", buffering=0)
        self.output = os.fdopen(to_us, "rb")
        self.number, self.session = 0, None
        self.problems, self.loaded = [], False
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def message(self):
        """The next message: events are noted, answers returned."""
        text = bytearray()
        while (byte := self.output.read(1)) != b"\0":
            if not byte:
                raise SystemExit("browser: Chromium has ended")
            text += byte
        message = json.loads(text)
        method, told = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.problems.append(details.get("exception", details).get("description", "exception"))
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.problems.append(told["entry"]["text"] + " " + told["entry"].get("url", ""))
        elif method == "Runtime.consoleAPICalled" and told["type"] == "error":
            self.problems.append(json.dumps(told["args"]))
        return message

    def call(self, method, **params):
        self.number += 1
        order = {"id": self.number, "method": method, "params": params}
        if self.session:
            order["sessionId"] = self.session
        self.input.write(json.dumps(order).encode() + b"\0")
        while (message := self.message()).get("id") != self.number:
            pass
        if "error" in message:
            raise SystemExit(f"browser: {method}: {message['error']}")
        return message["result"]

    def open(self, url, width):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )
        # A fragment alone would not load the page again.
        for address in ("about:blank", url):
            self.loaded = False
            self.call("Page.navigate", url=address)
            while not self.loaded:
                self.message()

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"browser: {result['exceptionDetails']}")
        return result["result"].get("value")

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def shot(self, file, whole=False):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        pathlib.Path(file).write_bytes(base64.b64decode(data))

    def close(self):
        self.input.close()
        self.process.terminate()
        self.process.wait()
        self.output.close()
        shutil.rmtree(self.profile, ignore_errors=True)


NOW = "[...document.querySelectorAll('figure.ladder')].map((f) => [f.dataset.ladder, f.querySelectorAll('.ladder-wide .step').length, [...f.querySelectorAll('.ladder-wide .step')].findIndex((s) => s.classList.contains('now')) + 1])"


def now(browser, name):
    return next(step for ladder, _, step in browser.run(NOW) if ladder == name)


def stepping(browser, url):
    """Complaints about the ladders of a page; and how many there are."""
    ladders, wrong = browser.run(NOW), []
    for name, steps, _ in ladders:
        figure = f"document.querySelector('figure[data-ladder=\"{name}\"]')"

        def expect(step, how):
            seen = now(browser, name)
            if seen != step:
                wrong.append(f"ladder {name}: {how} shows step {seen}, not {step}")

        buttons = f"{figure}.querySelectorAll('.ladder-bar button')"
        if browser.run(f"{buttons}.length") != 3:
            wrong.append(f"ladder {name}: it has no buttons")
            continue
        browser.run(f"{buttons}[1].click()")
        browser.run(f"{buttons}[1].click()")
        expect(2, "Next, twice,")
        browser.run(f"{buttons}[0].click()")
        expect(1, "Back")
        browser.run(f"{figure}.focus()")
        browser.key("End")
        expect(steps, "the key End")
        browser.key("ArrowLeft")
        expect(steps - 1, "the left arrow key")
        browser.key("Home")
        browser.key("ArrowRight")
        expect(2, "Home and the right arrow key")
        browser.key("Escape")
        expect(0, "Escape")
        if not browser.run("location.pathname").endswith(url.rsplit("/", 1)[1]):
            wrong.append(f"ladder {name}: an arrow key has turned the page")
            return wrong, len(ladders)
    for name, _, _ in ladders:
        browser.open(f"{url}#{name}/2", WIDTHS[-1])
        if (seen := now(browser, name)) != 2:
            wrong.append(f"ladder {name}: the link #{name}/2 shows step {seen}")
    return wrong, len(ladders)


def contrasts(browser):
    """Texts of too little contrast in any theme; and the lowest contrast of all."""
    wrong, lowest = [], 21.0
    # A step of the first ladder is shown, so that its colours are looked at, too.
    browser.run("document.querySelectorAll('.ladder-bar button')[1]?.click()")
    for theme in THEMES:
        # The theme's own button: it changes the colours of code, too.
        browser.run(f"document.getElementById('mdbook-theme-{theme}').click()")
        browser.run(STYLED)
        for kind, (value, text) in browser.run(CONTRASTS).items():
            lowest = min(lowest, value)
            if value < CONTRAST:
                wrong.append(f"{theme}: {kind} has a contrast of {value:.2f}: {text!r}")
    return wrong, lowest


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        print("browser: skipped: Chromium is not installed (package chromium)")
        return 0
    pages = sorted(page for page in folder.glob("*.html") if page.name not in ("print.html", "404.html", "toc.html"))
    browser = Browser(program)
    wrong, ladders, lowest = [], 0, 21.0
    try:
        for page in pages:
            url = page.as_uri()
            for width in WIDTHS:
                browser.open(url, width)
                for what in browser.run(OVERFLOW):
                    wrong.append(f"{page.name} at {width} px: {what}")
            told, count = stepping(browser, url)
            dim, low = contrasts(browser)
            ladders, lowest = ladders + count, min(lowest, low)
            wrong += [f"{page.name}: {what}" for what in told + dim + browser.problems]
            browser.problems = []
    finally:
        browser.close()
    for what in wrong:
        print(f"browser: {what}", file=sys.stderr)
    print(
        f"browser: {len(pages)} pages at {', '.join(map(str, WIDTHS))} px, {ladders} ladders stepped, "
        f"lowest contrast {lowest:.2f}, {len(wrong)} complaints"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
