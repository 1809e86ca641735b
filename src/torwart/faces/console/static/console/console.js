// Keys for who works here all day. Every page works without them, and they can be switched off (WCAG 2.1.4).
(() => {
  "use strict";
  const OFF = "torwart-keys-off";
  const GOALS = { i: "", m: "korb/mir/", f: "freigaben/", g: "gateways/", c: "auftraggeber/", p: "post/" };
  const off = () => localStorage.getItem(OFF) === "1";
  const typing = (element) => element.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-ko-row]:has([data-ko-open])")];
  const link = (row) => row.querySelector("[data-ko-open]");
  let going = 0;

  // The row in hand is the one that has the focus, or in a case the one that is shown.
  function place() {
    const all = rows();
    const focused = all.findIndex((row) => row.contains(document.activeElement));
    return focused >= 0 ? focused : all.findIndex((row) => row.querySelector("[aria-current]"));
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const next = Math.min(Math.max(place() + step, 0), all.length - 1);
    link(all[next]).focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  function select() {
    const row = rows()[place()];
    const box = row && row.querySelector("[data-ko-check]");
    if (box) box.checked = !box.checked;
  }

  // "a" takes what is selected, else the row in hand.
  function take(button) {
    if (!button.matches("[data-ko-take]")) return button.click();
    const chosen = document.querySelector("[data-ko-check]:checked");
    if (!chosen) {
      const row = rows()[Math.max(place(), 0)];
      const box = row && row.querySelector("[data-ko-check]");
      if (box) box.checked = true;
    }
    button.click();
  }

  // A composer opens and the writing can begin; a field gets the focus; a link or button is pressed.
  function use(element) {
    if (element.matches("input, textarea")) { element.focus(); element.select(); return; }
    if (element.matches("summary")) {
      const details = element.parentElement;
      details.open = true;
      const first = details.querySelector("textarea, input:not([type=hidden])");
      if (first) first.focus();
      details.scrollIntoView({ block: "nearest" });
      return;
    }
    if (element.dataset.koKey === "a") return take(element);
    element.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || off()) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target)) return;
    const key = event.key;
    if (going && Date.now() - going < 1500) {
      going = 0;
      const root = new URL("..", document.querySelector("[data-ko-help]").href);
      if (GOALS[key] !== undefined) { event.preventDefault(); location.assign(new URL(GOALS[key], root)); }
      return;
    }
    if (key === "g") { going = Date.now(); return; }
    if (key === "j" || key === "k") { event.preventDefault(); move(key === "j" ? 1 : -1); return; }
    if (key === "x") { event.preventDefault(); select(); return; }
    const wanted = [...document.querySelectorAll(`[data-ko-key="${CSS.escape(key)}"]`)].pop();
    if (wanted) { event.preventDefault(); use(wanted); }
  });

  const mark = () => document.body.classList.toggle("ko-keysoff", off());

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-ko-switch]").forEach((line) => {
      line.hidden = false;
      const box = line.querySelector("[data-ko-off]");
      box.checked = off();
      box.addEventListener("change", () => { localStorage.setItem(OFF, box.checked ? "1" : "0"); mark(); });
    });
    mark();
  });
})();
