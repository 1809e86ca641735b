// The seconds left for withdrawing, counted where JavaScript runs; the time itself stands beside it in any case.
(() => {
  "use strict";
  const show = (form) => {
    const line = form.querySelector("[data-po-left]");
    const left = Math.ceil((Date.parse(form.dataset.poUntil) - Date.now()) / 1000);
    if (left > 0) {
      line.textContent = line.dataset.poLeft.replace("{n}", left);
      setTimeout(() => show(form), 1000);
      return;
    }
    line.textContent = line.dataset.poOver;
    form.querySelector("button").hidden = true;
  };
  document.querySelectorAll("form[data-po-until]").forEach(show);
})();
