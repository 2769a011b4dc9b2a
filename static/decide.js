// The decision form by keys: the digit of an action, the digit of a reason, and the action's digit again sends it.
// What each digit does at the moment is shown beside it. Without JavaScript the form works by itself.
"use strict";

(() => {
  const form = () => [...document.querySelectorAll("form.decide")].find((one) => one.checkVisibility());
  const radios = (of, name) => [...of.querySelectorAll(`[name=${name}]`)];
  const chosen = (of, name) => of.querySelector(`[name=${name}]:checked`);
  const reasonsFor = (of, action) => radios(of, action.value === "dismiss" ? "favour" : "against");

  // Only what was chosen since the page was loaded may be confirmed by a digit: a form that was restored, or came back
  // with a mistake, needs its action to be named first.
  const armed = new WeakMap(); // form → the action that was named

  const say = (of, text) => {
    const place = of.querySelector(".decide-said");
    if (place) place.textContent = text;
  };

  const choose = (radio) => {
    radio.focus();
    radio.click();
    radio.scrollIntoView({ block: "nearest" });
  };

  const send = (of, button) => {
    const box = of.querySelector("[name=confirmed]:not([data-by-hand])");
    if (box) box.checked = true;
    button.click(); // htmx sends the name of a button that was clicked
  };

  const startAgain = (of) => {
    armed.delete(of);
    for (const name of ["action", "favour", "against"]) {
      const radio = chosen(of, name);
      if (radio) radio.checked = false;
    }
    say(of, "");
    radios(of, "action")[0].dispatchEvent(new Event("change", { bubbles: true }));
  };

  const digit = (of, number) => {
    const actions = radios(of, "action");
    const action = chosen(of, "action");
    const again = action && actions[number - 1] === action;
    if (!action || (armed.get(of) !== action && again)) {
      if (!actions[number - 1]) return;
      choose(actions[number - 1]);
      armed.set(of, actions[number - 1]); // one that was chosen already does not change
      return;
    }
    if (armed.get(of) !== action) return void say(of, "Press the digit of the action once more, or Escape to start again.");
    const reasons = reasonsFor(of, action);
    if (again && reasons.some((reason) => reason.checked)) return send(of, of.querySelector(".decide-send, .campaign-look"));
    if (reasons[number - 1]) choose(reasons[number - 1]);
  };

  const decideAndGoOn = (of) => {
    const action = chosen(of, "action");
    const isReady = action && armed.get(of) === action && reasonsFor(of, action).some((reason) => reason.checked);
    const button = of.querySelector(".decide-send[name=then]");
    if (!button) return say(of, "Look at the preview first.");
    if (isReady) return send(of, button);
    say(of, action ? "Choose a reason first." : "Choose an action and a reason first.");
    const first = action ? reasonsFor(of, action)[0] : radios(of, "action")[0];
    first?.focus();
  };

  document.addEventListener("stillwatch:key", (event) => {
    const of = form();
    const { key, isRepeated } = event.detail;
    if (!of) return;
    if (/^[1-9]$/.test(key)) {
      if (!isRepeated) digit(of, Number(key));
    } else if (key === "n") {
      if (!isRepeated) decideAndGoOn(of);
    } else if (key === "Escape" && chosen(of, "action")) {
      startAgain(of);
    } else {
      return;
    }
    event.preventDefault();
  });

  // The clause follows from the reason until somebody chooses one by hand.
  document.addEventListener("change", ({ target }) => {
    const of = target.form;
    if (!of?.matches("form.decide")) return;
    if (target.name === "action" && target.checked) armed.set(of, target);
    const clause = of.querySelector("[name=terms_clause]");
    const followed = !clause.value || clause.value === clause.dataset.followed;
    if (target.name !== "against" || !followed) return;
    clause.value = target.dataset.clause ?? "";
    clause.dataset.followed = clause.value;
    clause.dispatchEvent(new Event("change", { bubbles: true })); // so that it is kept with the draft
  });

  // Of a form that is shown with choices, restored or with a mistake: a clause that fits its reason was not chosen by hand.
  const recognise = (of) => {
    const clause = of.querySelector("[name=terms_clause]");
    const reason = chosen(of, "against");
    if (reason && clause.value === reason.dataset.clause) clause.dataset.followed = clause.value;
  };

  const recogniseAll = () => document.querySelectorAll("form.decide").forEach(recognise);
  document.addEventListener("draft:restored", ({ target }) => target.matches("form.decide") && recognise(target));
  document.addEventListener("DOMContentLoaded", recogniseAll);
  document.addEventListener("htmx:afterSwap", recogniseAll);
})();
