/* The page of a campaign: counts what is ticked while somebody ticks. Without it the links load the page anew. */
"use strict";

(() => {
  const boxes = () => [...document.querySelectorAll('[name="accounts"][form="campaign-decide"]')];

  const count = () => {
    const place = document.querySelector("[data-ticked]");
    const others = document.querySelector("[data-ticks]");
    const unlisted = others?.checked ? Number(others.dataset.ticks) : 0;
    const listed = boxes().filter((box) => box.checked).length;
    if (place) place.textContent = (listed + unlisted).toLocaleString("en-GB");
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches?.('[name="accounts"], [data-ticks]')) count();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-tick]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    for (const box of [...boxes(), ...document.querySelectorAll("[data-ticks]")]) box.checked = link.dataset.tick === "all";
    boxes()[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  });

  document.addEventListener("DOMContentLoaded", count); // a browser may restore ticks from before
  document.addEventListener("draft:restored", count);
})();
