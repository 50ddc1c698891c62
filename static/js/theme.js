// Runs before the first paint: the theme is on the page before its styles are. Of a signed-in
// person the server has put it there; what is left is to follow the system, and the switch.
(() => {
  const KEY = "reelboard-theme"; // of this device, for pages before the sign-in
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  root.classList.add("scripted"); // what needs a script to be opened is folded only now

  const stored = () => {
    try {
      return localStorage.getItem(KEY) || "system";
    } catch {
      return "system"; // storage can be forbidden
    }
  };
  const store = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // for this page, at least
    }
  };

  let theme = root.dataset.theme ?? stored();

  const apply = () => {
    root.dataset.bsTheme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
    for (const button of document.querySelectorAll("[data-set-theme]"))
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
  };

  apply();
  if (root.dataset.theme && theme !== stored()) store(theme);
  dark.addEventListener("change", apply);
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    theme = event.newValue || "system";
    apply();
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const control of document.querySelectorAll("[data-theme-switch]")) control.hidden = false;
    apply();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    theme = button.dataset.setTheme;
    apply();
    store(theme);
    if (!root.dataset.themeUrl) return;
    fetch(root.dataset.themeUrl, {
      method: "POST",
      headers: { "X-CSRFToken": root.dataset.token },
      body: new URLSearchParams({ theme }),
      keepalive: true,
    }).catch(() => {}); // then it holds for this page
  });
})();
