// Sends the server the browser's time zone, once: with one of its own a page has no such script.
(() => {
  const { url } = document.currentScript.dataset;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": document.documentElement.dataset.token },
    body: new URLSearchParams({ time_zone: zone }),
  }).catch(() => {}); // the next page tries again
})();
