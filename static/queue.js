// The list of cases stays in its place while it is made new: the row under the pointer or the focus does not move, what
// is new or changed is marked and said, and the focus is not lost. Pages of a case say who has it open.
"use strict";

(() => {
  const list = () => document.getElementById("cases");
  const rowsIn = (element) => [...(element?.querySelectorAll(".row") ?? [])];

  const scrollerOf = (element) => {
    const queue = element.closest("#queue");
    const scrolls = queue && getComputedStyle(queue).overflowY === "auto" && document.querySelector(".case");
    return scrolls ? queue : document.scrollingElement;
  };

  let before = null; // what the list was like before it is made new

  const remember = (cases) => {
    const rows = rowsIn(cases);
    const focused = document.activeElement?.closest("#cases .row");
    const anchor = cases.querySelector(".row:hover") ?? focused;
    before = {
      versions: new Map(rows.map((row) => [row.id, row.dataset.version])),
      anchor: anchor?.id,
      top: anchor?.getBoundingClientRect().top,
      focused: focused ? rows.indexOf(focused) : -1,
    };
  };

  // Where the page cannot be scrolled far enough there is room for as long as the pointer stays in the list.
  const keepInPlace = (cases, row, top) => {
    const off = () => row.getBoundingClientRect().top - top;
    const scroller = scrollerOf(cases);
    scroller.scrollTop += off();
    if (off() > 1) {
      cases.style.paddingBlockEnd = `${scroller.clientHeight}px`;
      scroller.scrollTop += off();
    } else if (off() < -1) {
      cases.querySelector(".rows").style.marginBlockStart = `${-off()}px`;
    }
  };

  const count = (number, one, many) => (number ? `${number} ${number === 1 ? one : many}` : "");

  const mark = (cases) => {
    const rows = rowsIn(cases);
    const fresh = rows.filter((row) => !before.versions.has(row.id));
    const changed = rows.filter((row) => before.versions.has(row.id) && before.versions.get(row.id) !== row.dataset.version);
    if (before.versions.size) for (const row of fresh) row.classList.add("row-new");
    for (const row of changed) row.classList.add("row-changed");
    const said = [count(fresh.length, "new case", "new cases"), count(changed.length, "case changed", "cases changed")];
    const place = document.getElementById("queue-said");
    if (place && (fresh.length || changed.length)) place.textContent = `${said.filter(Boolean).join(", ")}.`;
  };

  const settle = () => {
    const cases = list();
    if (!before || !cases) return;
    mark(cases);
    const row = before.anchor && document.getElementById(before.anchor);
    if (row) keepInPlace(cases, row, before.top);
    const rows = rowsIn(cases);
    const isLost = before.focused >= 0 && !cases.contains(document.activeElement);
    if (isLost) rows[Math.min(before.focused, rows.length - 1)]?.querySelector(".row-open").focus({ preventScroll: true });
    before = null;
  };

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    // A form in which somebody is writing is not replaced.
    if (target.id === "views" && requestConfig?.verb === "get" && target.querySelector("details[open]")) {
      event.detail.shouldSwap = false;
    }
    if (target.id === "cases" && requestConfig?.elt === target) remember(target);
    // The answer says what has the focus. As long as something in the old case has it, both cases would be laid out.
    // Not a field of text: leaving it would count as a change, and be kept as a draft of what was just sent.
    const { activeElement: active } = document;
    const isPressed = target.contains(active) && active.matches("button, a, [type=radio], [type=checkbox]");
    if (target.id === "case" && isPressed && event.detail.serverResponse.includes(" autofocus")) active.blur();
  });
  document.addEventListener("htmx:afterSwap", settle);

  document.addEventListener("htmx:afterSettle", ({ detail: { requestConfig } }) => {
    if (!requestConfig?.elt?.matches?.(".filters")) return;
    const place = document.getElementById("queue-said");
    const rows = rowsIn(list()).length;
    const more = list()?.querySelector("[rel=next]") ? " or more" : "";
    if (place) place.textContent = `${count(rows, "case", "cases") || "No cases"}${more}.`;
  });

  document.addEventListener(
    "pointerout",
    ({ target, relatedTarget }) => {
      const cases = target.closest?.("#cases");
      if (!cases || cases.contains(relatedTarget)) return;
      cases.style.paddingBlockEnd = "";
      const rows = cases.querySelector(".rows");
      if (rows) rows.style.marginBlockStart = "";
    },
    true,
  );

  // Beside a case the list is one stop of the Tab key; j, k and the arrow keys go through it.
  const arrange = () => {
    const links = [...document.querySelectorAll("#cases .row-open")];
    const isBeside = Boolean(document.querySelector(".case"));
    const open = links.find((link) => link.ariaCurrent === "true") ?? links[0];
    for (const link of links) {
      link.tabIndex = isBeside && link !== open ? -1 : 0;
      const box = link.closest(".row").querySelector(".row-tick input");
      if (box) box.tabIndex = link.tabIndex;
    }
  };

  document.addEventListener("DOMContentLoaded", arrange);
  document.addEventListener("htmx:afterSettle", arrange);

  // Next goes through the list that the filters beside the case show.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const filters = document.querySelector(".filters");
    if (!filters || !detail.elt.matches("[data-with-list]")) return;
    for (const [name, value] of new FormData(filters)) detail.formData.append(name, value);
  });

  // Who has the case open: asked for only while the page is looked at. A claim lasts while somebody is at work.
  const AT_WORK = 5 * 60_000; // milliseconds after the last key or move
  let usedAt = Date.now();
  for (const name of ["keydown", "pointermove", "wheel"]) {
    document.addEventListener(name, () => (usedAt = Date.now()), { passive: true });
  }

  document.addEventListener("htmx:configRequest", (event) => {
    const { detail } = event;
    if (detail.elt.id !== "viewers") return;
    if (document.hidden) return void event.preventDefault();
    if (Date.now() - usedAt < AT_WORK) detail.parameters.active = "1";
  });
})();
