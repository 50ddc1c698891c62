// The search box as one types a query: what it means, what is wrong, and what may follow. The
// server says all of it; without this script the box is a plain field.
(() => {
  const TYPING_MS = 150;
  const box = () => document.getElementById("search");
  const help = () => document.getElementById("query-help");
  const options = () => [...help().querySelectorAll("[role=option]")];
  const isBox = (element) => element.id === "search" && element.dataset.query !== undefined;
  let chosen = -1;
  let hasMoved = false; // with an arrow, so that Enter takes the option
  let timer;

  function ask() {
    clearTimeout(timer);
    timer = setTimeout(() => htmx.trigger(help(), "reelboard:typed"), TYPING_MS);
  }

  function show(isOpen) {
    clearTimeout(timer);
    help().hidden = !isOpen;
    const list = isOpen && options().length > 0;
    box().setAttribute("aria-expanded", String(list));
    if (!list) box().removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    const all = options();
    chosen = all.length ? (index + all.length) % all.length : -1;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    if (chosen < 0) return;
    box().setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  }

  function take(option) {
    const { insertion, start, end } = option.dataset;
    box().setRangeText(insertion, Number(start), Number(end), "end");
    box().focus();
    box().dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    if (isBox(event.target)) ask();
  });
  document.addEventListener("focusin", (event) => {
    if (isBox(event.target) && event.target.value) ask();
  });
  document.addEventListener("focusout", (event) => {
    if (isBox(event.target) && !help().contains(event.relatedTarget)) show(false);
  });

  document.addEventListener("keydown", (event) => {
    if (!isBox(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOpen = !help().hidden;
    const hasOptions = isOpen && options().length > 0;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      if (!isOpen) return ask();
      hasMoved = true;
      choose(chosen + move);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault(); // which would empty the box
      show(false);
    } else if (event.key === "Tab" && !event.shiftKey && hasOptions && chosen >= 0) {
      event.preventDefault();
      take(options()[chosen]);
    } else if (event.key === "Enter") {
      if (hasMoved && hasOptions && chosen >= 0) {
        event.preventDefault();
        take(options()[chosen]);
      } else show(false);
    }
  });

  // the list follows what is typed, but not while it is half a key or value
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches("form.search") && help() && !help().hidden && options().length)
      event.preventDefault();
  });

  // the box keeps the focus when an option is clicked
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("#query-help [role=option]");
    if (!option) {
      // also what a page came with, which covers a part of it
      if (help() && !event.target.closest("form.search")) show(false);
      return;
    }
    event.preventDefault();
    take(option);
  });

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id !== "query-help") return;
    event.detail.parameters.q = box().value;
    event.detail.parameters.at = box().selectionStart;
    if (document.getElementById("results")) event.detail.parameters.list = "yes";
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // the answer to what was in the box before, or one that nobody waits for any more
    if (event.detail.target.id === "query-help" && document.activeElement !== box())
      event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "query-help") return;
    hasMoved = false;
    show(help().childElementCount > 0);
    choose(0);
  });
})();
