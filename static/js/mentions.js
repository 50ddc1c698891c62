// Members that an `@` in a note may become. The server finds them; without this script one types
// the whole e-mail address.
(() => {
  const TYPING_MS = 150;
  // what follows an `@` that is not inside of an address, up to the cursor
  const TYPED = /(?:^|[\s([{"'])@([^\s@]{0,60}(?:@[^\s@]{0,100})?)$/;
  const isNote = (element) => element.matches?.("[data-mentions]");
  const list = (note) => note.form.querySelector(".mention-options");
  const options = (note) => [...list(note).querySelectorAll("[role=option]")];
  let note; // the one that is being typed in
  let chosen = -1;
  let timer;

  const typed = () => TYPED.exec(note.value.slice(0, note.selectionStart))?.[1];

  function close() {
    clearTimeout(timer);
    if (!note) return;
    list(note).hidden = true;
    note.removeAttribute("aria-activedescendant");
    note.removeAttribute("aria-controls");
    chosen = -1;
  }

  function choose(index) {
    const all = options(note);
    chosen = (index + all.length) % all.length;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    note.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  }

  function take(option) {
    const end = note.selectionStart;
    note.setRangeText(option.dataset.insertion, end - typed().length - 1, end, "end");
    close();
    note.focus();
  }

  function ask() {
    clearTimeout(timer);
    if (typed() === undefined || note.selectionStart !== note.selectionEnd) return close();
    timer = setTimeout(() => htmx.trigger(list(note), "reelboard:typed"), TYPING_MS);
  }

  document.addEventListener("input", (event) => {
    if (!isNote(event.target)) return;
    note = event.target;
    ask();
  });
  document.addEventListener("focusout", (event) => {
    if (isNote(event.target)) close();
  });
  document.addEventListener("click", (event) => {
    if (isNote(event.target)) close(); // the cursor is elsewhere now
  });

  document.addEventListener("keydown", (event) => {
    if (event.target !== note || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || list(note).hidden) return;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) choose(chosen + move);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) take(options(note)[chosen]);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    // the cursor has left what was typed
    if (event.target === note && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) close();
  });

  // the text keeps the focus when an option is clicked
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest(".mention-options [role=option]");
    if (!option || !note) return;
    event.preventDefault();
    take(option);
  });

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.matches(".mention-options")) event.detail.parameters.q = typed() ?? "";
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // nobody waits for it any more
    const isOptions = event.detail.target.matches(".mention-options");
    if (isOptions && (document.activeElement !== note || typed() === undefined)) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!event.target.matches(".mention-options")) return;
    const found = options(note).length;
    if (!found) return close();
    list(note).hidden = false;
    note.setAttribute("aria-controls", "mention-list");
    choose(0);
    announce(`${found} member${found === 1 ? "" : "s"}: choose with the arrow keys and Enter.`);
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const one of document.querySelectorAll("[data-mentions]")) {
      one.setAttribute("aria-autocomplete", "list");
      one.setAttribute("aria-haspopup", "listbox");
    }
  });
})();
