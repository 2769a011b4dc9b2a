// A page outlives its session: polls never take it away, and its forms can be sent after somebody has signed in again.
// Every answer to htmx names the user who is signed in and a current CSRF token (governance/web/middleware.py).
"use strict";

(() => {
  const repeated = new WeakSet(); // forms that were sent again with a new token, until they succeed

  const warn = (name, address) => {
    const place = document.getElementById("session");
    if (!place || place.dataset.shown === name) return;
    place.dataset.shown = name;
    place.replaceChildren(document.getElementById(name).content.cloneNode(true));
    place.querySelector("a").href = address;
  };

  const clearWarning = () => {
    const place = document.getElementById("session");
    if (!place?.dataset.shown) return;
    delete place.dataset.shown;
    place.replaceChildren();
  };

  const useToken = (token) => {
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = token;
  };

  // Whether the page still belongs to the user who is signed in. A token is taken over only then: with the token of
  // somebody else what this user typed would be sent under their name.
  const follow = (xhr) => {
    const user = xhr.getResponseHeader("X-Stillwatch-User");
    const signIn = xhr.getResponseHeader("X-Sign-In");
    if (signIn) warn("session-ended", signIn);
    if (!user) return false;
    if (user !== document.body.dataset.user) {
      warn("session-of-another", location.href);
      return false;
    }
    clearWarning();
    useToken(xhr.getResponseHeader("X-CSRFToken"));
    return true;
  };

  // A page that polls says with its next request whether somebody used it: else the session would never be idle.

  let isUsed = false;
  const use = ({ isTrusted }) => (isUsed ||= isTrusted);
  for (const act of ["keydown", "input", "pointerdown", "wheel"]) {
    document.addEventListener(act, use, { capture: true, passive: true });
  }

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (isUsed) detail.headers["X-Stillwatch-Used"] = "true";
    isUsed = false;
  });

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { elt, xhr } = event.detail;
    const isOurs = follow(xhr);
    // Where the browser keeps no drafts the page is the only place that has the text: stay on it.
    if (xhr.status === 401 && !window.stillwatchDrafts.keepAll()) event.preventDefault();
    if (xhr.status < 400) repeated.delete(elt);
    if (!xhr.getResponseHeader("X-CSRF-Failed")) return;
    if (!isOurs || !elt.matches("form") || repeated.has(elt)) return;
    event.preventDefault();
    repeated.add(elt);
    elt.requestSubmit();
  });
})();
