"use strict";
// Loads Swagger UI when its button is pressed, and signs in as the chosen person of the demo.
(() => {
  const button = document.getElementById("load");
  const state = document.getElementById("state");
  const login = document.getElementById("login");
  let ui = null;

  const load = (tag, attributes) =>
    new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement(tag), attributes);
      element.addEventListener("load", resolve);
      element.addEventListener("error", () => reject(new Error(attributes.src || attributes.href)));
      document.head.append(element);
    });

  const open = async () => {
    if (ui) return;
    const folder = button.dataset.folder;
    await Promise.all([
      load("link", { rel: "stylesheet", href: `${folder}swagger-ui.css` }),
      load("script", { src: `${folder}swagger-ui-bundle.js` }),
    ]);
    await new Promise((done) => {
      ui = window.SwaggerUIBundle({
        url: "/openapi.json",
        domNode: document.getElementById("console"),
        deepLinking: true,
        docExpansion: "none",
        filter: true,
        tryItOutEnabled: true,
        validatorUrl: null,
        onComplete: done,
      });
    });
  };

  const signIn = async () => {
    if (!login) return;
    const chosen = login.selectedOptions[0];
    const response = await fetch("/v1/auth/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
      body: JSON.stringify({ login: chosen.value, password: chosen.dataset.password, device_name: "console" }),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(body.detail || body.title);
    ui.preauthorizeApiKey("bearer", body.access_token);
    state.textContent = `✓ ${chosen.textContent}`;
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    state.textContent = "…";
    try {
      await open();
      state.textContent = "";
      await signIn();
    } catch (error) {
      state.textContent = String(error.message || error);
    }
    button.disabled = !login && ui !== null;
  });
})();
