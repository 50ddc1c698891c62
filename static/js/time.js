// Keeps "3 min ago" true. While the page gets no answers it stands still: ages must not grow on
// what nobody confirmed.
(() => {
  // By the server's clock: this one may be minutes off. Less than that is the way here.
  const offset = Date.parse(document.body.dataset.now) - Date.now();
  const now = () => Date.now() + (Math.abs(offset) > 5000 ? offset : 0);

  const UNITS = [["y", 31536000], ["mo", 2592000], ["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  const words = (seconds) => {
    const [unit, length] = UNITS.find(([, length]) => seconds >= length) || UNITS.at(-1);
    return `${Math.floor(seconds / length)} ${unit}`;
  };

  const clock = (seconds) => {
    const [h, m, s] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
    const two = (number) => String(number).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };

  const show = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  const tick = () => {
    if (document.hidden || document.body.classList.contains("is-offline")) return;
    const since = (text) => Math.max(0, (now() - Date.parse(text)) / 1000);
    for (const time of document.querySelectorAll("time[data-ago]"))
      show(time, `${words(since(time.dateTime))} ago`);
    for (const span of document.querySelectorAll("[data-elapsed]"))
      show(span, clock(since(span.dataset.elapsed)));
  };

  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
})();
