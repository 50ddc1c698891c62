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

  // `rough` and `time_left_text` of jobs/display/stuck.py
  const ROUGH = [[72 * 3600, 86400, "d"], [2 * 3600, 3600, "h"], [120, 60, "min"], [0, 1, "s"]];
  const rough = (seconds) => {
    const [, length, unit] = ROUGH.find(([least]) => seconds >= least);
    return [Math.round(seconds / length), unit];
  };
  const left = (least, most) => {
    if (most < 1) return "longer than usual";
    const [number, unit] = rough(Math.max(0, least));
    const [mostNumber, mostUnit] = rough(most);
    if (least < 1) return `up to ${mostNumber} ${mostUnit} left`;
    if (number === mostNumber && unit === mostUnit) return `about ${mostNumber} ${mostUnit} left`;
    return `${unit === mostUnit ? number : `${number} ${unit}`}–${mostNumber} ${mostUnit} left`;
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
    for (const span of document.querySelectorAll("[data-left]"))
      show(span, left(...span.dataset.left.split(" ").map((time) => -since(time))));
  };

  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
})();
