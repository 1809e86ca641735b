// Small comforts; every page works without them.
(() => {
  "use strict";
  const each = (root, selector, act) => root.querySelectorAll(selector).forEach(act);

  function ready(root) {
    // Copying needs the clipboard, so the button shows itself only where there is one.
    if (navigator.clipboard) each(root, "[data-tw-copy][hidden]", (button) => { button.hidden = false; });
    // A page that came back with errors begins with them (WCAG 3.3.1).
    const errors = root.querySelector("[data-tw-focus]");
    if (errors) errors.focus();
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-tw-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.twCopy);
    const done = button.parentElement.querySelector("[data-tw-copied]");
    done.textContent = done.dataset.twCopied;
    setTimeout(() => { done.textContent = ""; }, 2000);
  });

  // An open menu closes with Escape and when one turns to something else.
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.tw-menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("click", (event) => {
    each(document, "details.tw-menu[open]", (menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  // A form is sent once, however often one clicks.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.twSent) { event.preventDefault(); return; }
    if (event.target.method === "post" && !event.target.hasAttribute("hx-post")) event.target.dataset.twSent = "1";
  });
  window.addEventListener("pageshow", () => each(document, "form[data-tw-sent]", (form) => { delete form.dataset.twSent; }));

  document.addEventListener("DOMContentLoaded", () => ready(document));
  document.addEventListener("htmx:load", (event) => ready(event.detail.elt));
})();
