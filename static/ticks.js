// Accounts that are ticked in lists stay ticked while a list is made new, filtered or left for the next page, in this
// tab, until they are decided about. `x` ticks the row in which the cursor is, `d` leads to deciding about all that are
// ticked. Without JavaScript what is ticked on one page is sent by itself.
"use strict";

(() => {
  const MOST = 500; // as the server has it
  const KEY = `ticks:${document.body.dataset.user}`;
  const boxes = () => [...document.querySelectorAll('[name="accounts"][form="bulk"]')];
  const figures = new Intl.NumberFormat("en-GB");

  const recall = () => {
    try {
      return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
    } catch {
      return [];
    }
  };

  const ticked = new Set(recall());

  const remember = () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify([...ticked]));
    } catch {
      // Then they last as long as the page.
    }
  };

  const show = () => {
    const form = document.getElementById("bulk");
    if (!form) return;
    const here = boxes();
    for (const box of here) box.checked = ticked.has(box.value);
    const shown = new Set(here.map((box) => box.value));
    const elsewhere = [...ticked].filter((value) => !shown.has(value));
    const kept = form.querySelector("[data-elsewhere]");
    kept.value = elsewhere.join(",");
    kept.disabled = !elsewhere.length;
    const all = document.querySelector("[data-tick-all]");
    const number = here.filter((box) => box.checked).length;
    if (all) {
      all.checked = here.length > 0 && number === here.length;
      all.indeterminate = number > 0 && number < here.length;
      all.disabled = !here.length;
    }
    const isTooMany = ticked.size > MOST;
    const words = [`${figures.format(ticked.size)} ticked`];
    if (elsewhere.length) words.push(`${figures.format(elsewhere.length)} not on this page`);
    if (isTooMany) words.push(`at most ${MOST} at once`);
    form.querySelector("[data-ticks]").textContent = words.join(", ");
    form.querySelector("[data-tick-number]").textContent = figures.format(ticked.size);
    form.querySelector("[type=submit]").disabled = isTooMany;
  };

  const set = (box, isTicked) => ticked[isTicked ? "add" : "delete"](box.value);

  const countPreview = () => {
    const number = document.querySelectorAll('[name="accounts"][form="bulk-decide"]:checked').length;
    for (const place of document.querySelectorAll("[data-bulk-ticked]")) place.textContent = figures.format(number);
  };

  document.addEventListener("change", ({ target }) => {
    if (target.matches('[name="accounts"][form="bulk-decide"]')) return countPreview();
    if (target.matches("[data-tick-all]")) for (const box of boxes()) set(box, target.checked);
    else if (target.matches('[name="accounts"][form="bulk"]')) set(target, target.checked);
    else return;
    remember();
    show();
  });

  const untickAll = () => {
    ticked.clear();
    remember();
    show();
  };

  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-untick]")) untickAll();
  });

  const tickRow = () => {
    const member = document.activeElement?.closest("#members tbody tr")?.querySelector('[name="accounts"]');
    if (member) {
      member.click();
      return true;
    }
    const row = document.activeElement?.closest(".row") ?? document.querySelector(".row:has(.row-open[aria-current=true])");
    const box = row?.querySelector('[name="accounts"][form="bulk"]');
    box?.click();
    return Boolean(box);
  };

  // Where a case is open beside the list, `d` is about that case, unless the cursor is in the list.
  const decideTicked = () => {
    const button = document.querySelector("#bulk [type=submit]");
    const isAboutCase = document.querySelector(".case") && !document.activeElement?.closest("#queue");
    if (!button || !ticked.size || isAboutCase) return false;
    button.click(); // with too many it is disabled, and says so beside it
    return true;
  };

  const ANSWERS = { x: tickRow, d: decideTicked };

  document.addEventListener("stillwatch:key", (event) => {
    const { key, isRepeated } = event.detail;
    if (!isRepeated && Object.hasOwn(ANSWERS, key) && ANSWERS[key]()) event.preventDefault();
  });

  // Those that were decided about are ticked no longer.
  document.addEventListener("htmx:beforeOnLoad", ({ detail: { elt, xhr } }) => {
    if (elt.id === "bulk-decide" && xhr.status < 300) untickAll();
  });

  const arrange = () => {
    show();
    countPreview();
  };

  document.addEventListener("DOMContentLoaded", arrange);
  document.addEventListener("htmx:afterSwap", arrange);
})();
