// Accounts that are ticked in lists stay ticked while a list is made new, filtered or left for the next page, in this
// tab, until they are decided about. `x` ticks the row in which the cursor is. Without JavaScript what is ticked on
// one page is sent by itself.
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

  document.addEventListener("stillwatch:key", (event) => {
    if (event.detail.key !== "x") return;
    const row = document.activeElement?.closest(".row") ?? document.querySelector(".row:has(.row-open[aria-current=true])");
    const box = row?.querySelector('[name="accounts"][form="bulk"]');
    if (!box) return;
    if (!event.detail.isRepeated) box.click();
    event.preventDefault();
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
