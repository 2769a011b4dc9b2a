// Typed text is never lost: what is in a form with data-draft is kept in this browser until it has been sent, for a
// week, under the id of the user who typed it. It is put back when that user opens the form again. Signing out
// forgets it. A form with data-draft-outlasts leads to a preview only: its draft is kept until the page names it as
// stored (data-sent). A counter beside each field says how much of the limit is used, counted as the server counts.
"use strict";

(() => {
  const DAYS_KEPT = 7;
  const PREFIX = "draft:";

  const drafted = (form) => form?.matches?.("form[data-draft]") && Boolean(document.body.dataset.user);
  const keyOf = (form) => `${PREFIX}${document.body.dataset.user}:${form.dataset.draft}`;
  const fieldsOf = (form) =>
    [...form.elements].filter(
      (field) =>
        field.name &&
        field.matches("input, select, textarea") &&
        !field.matches("[type=hidden], [type=password], [type=submit], [data-undrafted]"),
    );
  const isChoice = (field) => field.matches("[type=radio], [type=checkbox]");

  // Storage: it may be forbidden or full. Then the text stays on the page only, and session.js leaves the page open.

  const storedKeys = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    } catch {
      return [];
    }
  };

  const stored = (key) => {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  };

  const store = (key, draft) => {
    try {
      localStorage.setItem(key, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  };

  const forget = (key) => {
    try {
      localStorage.removeItem(key);
    } catch {
      // There is nothing to forget.
    }
  };

  const isExpired = (draft) => !draft?.at || Date.now() - draft.at > DAYS_KEPT * 86_400_000;

  for (const key of storedKeys()) if (isExpired(stored(key))) forget(key);

  // Keeping and putting back

  const touched = new Set(); // forms somebody has typed into
  const sent = new WeakMap(); // form → its values when it was last sent

  const valuesOf = (form) => {
    const values = {};
    for (const field of fieldsOf(form)) {
      values[field.name] ??= [];
      if (!isChoice(field) || field.checked) values[field.name].push(field.value);
    }
    return values;
  };

  const boxesOf = (form) => {
    const boxes = {};
    for (const field of fieldsOf(form)) {
      if (field.matches("[type=checkbox]")) (boxes[field.name] ??= []).push(field.value);
    }
    return boxes;
  };

  // Of a long list a filter shows a part: what was ticked in another part stays ticked.
  const withOtherParts = (draft, before) => {
    if (isExpired(before)) return draft;
    for (const [name, shown] of Object.entries(draft.boxes)) {
      const others = (before.boxes?.[name] ?? []).filter((value) => !shown.includes(value));
      draft.values[name].push(...others.filter((value) => before.values[name]?.includes(value)));
      shown.push(...others);
    }
    return draft;
  };

  const keep = (form) => {
    touched.add(form);
    const draft = { at: Date.now(), values: valuesOf(form), boxes: boxesOf(form) };
    return store(keyOf(form), withOtherParts(draft, stored(keyOf(form))));
  };

  const keepAll = () => {
    for (const form of touched) if (!form.isConnected) touched.delete(form);
    return [...touched].map(keep).every(Boolean);
  };

  const put = (form, { values, boxes }) => {
    for (const field of fieldsOf(form)) {
      const kept = values[field.name];
      const isNew = field.matches("[type=checkbox]") && boxes?.[field.name]?.includes(field.value) === false;
      if (!kept || isNew) continue;
      if (isChoice(field)) field.checked = kept.includes(field.value);
      else if (kept.length) field.value = kept[0];
    }
  };

  // What was sent while its page was being left is stored, though nobody saw the answer: the page shows its text, or
  // names the draft of what was decided.
  const isStored = (form, values) => {
    if (!form.dataset.storedIn) return false;
    const plain = (text) => text.trim().replace(/\s+/g, " ");
    const texts = [...document.querySelectorAll(form.dataset.storedIn)].map((place) => plain(place.innerText));
    return Object.values(values).flat().every((text) => texts.includes(plain(text)));
  };

  const forgetSent = (element) => {
    for (const { dataset } of element.querySelectorAll("[data-sent]")) {
      forget(`${PREFIX}${document.body.dataset.user}:${dataset.sent}`);
    }
  };

  const restore = (form) => {
    if (!drafted(form) || touched.has(form)) return;
    const draft = stored(keyOf(form));
    if (isExpired(draft)) return;
    if (isStored(form, draft.values)) return void forget(keyOf(form));
    const before = JSON.stringify(valuesOf(form));
    put(form, draft);
    touched.add(form);
    if (JSON.stringify(valuesOf(form)) === before) return;
    form.closest("details")?.setAttribute("open", "");
    form.prepend(document.getElementById("draft-restored").content.cloneNode(true));
    form.dispatchEvent(new Event("draft:restored", { bubbles: true }));
  };

  const discard = (form) => {
    forget(keyOf(form));
    touched.delete(form);
    form.querySelector(".draft-restored")?.remove();
    form.reset();
    countAll(form);
  };

  const formsIn = (element) => [...(element.matches("form") ? [element] : element.querySelectorAll("form"))];

  // Counting: code points, a line break is one, and white space at either end does not count (Python's str.strip).

  const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  const AT_THE_ENDS = new RegExp(`^${SPACE}|${SPACE}$`, "g");
  const figures = new Intl.NumberFormat("en-GB");

  const count = (place) => {
    const limit = Number(place.dataset.limit);
    const text = place.previousElementSibling.value.replace(/\r\n?/g, "\n");
    const length = [...("unstripped" in place.dataset ? text : text.replace(AT_THE_ENDS, ""))].length;
    const over = length - limit;
    place.textContent = `${figures.format(length)} of ${figures.format(limit)} characters`;
    if (over > 0) place.textContent += `: ${figures.format(over)} too many`;
    place.classList.toggle("count-over", over > 0);
  };

  const countAll = (element) => {
    for (const place of element.querySelectorAll("[data-limit]")) count(place);
  };

  // What happens on the page

  const typed = ({ target }) => {
    if (drafted(target.form)) keep(target.form);
    if (target.nextElementSibling?.matches("[data-limit]")) count(target.nextElementSibling);
  };

  document.addEventListener("input", typed);
  document.addEventListener("change", typed);

  document.addEventListener("click", ({ target }) => {
    if (target.matches?.("[data-discard]")) discard(target.form);
  });

  document.addEventListener("submit", ({ target }) => {
    if (drafted(target)) keep(target);
  });

  document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
    if (drafted(elt)) sent.set(elt, JSON.stringify(valuesOf(elt)));
  });

  // Before the answer replaces the form: what was typed while it was on its way has not been sent, and is kept.
  document.addEventListener("htmx:beforeOnLoad", ({ detail: { elt, xhr } }) => {
    if (!drafted(elt) || "draftOutlasts" in elt.dataset) return;
    const isSent = xhr.status >= 200 && xhr.status < 300;
    if (!isSent || JSON.stringify(valuesOf(elt)) !== sent.get(elt)) return;
    forget(keyOf(elt));
    touched.delete(elt);
  });

  const arrange = (element) => {
    forgetSent(element);
    for (const form of formsIn(element)) restore(form);
    countAll(element);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const user = document.querySelector("[data-signed-out]")?.dataset.signedOut;
    if (user) for (const key of storedKeys()) if (key.startsWith(`${PREFIX}${user}:`)) forget(key);
    arrange(document.body);
  });
  document.addEventListener("htmx:load", ({ detail: { elt } }) => arrange(elt));

  window.stillwatchDrafts = { keepAll };
})();
