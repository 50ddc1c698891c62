// Search in the raw body, by the browser's own highlights: the text itself stays untouched.
(() => {
  const find = (text, term) => {
    const ranges = [];
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const low = node.data.toLowerCase();
      for (let at = low.indexOf(term); at >= 0 && ranges.length < 5000; at = low.indexOf(term, at + term.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + term.length);
        ranges.push(range);
      }
    }
    return ranges;
  };

  const show = () => {
    const field = document.querySelector("[data-raw-search]");
    if (field && window.CSS?.highlights) field.hidden = false;
  };

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-raw-search]")) return;
    const term = event.target.value.trim().toLowerCase();
    const text = document.getElementById("raw-text");
    const ranges = term ? find(text, term) : [];
    CSS.highlights.set("found", new Highlight(...ranges));
    const found = document.querySelector("[data-raw-found]");
    found.textContent = term ? `${ranges.length} found` : "";
    const first = ranges[0]?.getBoundingClientRect();
    if (first) text.scrollTop += first.top - text.getBoundingClientRect().top - 40;
  });
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("DOMContentLoaded", show);
})();
