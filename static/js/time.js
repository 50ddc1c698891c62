// Keeps "3 min ago" current. Stops while the page gets no answers: ages must not grow on
// what nobody confirmed.
(() => {
  // By the server's clock: this one may be minutes off. Less than that is the way here.
  const offset = Date.parse(document.body.dataset.now) - Date.now();
  const now = () => Date.now() + (Math.abs(offset) > 5000 ? offset : 0);

  const UNITS = [["y", 31536000], ["mo", 2592000], ["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  const age = (seconds) => {
    const [unit, length] = UNITS.find(([, length]) => seconds >= length) || UNITS.at(-1);
    return `${Math.floor(seconds / length)} ${unit}`;
  };

  // CLOCK_SKEW of providers/parsing/clock.py
  const SKEW_S = 60;
  const ago = (seconds) =>
    seconds < -SKEW_S
      ? `in ${age(-seconds)}: the provider's clock is ahead`
      : `${age(Math.max(0, seconds))} ago`;

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
    const since = (text) => (now() - Date.parse(text)) / 1000;
    for (const time of document.querySelectorAll("time[data-ago]"))
      show(time, ago(since(time.dateTime)));
    for (const span of document.querySelectorAll("[data-elapsed]"))
      show(span, clock(Math.max(0, since(span.dataset.elapsed))));
  };

  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
})();
