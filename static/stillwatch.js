// What HTML and htmx do not do by themselves: the theme, keys, and keeping one's place. Everything listens on the
// document, so that it also works for what htmx puts into the page later. Without JavaScript the pages work too.
"use strict";

(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Preferences: kept in this browser. The page must also work where storage is forbidden.

  const recall = (name) => {
    try {
      return localStorage.getItem(name) ?? "";
    } catch {
      return "";
    }
  };

  const remember = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // It then holds for this page only.
    }
  };

  const setTheme = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  let keysAreOn = recall("keys") !== "off";
  setTheme(recall("theme"));

  const showPreferences = () => {
    for (const radio of all("[data-preference=theme] input")) radio.checked = radio.value === recall("theme");
    for (const box of all("[data-preference=keys] input")) box.checked = keysAreOn;
  };

  document.addEventListener("change", ({ target }) => {
    const preference = target.closest("[data-preference]")?.dataset.preference;
    if (preference === "theme") {
      remember("theme", target.value);
      setTheme(target.value);
    } else if (preference === "keys") {
      keysAreOn = target.checked;
      remember("keys", keysAreOn ? "on" : "off");
    }
  });

  // Keys: an element says in data-key what it answers to, one key or two in turn ("g q").

  const PAUSE = 1200; // milliseconds in which the second key must follow
  let first = "";
  let firstAt = 0;

  const writing = (element) =>
    element.isContentEditable || element.matches("textarea, select, input:not([type=radio], [type=checkbox])");

  const activate = (element) => {
    for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    element.focus();
    if (element.dataset.opens) document.getElementById(element.dataset.opens)?.focus();
    else if (element.matches("a, button, input[type=radio]")) element.click();
    else element.scrollIntoView({ block: "nearest" });
  };

  // The members of a campaign, where the cursor is among them or no other list is there.
  const membersHere = () => all("#members tbody tr").map((row) => row.querySelector("th a") ?? row.querySelector("th input"));

  // By mouse too, what is typed after opening a fold goes into its field.
  document.addEventListener("click", ({ target }) => {
    const summary = target.closest?.("summary[data-opens]");
    if (summary) setTimeout(() => summary.parentElement.open && document.getElementById(summary.dataset.opens)?.focus());
  });

  const move = (step) => {
    const list = all(".row-open").filter((row) => row.checkVisibility());
    const isAmongMembers = !list.length || document.activeElement?.closest("#members tbody");
    const rows = isAmongMembers ? membersHere().filter(Boolean) : list;
    const here = rows.indexOf(document.activeElement);
    const open = rows.findIndex((row) => row.ariaCurrent === "true");
    const from = here >= 0 ? here : open;
    const row = rows[from < 0 ? 0 : Math.min(Math.max(from + step, 0), rows.length - 1)];
    row?.focus();
    row?.closest(".row, tr").scrollIntoView({ block: "nearest" });
    return Boolean(row);
  };

  window.stillwatchKeys = { activate };

  // While something that somebody sent or followed is on its way, keys would act on a page that is about to be replaced,
  // or land in a field that was sent already. They do nothing until the answer is there.

  const underWay = new Set(); // requests
  let leavesUntil = 0; // another page is being loaded; if it never comes, keys work again after a while
  const LEAVING = 5000; // milliseconds

  const isUnderWay = () => underWay.size > 0 || performance.now() < leavesUntil;

  document.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr, requestConfig } }) => {
    const { triggeringEvent, verb } = requestConfig;
    if (!elt.matches("form, a") || !["submit", "click"].includes(triggeringEvent?.type)) return;
    // A text of several lines can be written on: what has not been sent is kept as a draft.
    const lines = verb === "get" ? [] : [...(elt.elements ?? [])].filter((field) => field.matches("input"));
    for (const line of lines) line.readOnly = true;
    underWay.add(xhr);
    xhr.addEventListener("loadend", () => {
      for (const line of lines) line.readOnly = false;
      underWay.delete(xhr);
    });
  });

  window.addEventListener("beforeunload", () => (leavesUntil = performance.now() + LEAVING));
  window.addEventListener("pageshow", () => (leavesUntil = 0));

  const answered = (key, target, isRepeated) => {
    const event = new CustomEvent("stillwatch:key", { detail: { key, isRepeated }, cancelable: true });
    if (!document.dispatchEvent(event)) return true;
    const inList = Boolean(target.closest("#cases, #members tbody"));
    if (key === "j" || (inList && key === "ArrowDown")) return move(1);
    if (key === "k" || (inList && key === "ArrowUp")) return move(-1);
    const keyed = all(`[data-key="${CSS.escape(key)}"]`);
    const element = keyed.find((candidate) => candidate.checkVisibility()) ?? keyed[0];
    if (element) activate(element);
    return Boolean(element);
  };

  // The place of somebody who leaves a field is near it, and not the top of the page.
  const leave = (field) => {
    const place = field.closest("details")?.querySelector("summary") ?? field.closest("section, form, dialog");
    if (!place) return void field.blur();
    if (!place.matches("summary") && place.tabIndex < 0) place.tabIndex = -1;
    place.focus();
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.isComposing || event.altKey) return;
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
      target.form?.requestSubmit();
      return;
    }
    if (writing(target)) {
      if (key === "Escape") leave(target);
      return;
    }
    if (document.querySelector("#keys:popover-open")) return;
    if (!keysAreOn || event.ctrlKey || event.metaKey) return;
    if (isUnderWay()) {
      first = "";
      if (key.length === 1 && key !== " ") event.preventDefault();
      return; // the space bar and Enter go on working, on what has the focus
    }
    const isSecond = first && event.timeStamp - firstAt < PAUSE;
    const typed = isSecond ? `${first} ${key}` : key;
    first = "";
    if (answered(typed, target, event.repeat)) {
      event.preventDefault();
    } else if (!isSecond && document.querySelector(`[data-key^="${CSS.escape(key)} "]`)) {
      first = key;
      firstAt = event.timeStamp;
    }
  });

  // Keeping one's place: the row of the open case is marked, whichever of the two came last.

  const markOpenCase = () => {
    const open = document.getElementById("case")?.dataset.case;
    for (const row of all(".row-open")) row.ariaCurrent = row.id === `row-${open}` ? "true" : null;
  };

  const arrange = () => {
    showPreferences();
    markOpenCase();
  };

  document.addEventListener("DOMContentLoaded", arrange);
  document.addEventListener("htmx:afterSettle", arrange);

  // Of folds with one name the browser shuts all but one: those that are about to go must not shut what replaces them.
  document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    for (const fold of target.querySelectorAll("details[name]")) fold.removeAttribute("name");
  });

  // What was refused: the focus goes to the first thing that is wrong, not to the title of the page that says so.

  const WRONG = "[aria-invalid=true], .errorlist, .alert[role=alert]";

  document.addEventListener("htmx:afterSettle", ({ detail: { xhr } }) => {
    if (![409, 422].includes(xhr?.status) || document.activeElement?.matches(WRONG)) return;
    const wrong = all(`main :is(${WRONG})`).find((element) => element.checkVisibility());
    if (!wrong) return;
    if (!wrong.matches("input, select, textarea")) wrong.tabIndex = -1;
    wrong.focus();
  });

  // Where what was sent is replaced together with its form, the focus goes to the nearest place that is still there,
  // unless the answer says what has it.

  const focusPlace = (place) => {
    const element = place.id === "main" ? (place.querySelector("h1") ?? place) : place;
    if (element.tabIndex < 0) element.tabIndex = -1;
    element.focus();
  };

  document.addEventListener("htmx:afterSettle", ({ detail: { requestConfig, xhr } }) => {
    const isLost = [document.body, null].includes(document.activeElement);
    if (!isLost || requestConfig?.verb !== "post" || xhr.status >= 300) return;
    const isThere = (element) => element?.checkVisibility() && element;
    let from = requestConfig.elt;
    while (from) {
      const place = from.id && isThere(document.getElementById(from.id));
      if (place) return void focusPlace(place);
      from = from.parentElement;
    }
    focusPlace(document.getElementById("main"));
  });

  // Addresses stay short: what is empty or usual is left out of a search.

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb !== "get" || !detail.elt.matches(".filters")) return;
    for (const [name, value] of [...detail.formData]) {
      if (!value || (name === "view" && value === "all")) detail.formData.delete(name);
    }
    const usual = detail.elt.querySelector("[data-usual]")?.dataset.usual;
    if (detail.formData.getAll("columns").join() === usual) detail.formData.delete("columns");
  });

  // What is asked for again and again, and read out by itself, is replaced only where it says something else.

  const answers = new WeakMap();

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { target, xhr } = detail;
    if (!target.matches("[data-if-changed]") || xhr.status !== 200) return;
    if (answers.get(target) === xhr.responseText.trim()) detail.shouldSwap = false;
    else answers.set(target, xhr.responseText.trim());
  });

  // Toasts: they leave by an animation; trouble says so in the same place.

  document.addEventListener("animationend", ({ target }) => {
    if (target.matches(".toast")) target.remove();
  });

  const sayTrouble = () => {
    const words = document.getElementById("trouble");
    document.getElementById("toasts")?.append(words.content.cloneNode(true));
  };

  document.addEventListener("htmx:responseError", sayTrouble);
  document.addEventListener("htmx:sendError", sayTrouble);
})();
