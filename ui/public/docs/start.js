// Shows the server's own description with Swagger UI. Both come from this
// server; nothing is asked of anybody else. It is a file of its own because the
// Content-Security-Policy allows no inline script.
window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'list',
  displayRequestDuration: true,
  filter: true,
  // Its badge would send the description to another host.
  validatorUrl: null,
  // The token stays in this tab's memory.
  persistAuthorization: false,
});
