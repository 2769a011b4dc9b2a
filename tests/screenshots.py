"""Make docs/screenshots/ from a demonstration that runs: `make run` in one shell, `make screenshots` in another.

Every page, as the role that sees most of it, in both themes and at both widths. They are WebP, which the browser makes
of its own picture: a tenth of PNG's size. Git keeps a few of them, which .gitignore names; the rest is for looking at.
"""

import base64
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "screenshots"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
SIZES: Final = ((1280, 900), (390, 844))
QUALITY: Final = 0.82
TALLEST: Final = 1_500  # pixels: a page of many rows is cut off there

# Draws a PNG on a canvas and reads it back as WebP.
CONVERT: Final = """
async ([png, height, quality]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = Math.min(image.height, height);
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}
"""


class Shot(NamedTuple):
    """A page: the name of its files, its address and whose it is.

    `follow` are selectors: the first link that matches each is followed, one after the other.
    """

    name: str
    address: str
    who: str = "jonas@example.com"
    follow: tuple[str, ...] = ()


ROW: Final = ".row a"
MIRA, ADA = "mira@example.com", "ada@example.com"
SHOTS: Final = (
    Shot("overview", "/"),
    Shot("my-day", "/", MIRA),
    Shot("cases", "/overview/cases/?band=critical"),
    Shot("queue", "/queue/", MIRA),
    Shot("decided", "/queue/?view=decided", MIRA),
    Shot("case", "/queue/", MIRA, (ROW,)),
    Shot("decided-case", "/queue/?view=decided", MIRA, (ROW,)),
    Shot("held", "/queue/?view=held", MIRA),
    Shot("inbox", "/inbox/", MIRA),
    Shot("campaigns", "/campaigns/", MIRA),
    Shot("campaign", "/campaigns/", MIRA, ("main a[href^='/campaigns/'][href$='/']",)),
    Shot("accounts", "/accounts/", MIRA),
    Shot("account", "/accounts/", MIRA, (ROW,)),
    Shot("organisation", "/accounts/", MIRA, (ROW, "main a[href^='/organisations/']")),
    Shot("search", "/search/?q=acct", MIRA),
    Shot("restrictions", "/restrictions/"),
    Shot("enforcement", "/enforcement/"),
    Shot("missing", "/enforcement/missing/"),
    Shot("webhooks", "/enforcement/webhooks/", ADA),
    Shot("policy", "/policy/"),
    Shot("drift", "/calibration/drift/"),
    Shot("settings", "/settings/"),
    Shot("users", "/settings/users/", ADA),
    Shot("service-keys", "/settings/keys/", ADA),
    Shot("partners", "/settings/partners/", ADA),
    Shot("partner", "/settings/partners/", ADA, ("main a[href^='/settings/partners/']",)),
    Shot("campaign-share", "/campaigns/", ADA, ("main a[href^='/campaigns/'][href$='/']", "main a[href$='/share/']")),
    Shot("history", "/settings/history/"),
    Shot("evidence", "/queue/?view=decided", follow=(ROW, "a[href$='/evidence/']")),
    Shot("log", "/log/"),
    Shot("log-entry", "/log/1/"),
    Shot("words", "/words/"),
    Shot("password", "/password/", MIRA),
    Shot("admin", "/admin/", ADA),
    Shot("audit-log", "/admin/audit/entry/", ADA),
)


def main() -> None:
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    data = Path(os.environ.get("STILLWATCH_DATA", ROOT / ".data"))
    passwords = json.loads((data / "demo-staff.json").read_text())
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        visitor = browser.new_page(base_url=address)
        converter = browser.new_page()
        for name in pictures(visitor, converter, [Shot("sign-in", "/sign-in/")]):
            print(name)  # noqa: T201 - which pictures were made
        for who in sorted({shot.who for shot in SHOTS}):
            page = signed_in(browser, address, who, passwords[who])
            for name in pictures(page, converter, [shot for shot in SHOTS if shot.who == who]):
                print(name)  # noqa: T201 - as above
        browser.close()


def signed_in(browser: Browser, address: str, who: str, password: str) -> Page:
    page = browser.new_page(base_url=address)
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(who)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    return page


def pictures(page: Page, converter: Page, shots: Sequence[Shot]) -> Iterator[str]:
    """Take the pictures of these pages; yield the name of each file."""
    for shot in shots:
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(shot.address)
            for selector in shot.follow:
                if page.locator(selector).count():
                    page.goto(page.locator(selector).first.get_attribute("href") or "/")
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.mouse.move(0, 0)
                page.wait_for_load_state("networkidle")
                png = base64.b64encode(page.screenshot(full_page=True)).decode()
                webp = converter.evaluate(CONVERT, [png, TALLEST, QUALITY])
                name = f"{shot.name}-{width}-{theme}.webp"
                (FOLDER / name).write_bytes(base64.b64decode(webp))
                yield name


if __name__ == "__main__":
    main()
