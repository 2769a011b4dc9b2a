// The palette: one field for every page, every action and every search. Ctrl-K opens it from anywhere. The server
// finds pages and results (htmx); what can be done on the page that is open is read from its data-key elements.
// The focus stays in the field, which moves among the options by aria-activedescendant (the combobox pattern of ARIA).
"use strict";

(() => {
  const palette = document.getElementById("palette");
  const field = document.getElementById("palette-input");
  if (!palette || !field) return;
  const list = () => document.getElementById("palette-results");
  const options = () => [...list().querySelectorAll("[role=option]")];
  const chosen = () => list().querySelector("[aria-selected=true]");

  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
  };

  const step = (by) => {
    const all = options();
    const here = all.indexOf(chosen());
    choose(all[(here + by + all.length) % all.length]);
  };

  // What is on this page: its keyed elements by the words that name them.

  const wordsOf = (element) => {
    const label = (element.labels?.[0] ?? element).cloneNode(true);
    for (const hint of label.querySelectorAll("kbd")) hint.remove();
    return (element.getAttribute("aria-label") ?? label.textContent).replace(/\s+/g, " ").trim();
  };

  const elsewhere = (element) => element.closest("#palette, .topbar, #person") || !element.checkVisibility();

  const hereThatFit = () => {
    const typed = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = new Map();
    for (const element of document.querySelectorAll("main [data-key]")) {
      const words = wordsOf(element);
      const fits = typed.every((one) => words.toLowerCase().split(/\s+/).some((word) => word.startsWith(one)));
      if (words && fits && !elsewhere(element) && !found.has(words)) found.set(words, element);
    }
    return [...found];
  };

  const act = (element) => {
    palette.close();
    window.stillwatchKeys.activate(element);
  };

  const addHere = () => {
    const found = hereThatFit();
    if (!found.length) return;
    const group = document.createElement("div");
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", "palette-here");
    const title = document.createElement("div");
    title.id = "palette-here";
    title.className = "palette-title";
    title.setAttribute("role", "presentation");
    title.textContent = "On this page";
    group.append(title);
    found.forEach(([words, element], place) => {
      const option = document.createElement("div");
      option.id = `palette-here-${place}`;
      option.className = "palette-option";
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      const name = document.createElement("span");
      name.textContent = words;
      const key = document.createElement("kbd");
      key.textContent = element.dataset.key;
      option.append(name, key);
      option.addEventListener("click", () => act(element));
      group.append(option);
    });
    list().querySelector(".palette-none")?.remove();
    list().prepend(group);
  };

  const arrange = () => {
    addHere();
    const number = options().filter((option) => option.id !== "palette-all").length; // that leads to all results
    document.getElementById("palette-status").textContent = `${number} result${number === 1 ? "" : "s"}`;
    field.setAttribute("aria-expanded", String(options().length > 0));
    choose(options()[0]);
  };

  const open = () => {
    if (palette.open) return;
    document.querySelector("#keys:popover-open")?.hidePopover();
    palette.showModal();
    field.focus();
    field.select();
    field.dispatchEvent(new Event("palette-open"));
  };

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (palette.open) palette.close();
    else open();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-palette]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });

  // A click beside the dialog, on its backdrop, closes it.
  palette.addEventListener("click", ({ target }) => {
    if (target === palette) palette.close();
  });

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      palette.close();
      event.preventDefault();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      step(event.key === "ArrowDown" ? 1 : -1);
      event.preventDefault();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (isAnswered) chosen()?.click();
      else isEntered = true;
    }
    event.stopPropagation(); // its keys are no shortcuts of the page
  });

  // Enter that comes before the answer to what was typed holds for that answer, not for the one before.
  let isAnswered = false;
  let isEntered = false;
  field.addEventListener("input", () => {
    isAnswered = false;
    isEntered = false;
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target?.id !== "palette-results") return;
    const asked = new URL(detail.pathInfo.finalRequestPath, location.href).searchParams.get("q") ?? "";
    isAnswered = asked === field.value;
    arrange();
    if (isAnswered && isEntered) chosen()?.click();
    isEntered &&= !isAnswered;
  });
})();
