// Passkeys: a form with data-passkey="create" or "get" has the browser make one, or sign with one, and sends what it
// answers. Without them in this browser the form stays hidden.
"use strict";

(() => {
  const { webauthnJSON } = window;

  const optionsOf = async (form) => {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const response = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error("The challenge did not arrive.");
    return response.json();
  };

  const ask = async (form) => {
    const options = await optionsOf(form);
    const answer = await webauthnJSON[form.dataset.passkey](options);
    form.elements.credential.value = JSON.stringify(answer);
    form.submit();
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential || !webauthnJSON) continue;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      // Nothing was done: the device has no passkey, or its user said no.
      ask(form).catch(() => (form.querySelector("[data-refused]").hidden = false));
    });
  }
})();
