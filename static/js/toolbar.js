// Toolbars are one stop of the Tab key; the arrow keys move inside. Without this script each of
// their controls is a stop.
(() => {
  const CONTROLS = ":is(a[href], button:not(:disabled), summary)";
  const MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  // what is in an open menu is reached by Tab, as usual
  const controls = (toolbar) =>
    [...toolbar.querySelectorAll(CONTROLS)].filter(
      (one) => !one.closest(".menu-list") && one.checkVisibility(),
    );

  const choose = (all, chosen) => {
    for (const one of all) one.tabIndex = one === chosen ? 0 : -1;
  };

  const arrange = () => {
    for (const toolbar of document.querySelectorAll("[role=toolbar]")) {
      const all = controls(toolbar);
      const current = all.find((one) => one === document.activeElement)
        ?? all.find((one) => one.tabIndex === 0 && one.hasAttribute("tabindex"))
        ?? all.find((one) => one.hasAttribute("aria-current"))
        ?? all[0];
      choose(all, current);
    }
  };

  document.addEventListener("keydown", (event) => {
    const toolbar = event.target.closest("[role=toolbar]");
    const move = MOVES[event.key];
    if (!toolbar || !move || event.target.closest(".menu-list")) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const all = controls(toolbar);
    const at = all.indexOf(event.target);
    if (at < 0) return;
    event.preventDefault();
    const next = all[(at + move + all.length) % all.length];
    choose(all, next);
    next.focus();
  });
  document.addEventListener("focusin", (event) => {
    const toolbar = event.target.closest("[role=toolbar]");
    const all = toolbar ? controls(toolbar) : [];
    if (all.includes(event.target)) choose(all, event.target);
  });
  document.addEventListener("DOMContentLoaded", arrange);
  document.addEventListener("htmx:afterSettle", arrange);
  addEventListener("resize", arrange);
})();
