// New job: what was typed comes back with the browser's Back, a sample fills in its URL alone, and
// the focus goes to what must be changed.
(() => {
  const form = document.getElementById("job-form");
  if (!form) return;
  const current = () => document.getElementById("job-form");

  // The draft belongs to this entry of the tab's history, and is gone with the tab. It may hold a
  // signed URL, as the tab's own memory would: no other tab, page or visit of the form reads it,
  // and signing out clears it. Submitting keeps it, since Back is the way to change a job and
  // submit it again; the key against double submission is the page's own each time.
  const OWN = ["csrfmiddlewaretoken", "idempotency_key", "account", "fields_of", "allow_duplicate", "save_as"];
  const fields = () =>
    [...current().elements].filter((field) => field.name && field.type !== "hidden" && !OWN.includes(field.name));

  const isTicked = (field) => field.type === "checkbox" || field.type === "radio";

  function findDraft() {
    const id = history.state?.draft ?? `draft:${Date.now()}:${Math.random()}`;
    history.replaceState({ ...history.state, draft: id }, "");
    return id;
  }

  function save() {
    const draft = {};
    for (const field of fields()) {
      draft[field.name] ??= [];
      if (!isTicked(field) || field.checked) draft[field.name].push(field.value);
    }
    try {
      sessionStorage.setItem(findDraft(), JSON.stringify(draft));
    } catch {
      // Back brings an empty form
    }
  }

  function restore() {
    let draft;
    try {
      draft = JSON.parse(sessionStorage.getItem(findDraft()));
    } catch {
      return;
    }
    if (!draft) return;
    for (const field of fields()) {
      const values = draft[field.name];
      if (values && isTicked(field)) field.checked = values.includes(field.value);
      else if (values?.length) field.value = values[0];
    }
  }

  restore();

  document.addEventListener("input", (event) => {
    if (event.target.form === current()) save();
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (current()) save();
  });

  // The account stays in the URL, so that the page comes back with its fields
  const keepAccount = (event) => {
    if (event.target.name !== "account" || event.target.form !== current()) return;
    const url = new URL(location.href);
    url.searchParams.set("account", event.target.value);
    history.replaceState(history.state, "", url);
  };
  // before htmx, which lets the event go no further
  document.addEventListener("change", keepAccount, { capture: true });

  // to the field itself, or to the first of its boxes
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a[data-wrong]")) return;
    event.preventDefault();
    current().querySelector("[aria-invalid='true'], .is-invalid")?.focus();
  });

  document.addEventListener("click", (event) => {
    const sample = event.target.closest("a[data-sample]");
    if (!sample || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const input = current().elements.input;
    input.value = sample.dataset.sample;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  });

  // Enter in the name of a template saves it: the form's own button would submit the job
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.name !== "save_as") return;
    event.preventDefault();
    current().querySelector("[name=save_template][value=new]").click();
  });

  // A form with errors is shown where it is; whatever else goes wrong is said above it
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, xhr } = event.detail;
    if (requestConfig.elt.id !== "job-form" || xhr.status !== 422) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.elt.id !== "job-form") return;
    const { status } = event.detail.xhr;
    const isAnswered = (status >= 200 && status < 400) || status === 422 || status === 401;
    document.getElementById("not-sent").hidden = isAnswered;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.requestConfig?.elt.id !== "job-form") return;
    current().querySelector("[aria-invalid='true'], [name=allow_duplicate]")?.focus();
  });
})();
