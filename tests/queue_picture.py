"""Make docs/queue.png from a demonstration that runs: `make run` in one shell, `make picture` in another."""

import json
import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
REVIEWER = "mira@example.com"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    staff = Path(os.environ.get("STILLWATCH_DATA", ROOT / ".data")) / "demo-staff.json"
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 860}, color_scheme="light")
        page.goto("/sign-in/")
        page.get_by_label("E-mail").fill(REVIEWER)
        page.get_by_label("Password").fill(json.loads(staff.read_text())[REVIEWER])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/")
        page.goto("/queue/")
        page.locator(".row a").first.click()
        page.wait_for_url("**/cases/**")
        page.wait_for_load_state("networkidle")
        page.mouse.move(0, 0)
        page.screenshot(path=ROOT / "docs" / "queue.png")
        browser.close()


if __name__ == "__main__":
    main()
