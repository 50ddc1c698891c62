// Keyboard shortcuts of the board: single keys, listed in the help sheet. Not loaded for whoever
// switched them off.
(() => {
  const KEPT = "reelboard-rows";
  const RETRY = "#retry";
  const BUSY = "dialog[open], details[data-menu][open]";
  const OWN_KEYS = "input, textarea, select, video, [contenteditable]";

  const links = () => [...document.querySelectorAll("[data-rows] .row-link")];
  const announceEnd = (what) => announce(`No ${what} on the page of the list you came from.`);

  // The jobs as the list showed them last, for the keys on a job's page

  function keepRows() {
    if (!document.getElementById("tabs")) return;
    const shown = links().map((link) => [link.pathname, link.closest("tr").dataset.status]);
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(shown));
    } catch {
      // then a job's page has no next one
    }
  }
  addEventListener("pagehide", keepRows);

  function otherJob(move, wanted) {
    let kept = [];
    try {
      kept = JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
    } catch {
      // nothing is known of a list
    }
    const at = kept.findIndex(([path]) => path === location.pathname);
    if (at < 0) return undefined;
    const rest = move > 0 ? kept.slice(at + 1) : kept.slice(0, at).reverse();
    return rest.find(([, status]) => !wanted || status === wanted)?.[0];
  }

  function goTo(path, what) {
    if (path) location.assign(path);
    else if (document.querySelector(".job-page")) announceEnd(what);
  }

  // What the keys do

  function step(move) {
    const all = links();
    if (!all.length) return goTo(otherJob(move), move > 0 ? "next job" : "previous job");
    const at = all.indexOf(document.activeElement.closest("tr")?.querySelector(".row-link"));
    (at < 0 ? all[0] : all[at + move])?.focus();
  }

  function filter() {
    const summary = document.querySelector("#filters summary");
    if (!summary) return goTo(otherJob(1, "failed"), "further failure");
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
