// Keyboard shortcuts of the board: single keys, listed in the help sheet. Not loaded for whoever
// switched them off.
(() => {
  const RETRY = "#retry";
  const BUSY = "dialog[open], details[data-menu][open]";
  const OWN_KEYS = "input, textarea, select, video, [contenteditable]";

  const links = () => [...document.querySelectorAll("[data-rows] .row-link")];
  // On a job's page, to another job of the list that one comes from
  function goTo(selector, what) {
    const link = document.querySelector(selector);
    if (link) location.assign(link.href);
    else if (document.querySelector(".job-page"))
      announce(`No ${what} in the list you came from.`);
  }

  // What the keys do

  function step(move) {
    const all = links();
    if (!all.length) return move > 0 ? goTo("a[rel=next]", "next job") : goTo("a[rel=prev]", "previous job");
    const at = all.indexOf(document.activeElement.closest("tr")?.querySelector(".row-link"));
    (at < 0 ? all[0] : all[at + move])?.focus();
  }

  function filter() {
    const summary = document.querySelector("#filters summary");
    if (!summary) return goTo("[data-next-failed]", "further failure");
    summary.closest("details").open = true;
    summary.focus();
  }

  // Retrying is confirmed on the job's page, where what may be done is known
  function retry() {
    const button = document.getElementById("do-resubmit");
    if (button?.dataset.dialog) return button.click();
    const row = document.activeElement.closest("[data-may-retry] tr[data-status=failed]");
    if (row) location.assign(row.querySelector(".row-link").href + RETRY);
  }

  function search() {
    const box = document.getElementById("search");
    box?.focus();
    box?.select();
  }

  const ACTIONS = {
    "/": search,
    "?": () => document.getElementById("shortcuts").showModal(),
    f: filter,
    j: () => step(1),
    k: () => step(-1),
    r: retry,
  };

  document.addEventListener("keydown", (event) => {
    const action = Object.hasOwn(ACTIONS, event.key) && ACTIONS[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest(OWN_KEYS) || document.querySelector(BUSY)) return;
    event.preventDefault();
    action();
  });

  if (location.hash === RETRY) {
    history.replaceState(history.state, "", location.pathname + location.search);
    document.addEventListener("DOMContentLoaded", retry);
  }
})();
