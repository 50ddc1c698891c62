// Keeps a page current: when to ask, what to leave alone, and what to announce. The server
// decides what changed; htmx and idiomorph put it where it belongs.
(() => {
  const ACTIVE_MS = 2500;
  const IDLE_MS = 10000;
  const PULSE_MS = 15000;
  const ANSWER_MS = 25000; // a little longer than htmx waits
  const SETTING = "reelboard-live";
  const ACTIVE = ["submitting", "queued", "running"];

  const source = () => document.getElementById("live");
  // a list asks about the accounts together with its rows
  const pulse = () => source()?.dataset.liveSince === undefined && document.getElementById("pulse");
  const rows = () => [...document.querySelectorAll("tr[data-version]")];
  let timer;
  let askedAt = 0;
  let lostAt;

  const settings = () => {
    try {
      return { interval: "auto", paused: false, ...JSON.parse(localStorage.getItem(SETTING)) };
    } catch {
      return { interval: "auto", paused: false };
    }
  };
  const save = (change) => {
    try {
      localStorage.setItem(SETTING, JSON.stringify({ ...settings(), ...change }));
    } catch {
      // only this page forgets it
    }
    schedule();
  };

  const isActive = () =>
    source()?.dataset.active === "yes" || rows().some((row) => ACTIVE.includes(row.dataset.status));

  function schedule() {
    clearTimeout(timer);
    const { interval, paused } = settings();
    showControl(interval, paused);
    if (!source() || document.hidden || (paused && control())) return;
    const fixed = Number(interval) * 1000;
    timer = setTimeout(ask, fixed || (isActive() ? ACTIVE_MS : IDLE_MS));
  }

  function ask() {
    const isAsking = Date.now() - askedAt < ANSWER_MS;
    if (isAsking || document.hidden || !source()) return schedule();
    askedAt = Date.now();
    htmx.trigger(source(), "reelboard:poll");
  }

  const askNow = () => {
    const asked = pulse() || source();
    if (asked) htmx.trigger(asked, "reelboard:poll");
  };

  // The control in the header: pause, and how often

  const control = () => document.querySelector("[data-live-control]");

  function showControl(interval, paused) {
    if (!control()) return;
    control().hidden = false;
    for (const choice of control().querySelectorAll("[data-live-interval]"))
      choice.setAttribute("aria-pressed", String(choice.dataset.liveInterval === interval));
    const button = document.querySelector("[data-live-pause]");
    button.hidden = false;
    button.setAttribute("aria-pressed", String(paused));
    button.title = paused ? "Updates are paused" : "Pause updates";
    button.querySelector("span").textContent = paused ? "Paused" : "Pause";
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-live-pause]")) save({ paused: !settings().paused });
    if (event.target.closest("[data-live-retry]")) askNow();
    const choice = event.target.closest("[data-live-interval]");
    if (!choice) return;
    save({ interval: choice.dataset.liveInterval });
    control().open = false;
    control().querySelector("summary").focus();
  });

  // What a poll says of the page, so that only what differs comes back

  document.addEventListener("htmx:configRequest", (event) => {
    const { id, dataset } = event.target;
    if (id !== "live" && id !== "pulse") return;
    const say = event.detail.parameters;
    say.health = document.getElementById("health")?.dataset.fingerprint ?? "";
    say.bulk = document.getElementById("side-bulk")?.dataset.count ?? "0";
    say.notices = document.getElementById("toasts")?.dataset.fingerprint ?? "";
    if (dataset.liveState !== undefined) {
      say.state = dataset.liveState;
      say.origins = document.getElementById("player").dataset.origins;
    }
    if (dataset.liveSince === undefined) return;
    say.rows = rows().map((row) => `${row.id.slice(4)}.${row.dataset.version}`).join("_");
    say.since = dataset.liveSince;
    say.revision = document.getElementById("tabs")?.dataset.revision ?? "";
    say.new = document.getElementById("new-jobs")?.dataset.count ?? "0";
  });

  // Nothing is swapped under a hand that is at work there. A row that was left alone keeps its
  // old version, so the next poll brings it again.

  const isInUse = (element) => {
    const focused = document.activeElement;
    if (element.contains(focused) && focused.matches("input, textarea, select")) return true;
    if (element.querySelector("details[open]")) return true;
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(element, true);
  };

  // A button that had the focus may be gone after a swap, or disabled: its neighbour gets the focus.

  const FOCUSABLE = ":is(a[href], button, input:not([type=hidden]), select, textarea, summary)";
  const canFocus = (element) => element.isConnected && !element.disabled && element.checkVisibility();
  let focused;
  let around = []; // the ids of what it is in, the nearest first

  document.addEventListener("htmx:beforeSwap", () => {
    focused = document.activeElement;
    around = [];
    for (let part = focused; part; part = part.parentElement) if (part.id) around.push(part.id);
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (focused === document.body || !focused || canFocus(focused)) return;
    if (![document.body, focused].includes(document.activeElement)) return;
    for (const id of around) {
      const inside = [...(document.getElementById(id)?.querySelectorAll(FOCUSABLE) ?? [])];
      const neighbour = inside.find(canFocus);
      if (neighbour) return neighbour.focus();
    }
  });

  let failed = 0;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (isInUse(target)) {
      event.detail.shouldSwap = false;
      return;
    }
    const next = fragment.querySelector?.("tr[data-status]") ?? fragment.firstElementChild;
    if (target.matches("tr[data-status]") && target.dataset.status !== "failed")
      failed += next?.dataset?.status === "failed" ? 1 : 0;
    if (target.id === "new-jobs" && next?.dataset?.count > 0 && next.dataset.count !== target.dataset.count)
      announce(`${next.textContent.trim()}.`);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, target } = event.detail;
    if (requestConfig.elt.id === "live" && isInUse(target)) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const said = event.target.id === "results" && event.target.dataset.announce;
    if (said) announce(said);
  });

  // What somebody changed after a question was sent is newer than its answer: another account's
  // fields come with what was typed when it was chosen.

  const changedAt = new WeakMap();
  const sentAt = new WeakMap();
  let answerOf = Infinity;
  document.addEventListener("input", (event) => changedAt.set(event.target, event.timeStamp));
  document.addEventListener("htmx:beforeSend", (event) => sentAt.set(event.detail.xhr, event.timeStamp));
  document.addEventListener("htmx:beforeSwap", (event) => {
    answerOf = sentAt.get(event.detail.xhr);
  });

  function keepChange(field, next) {
    // what is selected in a list is no part of any answer
    const isKept = field.dataset?.keep !== undefined;
    if (!isKept && !(changedAt.get(field) > answerOf)) return;
    if (field.matches("[type=checkbox], [type=radio]")) {
      if (field.value === next.value) next.toggleAttribute("checked", field.checked);
    } else if (field.matches("select")) {
      next.value = field.value;
    } else if (field.matches("textarea")) {
      next.textContent = field.value;
    } else {
      next.setAttribute("value", field.value);
    }
  }
  Idiomorph.defaults.callbacks.beforeNodeMorphed = keepChange;

  // An answer, or none

  const connected = (isConnected) => {
    document.body.classList.toggle("is-offline", !isConnected);
    if (!isConnected) lostAt ??= new Date().toLocaleTimeString([], { timeStyle: "short" });
    for (const id of ["offline", "no-answer"]) {
      const notice = document.getElementById(id);
      if (lostAt) notice.querySelector("[data-since]").textContent = lostAt;
      notice.hidden = isConnected;
    }
    if (isConnected) lostAt = undefined;
  };

  document.addEventListener("htmx:afterRequest", (event) => {
    const { id } = event.detail.requestConfig.elt;
    if (id !== "live" && id !== "pulse") return;
    if (id === "live") askedAt = 0;
    connected(event.detail.successful || event.detail.xhr.status === 401);
    if (failed) announce(failed === 1 ? "A job failed." : `${failed} jobs failed.`);
    failed = 0;
    schedule();
  });

  // A request that ends because the page is left is not a failure
  const underway = new Set();
  document.addEventListener("htmx:beforeSend", (event) => underway.add(event.detail.xhr));
  document.addEventListener("htmx:afterRequest", (event) => underway.delete(event.detail.xhr));
  addEventListener("beforeunload", () => {
    for (const xhr of underway) xhr.onabort = xhr.onerror = null;
  });

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden && !(settings().paused && control())) ask();
  });
  document.addEventListener("DOMContentLoaded", schedule);
  setInterval(() => {
    if (!document.hidden && !settings().paused && pulse()) htmx.trigger(pulse(), "reelboard:poll");
  }, PULSE_MS);
})();
