// Behavior shared by all pages. The pages work without it.
(() => {
  const announcer = () => document.getElementById("announcer");
  let said;

  // Says a sentence to screen readers; what comes within half a second is said together.
  window.announce = (text) => {
    const waiting = announcer().dataset.waiting;
    announcer().dataset.waiting = waiting ? `${waiting} ${text}` : text;
    clearTimeout(said);
    said = setTimeout(() => {
      announcer().textContent = announcer().dataset.waiting;
      delete announcer().dataset.waiting;
    }, 500);
  };

  // A dialog asks about what its button offers at this moment: a poll may have changed that since
  // the page was rendered, and nothing changes it while the dialog is open.
  const takeOffer = (offer, asked) => {
    for (const { name, value } of offer?.querySelectorAll("input[type=hidden]") ?? [])
      if (asked.elements[name]) asked.elements[name].value = value;
  };

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("click", async (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]"))
      if (!menu.contains(event.target)) menu.open = false;

    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const source = copy.dataset.copyFrom && document.getElementById(copy.dataset.copyFrom);
      try {
        await navigator.clipboard.writeText(source ? source.textContent : copy.dataset.copy);
        announce("Copied.");
        copy.classList.add("copied");
        setTimeout(() => copy.classList.remove("copied"), 1500);
      } catch {
        announce("The browser does not allow copying here.");
      }
    }

    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) {
        event.preventDefault();
        takeOffer(opener.form, dialog.querySelector("form"));
        dialog.showModal();
      }
    }
    const closer = event.target.closest("[data-dialog-close]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog").close();
    }
  });

  // Tabs may be wider than a phone: the chosen one comes into view
  document
    .querySelector(".tabs [aria-current]")
    ?.scrollIntoView({ block: "nearest", inline: "center" });

  // "Jobs" on a job's page leads to the list as it was last shown in this tab. The server knows
  // it from the page before alone, which after an action is the job's own.
  function keepList() {
    if (!document.getElementById("filters")) return;
    try {
      sessionStorage.setItem(location.pathname, location.search);
    } catch {
      // then it leads to all jobs
    }
  }
  addEventListener("pagehide", keepList);
  if (!document.getElementById("filters"))
    for (const link of document.querySelectorAll("a[data-as-it-was]")) {
      try {
        link.search ||= sessionStorage.getItem(link.pathname) ?? "";
      } catch {
        // no storage, no more than the server knew
      }
    }

  // Whoever signs in next in this tab finds nothing that was typed or filtered here
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-sign-out]")) return;
    try {
      sessionStorage.clear();
    } catch {
      // nothing is kept without storage
    }
  });

  // Back to what one came from, where there is such a page in this tab
  for (const button of document.querySelectorAll("[data-back]")) {
    button.hidden = history.length < 2;
    button.addEventListener("click", () => history.back());
  }

  // A second click on the way to the answer must not send the form again
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    // a file is saved, and the page stays
    if (event.submitter?.name === "download") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
})();
