// Passkeys: a form with data-passkey="create" or "get" asks the browser for one before it is sent.
// Its options are in the JSON script that data-options names, or at the URL of data-options-url.
(() => {
  const isSupported =
    window.PublicKeyCredential?.parseCreationOptionsFromJSON &&
    window.PublicKeyCredential?.parseRequestOptionsFromJSON;

  const readOptions = async (form) => {
    const { options, optionsUrl } = form.dataset;
    if (options) return JSON.parse(document.getElementById(options).textContent);
    const answer = await fetch(optionsUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  };

  const askBrowser = async (form) => {
    const data = await readOptions(form);
    if (form.dataset.passkey === "create") {
      const { publicKey } = data.creation_options;
      return navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey),
      });
    }
    const { publicKey } = data.request_options;
    return navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
    });
  };

  const send = async (form) => {
    const failed = form.querySelector("[data-passkey-failed]");
    const button = form.querySelector("button[type=submit]");
    failed.hidden = true;
    button.disabled = true;
    try {
      const credential = await askBrowser(form);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      // cancelled, timed out or not for this host: the browser does not say which
      failed.hidden = false;
      button.disabled = false;
    }
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!isSupported) {
      for (const note of document.querySelectorAll("[data-passkey-unsupported]")) note.hidden = false;
      continue;
    }
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }
})();
