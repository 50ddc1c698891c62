// Notices of jobs that ended: said aloud, and shown by the system while nobody looks at the page.
// The server keeps them until they are dismissed; without this they are there at the next page.
(() => {
  const HIDDEN_MS = 30000; // as long as somebody waits for a job, behind another tab too
  const toasts = () => document.getElementById("toasts");
  const cards = () => [...(toasts()?.querySelectorAll("[data-notice]") ?? [])];
  const mayNotify = () => "Notification" in window && Notification.permission === "granted";
  const SAID = "reelboard-notices";

  // Said once in a tab, however many pages show it
  const said = () => {
    try {
      return JSON.parse(sessionStorage.getItem(SAID)) ?? [];
    } catch {
      return [];
    }
  };
  const known = new Set(said());
  const remember = () => {
    try {
      sessionStorage.setItem(SAID, JSON.stringify([...known].slice(-200)));
    } catch {
      // then each page says it again
    }
  };

  const sentence = (card) => card.querySelector("[data-sentence]").textContent.trim().replace(/\s+/g, " ");

  function show(card) {
    if (!document.hidden || !mayNotify()) return;
    try {
      // one of all the tabs: the same tag replaces
      const shown = new Notification("Reelboard", { body: sentence(card), tag: `reelboard-${card.id}` });
      shown.onclick = () => {
        focus();
        location.assign(card.querySelector("a").href);
      };
    } catch {
      // some systems let only a service worker do it
    }
  }

  function announceNew() {
    for (const card of cards()) {
      if (known.has(card.id)) continue;
      known.add(card.id);
      announce(`${sentence(card)}.`);
      show(card);
      remember();
    }
  }

  // The wish is kept at once, whatever the browser's question is answered with
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-notify]") || event.target.elements.off) return;
    if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "toasts") {
      announceNew();
      // the last one was dismissed, and its button had the focus
      if (!cards().length && document.activeElement === document.body)
        document.getElementById("content").focus({ preventScroll: true });
    }
    if (event.target.id !== "notify") return;
    if (event.target.dataset.said) announce(event.target.dataset.said);
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id === "toasts") announceNew();
  });

  // Pages ask nothing while they are hidden, but for somebody who waits and can be shown something
  setInterval(() => {
    if (!document.hidden || !mayNotify() || !Number(toasts()?.dataset.pending)) return;
    htmx.ajax("GET", toasts().dataset.url, {
      target: "#toasts",
      swap: "morph",
      values: { notices: toasts().dataset.fingerprint },
    });
  }, HIDDEN_MS);

  document.addEventListener("DOMContentLoaded", announceNew);
})();
